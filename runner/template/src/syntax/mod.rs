//! From the text of a template to a program that can be kept and run many times.

mod escape;
mod lookup_terms;
mod lower;
mod lower_statement;
mod plus;
mod program;

use std::sync::Arc;

use minijinja::machinery;
use minijinja::syntax::SyntaxConfig;

pub(crate) use program::{
    Argument, BinaryOperator, Block, CallNode, CompareOperator, Expr, ExprKind, FilterCallee,
    ForLoop, Macro, Position, Program, Statement, StatementKind, TestCallee,
};

use crate::error::{SyntaxKind, SyntaxProblem};
use crate::extensions::Extensions;
use crate::options::RenderOptions;

/// How a text is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Reading {
    /// A value of a YAML file: backslashes of strings inside `{{ }}` are kept.
    Value,
    /// A bare expression of a YAML file, such as a condition.
    Expression,
    /// A condition: an expression whose texts may be templates themselves, as Ansible still allows.
    Condition,
    /// A template file.
    File(Box<RenderOptions>),
}

/// Reads a text.
pub(crate) fn compile(
    text: &Arc<str>,
    reading: &Reading,
    extensions: &Extensions,
) -> Result<Program, SyntaxProblem> {
    let guarded = escape::guard_backslashes(text);
    let source: &str = guarded.as_deref().unwrap_or(text);
    let mut lowering = lower::Lowering::new(extensions, reading);
    let body = if matches!(reading, Reading::Expression | Reading::Condition) {
        let mut plain = None;
        let expr = match machinery::parse_expr(source) {
            Ok(expr) => expr,
            Err(err) => {
                plain = plus::without_signs(source, true);
                let again = plain.as_deref().map(machinery::parse_expr);
                again.and_then(Result::ok).ok_or_else(|| problem_of(&err))?
            }
        };
        let expr = lowering.expression(&expr)?;
        drop(plain);
        vec![Statement {
            position: expr.position,
            kind: StatementKind::Emit(expr),
        }]
    } else {
        let config = syntax_config(reading)?;
        let plain;
        let template = match machinery::parse(source, "template", config.clone()) {
            Ok(template) => template,
            Err(err) => {
                plain = plus::without_signs(source, false);
                let again = plain
                    .as_deref()
                    .and_then(|plain| machinery::parse(plain, "template", config).ok());
                again.ok_or_else(|| problem_of(&err))?
            }
        };
        lowering.template(&template)?
    };
    Ok(Program {
        source: Arc::clone(text),
        name: match reading {
            Reading::File(options) => options.name.clone(),
            _ => None,
        },
        body,
        unknown: lowering.unknown,
        trailing_newlines: text.len() - text.trim_end_matches('\n').len(),
    })
}

fn syntax_config(reading: &Reading) -> Result<SyntaxConfig, SyntaxProblem> {
    let mut builder = SyntaxConfig::builder();
    match reading {
        Reading::File(options) => {
            builder
                .block_delimiters(options.block_start.clone(), options.block_end.clone())
                .variable_delimiters(options.variable_start.clone(), options.variable_end.clone())
                .comment_delimiters(options.comment_start.clone(), options.comment_end.clone())
                .trim_blocks(options.trim_blocks)
                .lstrip_blocks(options.lstrip_blocks);
        }
        Reading::Value | Reading::Expression | Reading::Condition => {
            builder.trim_blocks(true);
        }
    }
    builder.keep_trailing_newline(false);
    builder.build().map_err(|err| problem_of(&err))
}

fn problem_of(err: &minijinja::Error) -> SyntaxProblem {
    SyntaxProblem {
        kind: SyntaxKind::Syntax,
        message: err.detail().map_or_else(|| err.to_string(), str::to_owned),
        line: err
            .line()
            .and_then(|line| u32::try_from(line).ok())
            .unwrap_or(1),
        column: 1,
    }
}
