//! Statements.

use std::sync::Arc;

use super::calls::MacroValue;
use super::expression::NO_ELSE;
use super::{Env, Sink};
use crate::syntax::{Expr, Statement, StatementKind};
use crate::values::{Eval, Function, Val};

/// What comes after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl Env {
    /// Runs statements in order.
    pub(super) fn run_all(&self, statements: &[Statement], sink: &mut Sink) -> Eval<Flow> {
        for statement in statements {
            self.session.step()?;
            let flow = self
                .run_statement(statement, sink)
                .map_err(|fault| fault.at(|| self.place(statement.position)))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs statements and gives their output as text.
    pub(super) fn capture(&self, statements: &[Statement]) -> Eval<String> {
        let mut sink = Sink::text();
        self.run_all(statements, &mut sink)?;
        sink.into_text(&self.session)
    }

    fn run_statement(&self, statement: &Statement, sink: &mut Sink) -> Eval<Flow> {
        match &statement.kind {
            StatementKind::Raw(text) => sink.push(&self.session, Val::Text(Arc::clone(text)))?,
            StatementKind::Emit(expr) => {
                let value = match self.eval(expr)? {
                    // An `if` without `else` that does not hold writes nothing.
                    Val::Undefined(undefined) if undefined.name == NO_ELSE => Val::from(""),
                    value => value,
                };
                sink.push(&self.session, value)?;
            }
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.eval(condition)?;
                let body = if self.session.truth(&condition)? {
                    then
                } else {
                    otherwise
                };
                return self.session.deeper(|| self.run_all(body, sink));
            }
            StatementKind::For(node) => {
                self.session.deeper(|| self.run_loop(node, sink))?;
            }
            StatementKind::Group(body) => return self.run_all(body, sink),
            StatementKind::Set { target, value } => {
                let value = self.eval(value)?;
                self.assign(target, value)?;
            }
            StatementKind::Do(expr) => {
                self.eval(expr)?.known()?;
            }
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
            _ => self
                .session
                .deeper(|| self.run_structure(statement, sink))?,
        }
        Ok(Flow::Next)
    }

    /// Statements that hold others, or bring them from elsewhere.
    fn run_structure(&self, statement: &Statement, sink: &mut Sink) -> Eval<()> {
        match &statement.kind {
            StatementKind::With { assignments, body } => {
                let inner = self.nested();
                for (target, value) in assignments {
                    let value = self.eval(value)?;
                    inner.assign(target, value)?;
                }
                inner.run_all(body, sink)?;
            }
            StatementKind::SetBlock {
                target,
                filter,
                body,
            } => {
                let text = Val::from(self.nested().capture(body)?);
                let value = match filter {
                    Some(filter) => self.filter_block(filter, text)?,
                    None => text,
                };
                self.assign(target, value)?;
            }
            StatementKind::FilterBlock { filter, body } => {
                let text = Val::from(self.nested().capture(body)?);
                let value = self.filter_block(filter, text)?;
                sink.push(&self.session, value)?;
            }
            StatementKind::Macro(declaration) => {
                let value = MacroValue {
                    declaration: Arc::clone(declaration),
                    env: self.clone(),
                    caller: None,
                };
                self.set(
                    &declaration.name,
                    Val::Function(Function::Macro(std::rc::Rc::new(value))),
                );
            }
            StatementKind::CallBlock { call, caller } => {
                let value = self.call_with_caller(call, caller)?;
                sink.push(&self.session, value)?;
            }
            StatementKind::Include {
                name,
                ignore_missing,
            } => self.include(name, *ignore_missing, sink)?,
            StatementKind::Import { source, target } => {
                let module = self.import(source)?;
                self.assign(target, Val::Module(module))?;
            }
            StatementKind::FromImport { source, names } => self.import_names(source, names)?,
            StatementKind::Block(block) => self.run_block(block, sink)?,
            // `extends` is handled where a whole program is run.
            _ => {}
        }
        Ok(())
    }

    fn filter_block(&self, filter: &Expr, text: Val) -> Eval {
        let before = self.family.block_subject.replace(Some(text));
        let result = self.eval(filter);
        *self.family.block_subject.borrow_mut() = before;
        result
    }
}
