//! Arithmetic and joining, as Python has them.

use super::Session;
use crate::error::Problem;
use crate::python::percent;
use crate::syntax::BinaryOperator;
use crate::values::{Eval, Fault, SeqKind, Val};

/// Repetition may not make more items or bytes than this.
const MAX_REPEATED: usize = 64 << 20;

impl Session {
    pub(crate) fn negate(&self, value: &Val) -> Eval {
        value.known()?;
        match value {
            Val::Float(number) => Ok(Val::Float(-number)),
            Val::Interval(micros) => Ok(Val::Interval(-micros)),
            other => match other.as_int() {
                Some(number) => Ok(Val::Int(number.wrapping_neg())),
                None => Err(Fault::operation(format!(
                    "bad operand type for unary -: '{}'",
                    other.type_name()
                ))),
            },
        }
    }

    pub(crate) fn binary(&self, operator: BinaryOperator, left: &Val, right: &Val) -> Eval {
        if let Val::Pending(_) = left {
            return self.binary(operator, &self.force(left)?, right);
        }
        if let Val::Pending(_) = right {
            return self.binary(operator, left, &self.force(right)?);
        }
        left.known()?;
        right.known()?;
        match operator {
            BinaryOperator::Concatenate => {
                let mut text = self.text_of(left)?;
                self.write_text(right, &mut text)?;
                Ok(Val::from(text))
            }
            BinaryOperator::Add => self.add(left, right),
            BinaryOperator::Remainder if matches!(left, Val::Text(_)) => {
                let format = left.as_str().unwrap_or_default();
                Ok(Val::from(percent::format(self, format, right)?))
            }
            BinaryOperator::Multiply => self.multiply(left, right),
            BinaryOperator::Subtract => match (left, right) {
                (Val::Moment(a), Val::Moment(b)) => Ok(Val::Interval(a.since(b))),
                (Val::Moment(a), Val::Interval(micros)) => a.later(-micros).map(Val::Moment),
                (Val::Interval(a), Val::Interval(b)) => Ok(Val::Interval(a - b)),
                _ => arithmetic(operator, left, right),
            },
            _ => arithmetic(operator, left, right),
        }
    }

    fn add(&self, left: &Val, right: &Val) -> Eval {
        match (left, right) {
            (Val::Text(a), Val::Text(b)) => Ok(Val::from([&**a, &**b].concat())),
            (Val::Moment(a), Val::Interval(micros)) | (Val::Interval(micros), Val::Moment(a)) => {
                a.later(*micros).map(Val::Moment)
            }
            (Val::Interval(a), Val::Interval(b)) => Ok(Val::Interval(a + b)),
            _ if left.is_sequence() && right.is_sequence() => {
                if left.type_name() != right.type_name() {
                    return Err(refuse(BinaryOperator::Add, left, right));
                }
                let mut items = self.iterate(left)?;
                items.extend(self.iterate(right)?);
                Ok(Val::seq(items, kind_of(left)))
            }
            _ => arithmetic(BinaryOperator::Add, left, right),
        }
    }

    fn multiply(&self, left: &Val, right: &Val) -> Eval {
        let (container, count) = match (left, right) {
            (Val::Text(_) | Val::List(_) | Val::Seq(_), _) => (left, right),
            (_, Val::Text(_) | Val::List(_) | Val::Seq(_)) => (right, left),
            _ => return arithmetic(BinaryOperator::Multiply, left, right),
        };
        let Some(count) = count.as_int() else {
            return Err(refuse(BinaryOperator::Multiply, left, right));
        };
        let count = usize::try_from(count).unwrap_or(0);
        let length = self.length(container)?.unwrap_or(0);
        if length.saturating_mul(count) > MAX_REPEATED {
            return Err(Fault::problem(Problem::TooMuch));
        }
        if let Val::Text(text) = container {
            return Ok(Val::from(text.repeat(count)));
        }
        let items = self.iterate(container)?;
        let mut repeated = Vec::with_capacity(items.len() * count);
        for _ in 0..count {
            repeated.extend(items.iter().cloned());
        }
        Ok(Val::seq(repeated, kind_of(container)))
    }
}

fn kind_of(value: &Val) -> SeqKind {
    match value {
        Val::Seq(seq) if seq.kind != SeqKind::List => SeqKind::Tuple,
        _ => SeqKind::List,
    }
}

fn symbol(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::FloorDivide => "//",
        BinaryOperator::Remainder => "%",
        BinaryOperator::Power => "**",
        BinaryOperator::Concatenate => "~",
    }
}

fn refuse(operator: BinaryOperator, left: &Val, right: &Val) -> Fault {
    Fault::operation(format!(
        "unsupported operand types for {}: '{}' and '{}'",
        symbol(operator),
        left.type_name(),
        right.type_name()
    ))
}

fn arithmetic(operator: BinaryOperator, left: &Val, right: &Val) -> Eval {
    if operator != BinaryOperator::Divide
        && let (Some(a), Some(b)) = (left.as_int(), right.as_int())
        && let Some(done) = whole(operator, a, b)?
    {
        return Ok(Val::Int(done));
    }
    let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
        return Err(refuse(operator, left, right));
    };
    let divides = matches!(
        operator,
        BinaryOperator::Divide | BinaryOperator::FloorDivide | BinaryOperator::Remainder
    );
    if divides && b == 0.0 {
        return Err(Fault::operation("division by zero"));
    }
    Ok(Val::Float(match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        BinaryOperator::Divide => a / b,
        BinaryOperator::FloorDivide => (a / b).floor(),
        BinaryOperator::Remainder => a - b * (a / b).floor(),
        BinaryOperator::Power => a.powf(b),
        BinaryOperator::Concatenate => return Err(refuse(operator, left, right)),
    }))
}

/// Whole numbers; None where the result is no whole number that fits.
fn whole(operator: BinaryOperator, a: i64, b: i64) -> Eval<Option<i64>> {
    Ok(match operator {
        BinaryOperator::Add => a.checked_add(b),
        BinaryOperator::Subtract => a.checked_sub(b),
        BinaryOperator::Multiply => a.checked_mul(b),
        BinaryOperator::FloorDivide | BinaryOperator::Remainder => {
            if b == 0 {
                return Err(Fault::operation("division by zero"));
            }
            let (Some(quotient), Some(remainder)) = (a.checked_div(b), a.checked_rem(b)) else {
                return Ok(None);
            };
            // Python rounds towards minus infinity.
            let off = remainder != 0 && (remainder < 0) != (b < 0);
            Some(match (operator, off) {
                (BinaryOperator::FloorDivide, true) => quotient - 1,
                (BinaryOperator::FloorDivide, false) => quotient,
                (_, true) => remainder + b,
                (_, false) => remainder,
            })
        }
        BinaryOperator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        BinaryOperator::Divide | BinaryOperator::Concatenate => None,
    })
}
