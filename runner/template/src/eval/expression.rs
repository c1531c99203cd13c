//! Expressions.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Env, globals};
use crate::syntax::{CompareOperator, Expr, ExprKind};
use crate::values::{Eval, Fault, Function, KeyedSource, Val};

/// Name of what an `if` without `else` gives when it does not hold.
pub(super) const NO_ELSE: &str = "(no else)";

impl Env {
    /// Evaluates an expression.
    pub(crate) fn eval(&self, expr: &Expr) -> Eval {
        self.session.step()?;
        let result = match &expr.kind {
            ExprKind::Constant(value) => return Ok(Val::from_data(value)),
            ExprKind::Variable(name) => self.variable(name),
            _ => self.session.deeper(|| self.eval_compound(expr)),
        };
        result.map_err(|fault| fault.at(|| self.place(expr.position)))
    }

    fn eval_compound(&self, expr: &Expr) -> Eval {
        match &expr.kind {
            ExprKind::Attribute(base, name) => {
                let base = self.eval(base)?;
                self.session.attribute(&base, name)
            }
            ExprKind::Item(base, index) => {
                let base = self.eval(base)?;
                let index = self.eval(index)?;
                self.session.item(&base, &index)
            }
            ExprKind::Slice(base, bounds) => {
                let base = self.eval(base)?;
                let mut numbers = [None; 3];
                for (number, bound) in numbers.iter_mut().zip(bounds) {
                    *number = self.slice_bound(bound.as_deref())?;
                }
                self.session.slice(&base, numbers)
            }
            ExprKind::Not(operand) => {
                let operand = self.eval(operand)?;
                Ok(Val::Bool(!self.session.truth(&operand)?))
            }
            ExprKind::Negate(operand) => {
                let operand = self.eval(operand)?;
                self.session.negate(&operand)
            }
            ExprKind::And(left, right) => {
                let left = self.eval(left)?;
                if self.session.truth(&left)? {
                    self.eval(right)
                } else {
                    Ok(left)
                }
            }
            ExprKind::Or(left, right) => {
                let left = self.eval(left)?;
                if self.session.truth(&left)? {
                    Ok(left)
                } else {
                    self.eval(right)
                }
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                self.session.binary(*operator, &left, &right)
            }
            ExprKind::Compare(first, rest) => self.compare_chain(first, rest),
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.eval(condition)?;
                if self.session.truth(&condition)? {
                    return self.eval(then);
                }
                match otherwise {
                    Some(otherwise) => self.eval(otherwise),
                    None => Ok(Val::undefined(
                        NO_ELSE,
                        "the inline if-expression was false and has no else",
                    )),
                }
            }
            ExprKind::Filter {
                callee,
                subject,
                arguments,
            } => self.eval_filter(callee, subject.as_deref(), arguments),
            ExprKind::Test {
                callee,
                subject,
                arguments,
            } => self.eval_test(callee, subject, arguments),
            ExprKind::Call(call) => self.eval_call(call),
            ExprKind::List(items) => Ok(Val::list(self.eval_all(items)?)),
            ExprKind::Tuple(items) => Ok(Val::tuple(self.eval_all(items)?)),
            ExprKind::Map(entries) => {
                let mut dict = IndexMap::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = self.eval(key)?;
                    key.known()?;
                    let key = self.session.key_of(&key).ok_or_else(|| {
                        Fault::operation(format!("unhashable type: '{}'", key.type_name()))
                    })?;
                    dict.insert(key, self.eval(value)?);
                }
                Ok(Val::dict(dict))
            }
            ExprKind::Template(text) => self.session.render_value(text, &self.scope),
            ExprKind::Constant(value) => Ok(Val::from_data(value)),
            ExprKind::Variable(name) => self.variable(name),
        }
    }

    fn eval_all(&self, exprs: &[Expr]) -> Eval<Vec<Val>> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn slice_bound(&self, bound: Option<&Expr>) -> Eval<Option<i64>> {
        let Some(bound) = bound else {
            return Ok(None);
        };
        let value = self.eval(bound)?;
        value.known()?;
        match value {
            Val::Null => Ok(None),
            value => value
                .as_int()
                .map(Some)
                .ok_or_else(|| Fault::operation("slice indices must be whole numbers")),
        }
    }

    /// A local variable, a variable of the scope, or something built in.
    pub(crate) fn variable(&self, name: &Arc<str>) -> Eval {
        if let Some(value) = self.frame.find(name) {
            return Ok(value);
        }
        if let Some(value) = self.session.variable(&self.scope, name)? {
            return Ok(value);
        }
        if let Some(function) = globals::find(name) {
            return Ok(Val::Function(Function::Global(function)));
        }
        Ok(match &**name {
            "omit" => Val::Omit,
            "vars" => Val::keyed(KeyedSource::Scope(Arc::clone(&self.scope))),
            _ => Val::undefined(&**name, format!("'{name}' is undefined")),
        })
    }

    fn compare_chain(&self, first: &Expr, rest: &[(CompareOperator, Expr)]) -> Eval {
        let mut left = self.eval(first)?;
        for (operator, right) in rest {
            let right = self.eval(right)?;
            if !self.compare(*operator, &left, &right)? {
                return Ok(Val::Bool(false));
            }
            left = right;
        }
        Ok(Val::Bool(true))
    }

    fn compare(&self, operator: CompareOperator, left: &Val, right: &Val) -> Eval<bool> {
        let session = &self.session;
        Ok(match operator {
            CompareOperator::Equal => session.equal(left, right)?,
            CompareOperator::NotEqual => !session.equal(left, right)?,
            CompareOperator::Less => session.order(left, right)?.is_lt(),
            CompareOperator::LessOrEqual => session.order(left, right)?.is_le(),
            CompareOperator::Greater => session.order(left, right)?.is_gt(),
            CompareOperator::GreaterOrEqual => session.order(left, right)?.is_ge(),
            CompareOperator::In => session.contains(right, left)?,
            CompareOperator::NotIn => !session.contains(right, left)?,
        })
    }

    /// Evaluates an expression whose value is about to be changed in place: data of the model is replaced by a copy
    /// that can be changed, where it stands.
    pub(super) fn eval_place(&self, expr: &Expr) -> Eval {
        let session = &self.session;
        let value = match &expr.kind {
            ExprKind::Variable(name) => {
                let value = self.variable(name)?;
                if !is_shared(&value) {
                    return Ok(value);
                }
                let own = session.thawed(&value)?;
                if !self.frame.replace(name, &own) {
                    session.remember(&self.scope, name, Some(own.clone()));
                }
                return Ok(own);
            }
            ExprKind::Attribute(base, name) => {
                let index = Val::Text(Arc::clone(name));
                return self.eval_member_place(expr, base, &index);
            }
            ExprKind::Item(base, index) => {
                let index = self.eval(index)?;
                return self.eval_member_place(expr, base, &index);
            }
            _ => self.eval(expr)?,
        };
        session.thawed(&value)
    }

    fn eval_member_place(&self, whole: &Expr, base: &Expr, index: &Val) -> Eval {
        let session = &self.session;
        let base = self.eval_place(base)?;
        let value = match &whole.kind {
            ExprKind::Attribute(_, name) => session.attribute(&base, name)?,
            _ => session.item(&base, index)?,
        };
        if !is_shared(&value) {
            return Ok(value);
        }
        let own = session.thawed(&value)?;
        match &base {
            Val::Dict(dict) | Val::Namespace(dict) => {
                if let Some(key) = session.key_of(index) {
                    dict.entries.borrow_mut().insert(key, own.clone());
                }
            }
            Val::Seq(seq) => {
                if let Some(position) = index.as_int() {
                    let mut items = seq.items.borrow_mut();
                    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                    let position = if position < 0 {
                        position + length
                    } else {
                        position
                    };
                    if let Some(slot) = usize::try_from(position)
                        .ok()
                        .and_then(|position| items.get_mut(position))
                    {
                        *slot = own.clone();
                    }
                }
            }
            _ => {}
        }
        Ok(own)
    }

    /// Puts a value into the target of a `set`, `for` or `with`.
    pub(super) fn assign(&self, target: &Expr, value: Val) -> Eval<()> {
        match &target.kind {
            ExprKind::Variable(name) => {
                self.set(name, value);
                Ok(())
            }
            ExprKind::Attribute(base, name) => match self.eval(base)? {
                Val::Namespace(dict) => {
                    dict.entries
                        .borrow_mut()
                        .insert(sasrun_model::Key::Text(Arc::clone(name)), value);
                    Ok(())
                }
                other => Err(Fault::operation(format!(
                    "cannot assign attribute on non-namespace object ({})",
                    other.type_name()
                ))),
            },
            ExprKind::List(targets) | ExprKind::Tuple(targets) => {
                let items = self.session.iterate(&value)?;
                if items.len() != targets.len() {
                    return Err(Fault::operation(format!(
                        "cannot unpack {} values into {} names",
                        items.len(),
                        targets.len()
                    )));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item)?;
                }
                Ok(())
            }
            _ => Err(Fault::operation("cannot assign to this")),
        }
    }

    pub(crate) fn session(&self) -> &Rc<super::Session> {
        &self.session
    }
}

/// Whether a change in place would have to change data of the model.
fn is_shared(value: &Val) -> bool {
    matches!(value, Val::List(_) | Val::Map(_) | Val::Keyed(_))
}
