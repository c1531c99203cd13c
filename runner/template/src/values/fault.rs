//! Why evaluation stopped.

use std::rc::Rc;
use std::sync::Arc;

use sasrun_model::Name;

use super::Val;
use crate::error::{At, Problem, TemplateError};

/// Result of a step of evaluation.
pub(crate) type Eval<T = Val> = Result<T, Fault>;

/// Why evaluation stopped, and where.
pub(crate) struct Fault(Box<FaultParts>);

struct FaultParts {
    kind: FaultKind,
    at: Option<Box<At>>,
    through: Vec<Name>,
}

pub(crate) enum FaultKind {
    /// Something undefined was used. A variable whose template stops so is undefined itself.
    Undefined(Rc<Undefined>),
    /// Something that cannot be known was used. It spreads in the same way.
    Unknown(Arc<str>),
    /// Anything else; it stops everything.
    Error(Problem),
}

/// Something that is not there.
#[derive(Clone)]
pub(crate) struct Undefined {
    pub(crate) name: String,
    pub(crate) message: String,
    /// Where it was used, if that was in another template.
    pub(crate) at: Option<Box<At>>,
    pub(crate) through: Vec<Name>,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind) -> Self {
        Fault(Box::new(FaultParts {
            kind,
            at: None,
            through: Vec::new(),
        }))
    }

    pub(crate) fn undefined(undefined: &Rc<Undefined>) -> Self {
        Fault(Box::new(FaultParts {
            at: undefined.at.clone(),
            through: undefined.through.clone(),
            kind: FaultKind::Undefined(Rc::clone(undefined)),
        }))
    }

    pub(crate) fn unknown(reason: &Arc<str>) -> Self {
        Fault::new(FaultKind::Unknown(Arc::clone(reason)))
    }

    pub(crate) fn problem(problem: Problem) -> Self {
        Fault::new(FaultKind::Error(problem))
    }

    /// An operator, call or method that cannot be done.
    pub(crate) fn operation(message: impl Into<String>) -> Self {
        Fault::problem(Problem::Operation(message.into()))
    }

    pub(crate) fn kind(&self) -> &FaultKind {
        &self.0.kind
    }

    /// Notes where it happened, unless that is known.
    pub(crate) fn at(mut self, place: impl FnOnce() -> At) -> Self {
        if self.0.at.is_none() {
            self.0.at = Some(Box::new(place()));
        }
        self
    }

    /// Notes the variable through which it came.
    pub(crate) fn through(mut self, name: &Name) -> Self {
        self.0.through.insert(0, Arc::clone(name));
        self
    }

    /// The value that a variable has whose template stopped so, if the fault spreads as a value.
    pub(crate) fn into_value(self) -> Eval {
        match self.0.kind {
            FaultKind::Undefined(undefined) => Ok(Val::Undefined(Rc::new(Undefined {
                name: undefined.name.clone(),
                message: undefined.message.clone(),
                at: self.0.at,
                through: self.0.through,
            }))),
            FaultKind::Unknown(reason) => Ok(Val::Unknown(super::Unknown {
                reason,
                derived: false,
            })),
            FaultKind::Error(_) => Err(self),
        }
    }

    /// What a filter, a test or a function gives that was stopped by something undefined: as in
    /// Ansible that is undefined too, so that `x | upper | default('y')` gives the default.
    pub(crate) fn undefined_into_value(self) -> Eval {
        match self.0.kind {
            FaultKind::Undefined(_) => self.into_value(),
            _ => Err(self),
        }
    }

    pub(crate) fn into_error(self, hint: impl FnOnce(&str) -> Option<String>) -> TemplateError {
        let FaultParts { kind, at, through } = *self.0;
        let problem = match kind {
            FaultKind::Undefined(undefined) => Problem::Undefined {
                name: undefined.name.clone(),
                message: undefined.message.clone(),
                hint: hint(&undefined.name),
            },
            FaultKind::Unknown(reason) => Problem::CannotKnow(reason),
            FaultKind::Error(problem) => problem,
        };
        TemplateError {
            problem,
            at,
            through,
        }
    }
}
