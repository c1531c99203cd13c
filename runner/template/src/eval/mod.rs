//! Running programs: variables found when they are looked at, statements, expressions and calls.

mod access;
mod arguments;
mod calls;
mod compose;
mod expression;
mod globals;
mod lookup_call;
mod loops;
mod operators;
mod output;
mod session;
mod statement;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

pub(crate) use arguments::{Arguments, Call, CallKind};
pub(crate) use calls::{MacroValue, SuperCall};
pub(crate) use globals::GlobalFunction;
pub(crate) use lookup_call::run_lookup;
pub(crate) use loops::LoopState;
pub(crate) use output::Sink;
pub(crate) use session::{Session, Shared};

/// Whether a name is a function of the language.
pub(crate) fn is_function(name: &str) -> bool {
    globals::find(name).is_some()
}

use crate::error::At;
use crate::options::RenderOptions;
use crate::scope::Scope;
use crate::syntax::{Block, Position, Program};
use crate::values::Val;

/// Where a piece of a program runs: its scope, its local variables, and the template it belongs to.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) session: Rc<Session>,
    pub(crate) scope: Arc<dyn Scope>,
    program: Arc<Program>,
    frame: Rc<Frame>,
    family: Rc<Family>,
}

/// Local variables of a block of a template.
#[derive(Default)]
struct Frame {
    variables: RefCell<HashMap<Arc<str>, Val>>,
    parent: Option<Rc<Frame>>,
}

/// What templates share that include or extend one another.
pub(crate) struct Family {
    pub(crate) options: RenderOptions,
    /// Blocks by name, that of the most derived template first.
    blocks: RefCell<HashMap<Arc<str>, Vec<PlacedBlock>>>,
    /// The text that the filter of a block is applied to.
    block_subject: RefCell<Option<Val>>,
}

/// A block, and the program it stands in.
type PlacedBlock = (Arc<Block>, Arc<Program>);

impl Frame {
    fn find(&self, name: &str) -> Option<Val> {
        let mut frame = self;
        loop {
            if let Some(value) = frame.variables.borrow().get(name) {
                return Some(value.clone());
            }
            frame = frame.parent.as_deref()?;
        }
    }

    /// Replaces a local variable where it stands; false if there is none.
    fn replace(&self, name: &str, value: &Val) -> bool {
        let mut frame = Some(self);
        while let Some(here) = frame {
            if let Some(slot) = here.variables.borrow_mut().get_mut(name) {
                *slot = value.clone();
                return true;
            }
            frame = here.parent.as_deref();
        }
        false
    }
}

impl Env {
    pub(crate) fn new(
        session: &Rc<Session>,
        scope: &Arc<dyn Scope>,
        program: &Arc<Program>,
        options: RenderOptions,
    ) -> Self {
        Self {
            session: Rc::clone(session),
            scope: Arc::clone(scope),
            program: Arc::clone(program),
            frame: Rc::default(),
            family: Rc::new(Family {
                options,
                blocks: RefCell::default(),
                block_subject: RefCell::default(),
            }),
        }
    }

    /// The same place with room for more local variables.
    fn nested(&self) -> Self {
        Self {
            frame: Rc::new(Frame {
                variables: RefCell::default(),
                parent: Some(Rc::clone(&self.frame)),
            }),
            ..self.clone()
        }
    }

    fn with_program(&self, program: &Arc<Program>) -> Self {
        Self {
            program: Arc::clone(program),
            ..self.clone()
        }
    }

    fn set(&self, name: &Arc<str>, value: Val) {
        self.frame
            .variables
            .borrow_mut()
            .insert(Arc::clone(name), value);
    }

    /// The place in the text, for messages.
    fn place(&self, position: Position) -> At {
        let line = position.line.max(1);
        At {
            template: self.program.name.clone(),
            line,
            column: position.column.max(1),
            excerpt: self
                .program
                .source
                .lines()
                .nth(line as usize - 1)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

impl Env {
    /// Sets local variables from a mapping.
    pub(crate) fn set_all(&mut self, variables: &Val) -> crate::values::Eval<()> {
        for (name, value) in self.session.entries(variables)? {
            self.set(&name.to_string().into(), value);
        }
        Ok(())
    }
}
