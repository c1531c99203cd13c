//! The door: checking, resolving and rendering.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sasrun_model::{Map, Node, NodeKind, Value};

use crate::cache::ProgramCache;
use crate::error::{Problem, SyntaxKind, SyntaxProblem, TemplateError};
use crate::eval::{Env, Session, Shared, Sink, run_lookup};
use crate::extensions::Extensions;
use crate::needs::{self, Needed};
use crate::options::RenderOptions;
use crate::scope::{Binding, Scope};
use crate::suggestion::nearest;
use crate::syntax::{ExprKind, Program, Reading, Statement, StatementKind};
use crate::values::{Eval, Fault, Val};
use crate::world::World;
use crate::{filters, predicates, terms};

/// Truth of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on what cannot be known now.
    CannotKnow(Arc<str>),
}

/// Renders templates and evaluates expressions. Cheap to clone; clones share what was compiled.
#[derive(Clone)]
pub struct Templates {
    shared: Arc<Shared>,
    takes_any_condition: bool,
}

impl Templates {
    /// Templates of a world, with what plugins add.
    pub fn new(world: Arc<dyn World>, extensions: Extensions) -> Self {
        Self {
            shared: Arc::new(Shared {
                world,
                extensions,
                programs: ProgramCache::default(),
                asked: AtomicU64::new(0),
            }),
            takes_any_condition: false,
        }
    }

    /// Sets whether a condition may come to any value and holds as Python would have it, as before
    /// ansible-core 2.19.
    #[must_use]
    pub fn taking_any_condition(mut self, takes: bool) -> Self {
        self.takes_any_condition = takes;
        self
    }

    /// How often anything but variables was asked so far: the clock, chance, the environment, the
    /// disk. What was evaluated while this did not change comes out the same whenever it is
    /// evaluated again.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Reads the text of a value without evaluating it; also finds filters and tests that nobody offers.
    pub fn check_template(&self, text: &str) -> Result<(), SyntaxProblem> {
        self.check(text, &Reading::Value)
    }

    /// Reads the text of an expression without evaluating it.
    pub fn check_expression(&self, text: &str) -> Result<(), SyntaxProblem> {
        self.check(text, &Reading::Expression)
    }

    /// Reads the text of a template file without evaluating it.
    pub fn check_file(&self, text: &str, options: &RenderOptions) -> Result<(), SyntaxProblem> {
        self.check(text, &Reading::File(Box::new(options.clone())))
    }

    /// Variables that rendering the text of a value surely looks at; none of a text that cannot be read.
    pub fn needed_by_template(&self, text: &str) -> Vec<Needed> {
        self.needed(text, &Reading::Value)
    }

    /// Variables that evaluating a bare expression surely looks at; none of one that cannot be read.
    pub fn needed_by_expression(&self, text: &str) -> Vec<Needed> {
        self.needed(text, &Reading::Expression)
    }

    fn needed(&self, text: &str, reading: &Reading) -> Vec<Needed> {
        let program = self.program(text, reading);
        program.map_or_else(
            |_| Vec::new(),
            |program| needs::of_statements(&program.body),
        )
    }

    fn check(&self, text: &str, reading: &Reading) -> Result<(), SyntaxProblem> {
        let program = self.program(text, reading)?;
        let Some(unknown) = program.unknown.first() else {
            return Ok(());
        };
        let (what, names): (_, Vec<&str>) = match unknown.kind {
            SyntaxKind::UnknownTest => ("test", predicates::all().map(|test| test.name).collect()),
            _ => ("filter", filters::all().map(|filter| filter.name).collect()),
        };
        let near = nearest(&unknown.name, names.iter().copied())
            .map(|name| format!(", did you mean '{name}'?"))
            .unwrap_or_default();
        Err(SyntaxProblem {
            kind: unknown.kind,
            message: format!("no {what} named '{}'{near}", unknown.name),
            line: unknown.position.line,
            column: unknown.position.column,
        })
    }

    /// Resolves a value as written, with everything in it. A lone `{{ x }}` keeps the type of `x`. Where a part cannot
    /// be known, [`Value::CannotKnow`] stands in its place. Omitted entries of containers are left out; a value that
    /// is omitted itself is [`Value::Omit`]. Keys are rendered at the top level only.
    pub fn resolve(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Value, TemplateError> {
        if let Some(value) = node.to_static_value() {
            return Ok(value);
        }
        let session = Session::new(&self.shared);
        finish(scope, resolve_node(&session, node, scope, true))
    }

    /// Renders the text of a template file. What cannot be known is an error here ([`TemplateError::cannot_know`]).
    pub fn render(
        &self,
        text: &str,
        scope: &Arc<dyn Scope>,
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        let mut options = options.clone();
        let body = options.take_header(text);
        let program = self
            .program(body, &Reading::File(Box::new(options.clone())))
            .map_err(syntax_error)?;
        let session = Session::new(&self.shared);
        let rendered = (|| -> Eval<String> {
            let env = Env::new(&session, scope, &program, options.clone());
            let mut sink = Sink::native();
            env.run(&mut sink)?;
            // As in Ansible, only what is text gets the newlines back that end the template.
            let mut text = match sink.finish() {
                Val::Text(text) => text.to_string(),
                Val::Null => return Ok(String::new()),
                other => {
                    let mut sink = Sink::text();
                    sink.push(&session, other)?;
                    return sink.into_text(&session);
                }
            };
            let newline = &*options.newline_sequence;
            let present =
                (text.len() - text.trim_end_matches(newline).len()) / newline.len().max(1);
            for _ in present..program.trailing_newlines {
                text.push_str(newline);
            }
            Ok(text)
        })();
        finish(scope, rendered)
    }

    /// Evaluates a bare expression.
    pub fn expression(&self, text: &str, scope: &Arc<dyn Scope>) -> Result<Value, TemplateError> {
        let session = Session::new(&self.shared);
        finish(
            scope,
            self.evaluate(&session, text, &Reading::Expression, scope)
                .and_then(|value| session.to_data(&value)),
        )
    }

    /// Decides a condition as ansible-core 2.19 does: a boolean, a bare expression, or a template that gives either.
    /// A result that is no boolean is an error.
    pub fn condition(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Truth, TemplateError> {
        let session = Session::new(&self.shared);
        match self.decide(&session, node, scope) {
            Ok(Val::Bool(true)) => Ok(Truth::True),
            Ok(Val::Bool(false)) => Ok(Truth::False),
            Ok(Val::Unknown(unknown)) => Ok(Truth::CannotKnow(unknown.reason)),
            Ok(value) if self.takes_any_condition => match session.truth(&value) {
                Ok(true) => Ok(Truth::True),
                Ok(false) => Ok(Truth::False),
                Err(fault) => finish(scope, Err(fault)),
            },
            Ok(value) => {
                let shown = session
                    .repr_of(&value)
                    .map(|text| text.chars().take(60).collect::<String>())
                    .unwrap_or_default();
                finish(
                    scope,
                    Err(Fault::problem(Problem::Refused(format!(
                        "conditional result was {shown} of type '{}'; a condition must be true or false \
                         (write a comparison, or `| bool`; the setting allow_broken_conditionals takes it as it is)",
                        value.type_name()
                    )))),
                )
            }
            Err(fault) => finish(scope, Err(fault)),
        }
    }

    /// Resolves the terms of a lookup, as `with_…` loops do before they run it.
    pub fn resolve_terms(
        &self,
        lookup: &str,
        node: &Node,
        scope: &Arc<dyn Scope>,
    ) -> Result<Value, TemplateError> {
        if !terms::may_be_undefined(lookup) {
            return self.resolve(node, scope);
        }
        let session = Session::new(&self.shared);
        let found = terms::defined(&session, node, scope);
        finish(
            scope,
            found.map(|found| found.unwrap_or_else(|| Value::list(Vec::new()))),
        )
    }

    /// Runs a lookup, as `with_…` loops do. The terms are resolved before.
    pub fn lookup(
        &self,
        name: &str,
        terms: &[Value],
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, TemplateError> {
        let session = Session::new(&self.shared);
        let found = (|| -> Eval<Vec<Value>> {
            let program = self
                .program("", &Reading::Value)
                .map_err(|problem| Fault::problem(Problem::Syntax(problem)))?;
            let env = Env::new(&session, scope, &program, RenderOptions::default());
            let terms = terms.iter().map(Val::from_data).collect();
            run_lookup(&env, name, terms, Vec::new())?
                .iter()
                .map(|value| session.to_data(value))
                .collect()
        })();
        finish(scope, found)
    }

    /// A value as text, as Python's `str` has it; none where a part of it cannot be known, or it is too long to be read.
    pub fn text(&self, value: &Value) -> Option<String> {
        let session = Session::new(&self.shared);
        let mut text = String::new();
        session
            .write_text(&Val::from_data(value), &mut text)
            .is_ok()
            .then_some(text)
    }

    fn program(&self, text: &str, reading: &Reading) -> Result<Arc<Program>, SyntaxProblem> {
        self.shared
            .programs
            .program(&Arc::from(text), reading, &self.shared.extensions)
    }

    /// The value of an expression; what is undefined or unknown is an error.
    fn evaluate(
        &self,
        session: &Rc<Session>,
        text: &str,
        reading: &Reading,
        scope: &Arc<dyn Scope>,
    ) -> Eval {
        let program = self
            .program(text.trim(), reading)
            .map_err(|problem| Fault::problem(Problem::Syntax(problem)))?;
        let env = Env::new(session, scope, &program, RenderOptions::default());
        let mut sink = Sink::native();
        match env.run(&mut sink) {
            Ok(()) => Ok(sink.finish()),
            Err(fault) => match fault.into_value()? {
                value @ Val::Unknown(_) => Ok(value),
                Val::Undefined(undefined) => Err(Fault::undefined(&undefined)),
                other => Ok(other),
            },
        }
    }

    fn decide(&self, session: &Rc<Session>, node: &Node, scope: &Arc<dyn Scope>) -> Eval {
        let NodeKind::Text(text) = &node.kind else {
            let value = resolve_node(session, node, scope, false)?;
            return Ok(Val::from_data(&value));
        };
        let mut text: Arc<str> = text.text.trim().into();
        let is_whole_template = (text.starts_with("{{") && text.ends_with("}}"))
            || (text.starts_with("{%") && text.ends_with("%}"));
        if is_whole_template {
            // The value may itself be an expression, as in `when: "{{ my_condition }}"`; but only if the user wrote it.
            match self.own_text(&text, scope, MAX_INDIRECTIONS) {
                Some(expression) => text = expression.trim().into(),
                None => {
                    return session
                        .render_value(&text, scope)
                        .or_else(Fault::into_value)
                        .and_then(|value| match value {
                            Val::Undefined(undefined) => Err(Fault::undefined(&undefined)),
                            other => Ok(other),
                        });
                }
            }
        }
        if text.is_empty() {
            return Err(Fault::problem(Problem::Refused(
                "a condition must not be empty".to_owned(),
            )));
        }
        self.evaluate(session, &text, &Reading::Condition, scope)
    }

    /// The text that a template which only names a variable leads to, if the user wrote that text. What hosts, plugins
    /// and lookups gave is never evaluated.
    fn own_text(&self, template: &str, scope: &Arc<dyn Scope>, depth: u32) -> Option<Arc<str>> {
        let program = self.program(template, &Reading::Value).ok()?;
        let [
            Statement {
                kind: StatementKind::Emit(expr),
                ..
            },
        ] = program.body.as_slice()
        else {
            return None;
        };
        let mut path = Vec::new();
        let mut expr = expr;
        let name = loop {
            match &expr.kind {
                ExprKind::Variable(name) => break name,
                ExprKind::Attribute(base, name) => {
                    path.push(Arc::clone(name));
                    expr = base;
                }
                ExprKind::Item(base, index) => match &index.kind {
                    ExprKind::Constant(Value::Text(name)) => {
                        path.push(Arc::clone(name));
                        expr = base;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        };
        let Some(Binding::Written(node)) = scope.get(name) else {
            return None;
        };
        let mut node: &Node = &node;
        for key in path.iter().rev() {
            node = node.get(key)?;
        }
        match &node.kind {
            NodeKind::Text(text) if text.is_template => {
                self.own_text(&text.text, scope, depth.checked_sub(1)?)
            }
            NodeKind::Text(text) => Some(Arc::clone(&text.text)),
            _ => None,
        }
    }
}

/// How many variables a condition may be handed through.
const MAX_INDIRECTIONS: u32 = 20;

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates")
            .field("extensions", &self.shared.extensions)
            .finish_non_exhaustive()
    }
}

fn resolve_node(
    session: &Rc<Session>,
    node: &Node,
    scope: &Arc<dyn Scope>,
    is_top: bool,
) -> Eval<Value> {
    Ok(match &node.kind {
        NodeKind::Text(text) if text.is_template => {
            let value = session
                .render_value(&text.text, scope)
                .or_else(Fault::into_value)?;
            session.to_data(&value)?
        }
        NodeKind::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                match session.deeper(|| resolve_node(session, item, scope, false))? {
                    Value::Omit => {}
                    value => list.push(value),
                }
            }
            Value::list(list)
        }
        NodeKind::Map(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for entry in entries {
                let key = match &entry.key.kind {
                    NodeKind::Text(text) if !is_top || !text.is_template => {
                        Value::Text(Arc::clone(&text.text))
                    }
                    _ => resolve_node(session, &entry.key, scope, false)?,
                };
                if let Value::CannotKnow(reason) = key {
                    return Ok(Value::CannotKnow(reason));
                }
                let key = sasrun_model::Key::from_value(&key).ok_or_else(|| {
                    Fault::operation(format!("{} cannot be a key", key.kind_name()))
                })?;
                match session.deeper(|| resolve_node(session, &entry.value, scope, false))? {
                    Value::Omit => {}
                    value => {
                        map.insert(key, value);
                    }
                }
            }
            Value::map(map)
        }
        _ => node.to_static_value().unwrap_or_default(),
    })
}

fn syntax_error(problem: SyntaxProblem) -> TemplateError {
    TemplateError {
        problem: Problem::Syntax(problem),
        at: None,
        through: Vec::new(),
    }
}

/// Turns the end of an evaluation into what the caller sees, with a near name for what is undefined.
fn finish<T>(scope: &Arc<dyn Scope>, result: Eval<T>) -> Result<T, TemplateError> {
    result.map_err(|fault| {
        fault.into_error(|name| {
            if scope.get(name).is_some() {
                return None;
            }
            let names = scope.names();
            nearest(name, names.iter().map(|name| &**name))
                .map(|near| format!("did you mean '{near}'?"))
        })
    })
}
