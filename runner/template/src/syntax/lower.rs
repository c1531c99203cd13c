//! Turns the parser's borrowed tree of an expression into the owned program.

use std::sync::Arc;

use minijinja::machinery::Span;
use minijinja::machinery::ast;
use minijinja::value::ValueKind;
use sasrun_model::Value;

use super::Reading;
use super::escape::{keep_backslashes, restore_backslashes, unescape_python};
use super::lookup_terms::is_lookup;
use super::program::{
    Argument, BinaryOperator, CallNode, CompareOperator, Expr, ExprKind, FilterCallee, Position,
    TestCallee, UnknownName,
};
use crate::error::{SyntaxKind, SyntaxProblem};
use crate::extensions::Extensions;
use crate::{filters, predicates};

type Lowered<T> = Result<T, SyntaxProblem>;

/// The state of turning one tree.
pub(super) struct Lowering<'x> {
    extensions: &'x Extensions,
    /// Strings inside `{{ }}` keep their backslashes.
    pub(super) raw_strings_in_output: bool,
    /// Texts that look like templates are templates.
    texts_are_templates: bool,
    pub(super) in_output: bool,
    pub(super) newline_sequence: String,
    pub(super) unknown: Vec<UnknownName>,
}

pub(super) fn position(span: Span) -> Position {
    Position {
        line: u32::from(span.start_line),
        column: u32::from(span.start_col) + 1,
    }
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

impl<'x> Lowering<'x> {
    pub(super) fn new(extensions: &'x Extensions, reading: &Reading) -> Self {
        Self {
            extensions,
            raw_strings_in_output: *reading == Reading::Value,
            texts_are_templates: *reading == Reading::Condition,
            in_output: false,
            newline_sequence: match reading {
                Reading::File(options) => options.newline_sequence.clone(),
                _ => "\n".to_owned(),
            },
            unknown: Vec::new(),
        }
    }

    pub(super) fn expression(&mut self, expr: &ast::Expr<'_>) -> Lowered<Expr> {
        let position = position(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => ExprKind::Variable(var.id.into()),
            ast::Expr::Const(constant) => match self.constant(&constant.value, position)? {
                Value::Text(text) if self.texts_are_templates && text.contains("{{") => {
                    ExprKind::Template(text)
                }
                value => ExprKind::Constant(value),
            },
            ast::Expr::Slice(slice) => ExprKind::Slice(
                boxed(self.expression(&slice.expr)?),
                [
                    self.optional(slice.start.as_ref())?,
                    self.optional(slice.stop.as_ref())?,
                    self.optional(slice.step.as_ref())?,
                ],
            ),
            ast::Expr::UnaryOp(unary) => {
                let operand = boxed(self.expression(&unary.expr)?);
                match unary.op {
                    ast::UnaryOpKind::Not => ExprKind::Not(operand),
                    ast::UnaryOpKind::Neg => ExprKind::Negate(operand),
                }
            }
            ast::Expr::BinOp(binary) => self.binary(binary)?,
            ast::Expr::Compare(compare) => {
                let mut operands = Vec::with_capacity(compare.ops.len());
                for op in &compare.ops {
                    operands.push((compare_operator(op.op), self.expression(&op.expr)?));
                }
                ExprKind::Compare(boxed(self.expression(&compare.expr)?), operands)
            }
            ast::Expr::IfExpr(choice) => ExprKind::If {
                condition: boxed(self.expression(&choice.test_expr)?),
                then: boxed(self.expression(&choice.true_expr)?),
                otherwise: self.optional(choice.false_expr.as_ref())?,
            },
            ast::Expr::Filter(filter) => ExprKind::Filter {
                callee: self.filter_callee(filter.name, position),
                subject: self.optional(filter.expr.as_ref())?,
                arguments: self.arguments(&filter.args)?,
            },
            ast::Expr::Test(test) => ExprKind::Test {
                callee: self.test_callee(test.name, position),
                subject: boxed(self.expression(&test.expr)?),
                arguments: self.arguments(&test.args)?,
            },
            ast::Expr::GetAttr(attribute) => ExprKind::Attribute(
                boxed(self.expression(&attribute.expr)?),
                attribute.name.into(),
            ),
            ast::Expr::GetItem(item) => ExprKind::Item(
                boxed(self.expression(&item.expr)?),
                boxed(self.expression(&item.subscript_expr)?),
            ),
            ast::Expr::Call(call) => self.call(call)?,
            ast::Expr::List(list) => ExprKind::List(self.expressions(&list.items)?),
            ast::Expr::Tuple(tuple) => ExprKind::Tuple(self.expressions(&tuple.items)?),
            ast::Expr::Map(map) => {
                let mut entries = Vec::with_capacity(map.keys.len());
                for (key, value) in map.keys.iter().zip(&map.values) {
                    entries.push((self.expression(key)?, self.expression(value)?));
                }
                ExprKind::Map(entries)
            }
        };
        Ok(Expr { position, kind })
    }

    pub(super) fn call(&mut self, call: &ast::Call<'_>) -> Lowered<ExprKind> {
        let callee = self.expression(&call.expr)?;
        let arguments = if is_lookup(&callee) {
            self.lookup_arguments(&call.args)?
        } else {
            self.arguments(&call.args)?
        };
        Ok(ExprKind::Call(Box::new(CallNode { callee, arguments })))
    }

    pub(super) fn expressions(&mut self, exprs: &[ast::Expr<'_>]) -> Lowered<Vec<Expr>> {
        exprs.iter().map(|expr| self.expression(expr)).collect()
    }

    fn optional(&mut self, expr: Option<&ast::Expr<'_>>) -> Lowered<Option<Box<Expr>>> {
        expr.map(|expr| self.expression(expr).map(boxed))
            .transpose()
    }

    fn binary(&mut self, binary: &ast::BinOp<'_>) -> Lowered<ExprKind> {
        let left = boxed(self.expression(&binary.left)?);
        let right = self.expression(&binary.right)?;
        let operator = match binary.op {
            ast::BinOpKind::ScAnd => return Ok(ExprKind::And(left, boxed(right))),
            ast::BinOpKind::ScOr => return Ok(ExprKind::Or(left, boxed(right))),
            ast::BinOpKind::Add => BinaryOperator::Add,
            ast::BinOpKind::Sub => BinaryOperator::Subtract,
            ast::BinOpKind::Mul => BinaryOperator::Multiply,
            ast::BinOpKind::Div => BinaryOperator::Divide,
            ast::BinOpKind::FloorDiv => BinaryOperator::FloorDivide,
            ast::BinOpKind::Rem => BinaryOperator::Remainder,
            ast::BinOpKind::Pow => BinaryOperator::Power,
            ast::BinOpKind::Concat => BinaryOperator::Concatenate,
            ast::BinOpKind::Eq => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::Equal, right)],
                ));
            }
            ast::BinOpKind::Ne => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::NotEqual, right)],
                ));
            }
            ast::BinOpKind::Lt => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::Less, right)],
                ));
            }
            ast::BinOpKind::Lte => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::LessOrEqual, right)],
                ));
            }
            ast::BinOpKind::Gt => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::Greater, right)],
                ));
            }
            ast::BinOpKind::Gte => {
                return Ok(ExprKind::Compare(
                    left,
                    vec![(CompareOperator::GreaterOrEqual, right)],
                ));
            }
            ast::BinOpKind::In => {
                return Ok(ExprKind::Compare(left, vec![(CompareOperator::In, right)]));
            }
        };
        Ok(ExprKind::Binary(operator, left, boxed(right)))
    }

    fn constant(&self, value: &minijinja::Value, position: Position) -> Lowered<Value> {
        Ok(match value.kind() {
            ValueKind::None | ValueKind::Undefined => Value::Null,
            ValueKind::Bool => Value::Bool(value.is_true()),
            ValueKind::Number => {
                if let Ok(number) = i64::try_from(value.clone())
                    && value.is_integer()
                {
                    return Ok(Value::Int(number));
                }
                let number = f64::try_from(value.clone()).map_err(|_| SyntaxProblem {
                    kind: SyntaxKind::Syntax,
                    message: format!("number {value} is too large"),
                    line: position.line,
                    column: position.column,
                })?;
                Value::Float(number)
            }
            _ => {
                let text = value.as_str().unwrap_or_default();
                Value::Text(if self.in_output && self.raw_strings_in_output {
                    keep_backslashes(text).into()
                } else {
                    unescape_python(&restore_backslashes(text)).into()
                })
            }
        })
    }

    fn filter_callee(&mut self, name: &str, position: Position) -> FilterCallee {
        let plain: String = name.split_whitespace().collect();
        if let Some(filter) = filters::find(&plain) {
            return FilterCallee::BuiltIn(filter);
        }
        let name: Arc<str> = plain.into();
        if !self.extensions.filters.contains_key(&name) {
            self.unknown.push(UnknownName {
                kind: SyntaxKind::UnknownFilter,
                name: Arc::clone(&name),
                position,
            });
        }
        FilterCallee::Named(name)
    }

    fn test_callee(&mut self, name: &str, position: Position) -> TestCallee {
        let plain: String = name.split_whitespace().collect();
        if let Some(predicate) = predicates::find(&plain) {
            return TestCallee::BuiltIn(predicate);
        }
        let name: Arc<str> = plain.into();
        if !self.extensions.tests.contains_key(&name) {
            self.unknown.push(UnknownName {
                kind: SyntaxKind::UnknownTest,
                name: Arc::clone(&name),
                position,
            });
        }
        TestCallee::Named(name)
    }

    pub(super) fn arguments(&mut self, arguments: &[ast::CallArg<'_>]) -> Lowered<Vec<Argument>> {
        arguments
            .iter()
            .map(|argument| {
                Ok(match argument {
                    ast::CallArg::Pos(expr) => Argument::Positional(self.expression(expr)?),
                    ast::CallArg::Kwarg(name, expr) => {
                        Argument::Named((*name).into(), self.expression(expr)?)
                    }
                    ast::CallArg::PosSplat(expr) => Argument::Spread(self.expression(expr)?),
                    ast::CallArg::KwargSplat(expr) => Argument::SpreadNamed(self.expression(expr)?),
                })
            })
            .collect()
    }
}

fn compare_operator(op: ast::CompareOpKind) -> CompareOperator {
    match op {
        ast::CompareOpKind::Eq => CompareOperator::Equal,
        ast::CompareOpKind::Ne => CompareOperator::NotEqual,
        ast::CompareOpKind::Lt => CompareOperator::Less,
        ast::CompareOpKind::Lte => CompareOperator::LessOrEqual,
        ast::CompareOpKind::Gt => CompareOperator::Greater,
        ast::CompareOpKind::Gte => CompareOperator::GreaterOrEqual,
        ast::CompareOpKind::In => CompareOperator::In,
        ast::CompareOpKind::NotIn => CompareOperator::NotIn,
    }
}
