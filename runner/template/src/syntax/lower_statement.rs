//! Turns the parser's borrowed tree of statements into the owned program.

use std::sync::Arc;

use minijinja::machinery::ast;

use super::escape::restore_backslashes;
use super::lower::{Lowering, position};
use super::program::{Block, Expr, ForLoop, Macro, Statement, StatementKind};
use crate::error::{SyntaxKind, SyntaxProblem};

type Lowered<T> = Result<T, SyntaxProblem>;

impl Lowering<'_> {
    pub(super) fn template(&mut self, template: &ast::Stmt<'_>) -> Lowered<Vec<Statement>> {
        match template {
            ast::Stmt::Template(template) => self.body(&template.children),
            other => Ok(vec![self.statement(other)?]),
        }
    }

    fn body(&mut self, statements: &[ast::Stmt<'_>]) -> Lowered<Vec<Statement>> {
        statements
            .iter()
            .map(|statement| self.statement(statement))
            .collect()
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>) -> Lowered<Statement> {
        let (span, kind) = match statement {
            ast::Stmt::Template(template) => (
                template.span(),
                StatementKind::Group(self.body(&template.children)?),
            ),
            ast::Stmt::EmitExpr(emit) => {
                self.in_output = true;
                let expr = self.expression(&emit.expr);
                self.in_output = false;
                (emit.span(), StatementKind::Emit(expr?))
            }
            ast::Stmt::EmitRaw(raw) => (raw.span(), StatementKind::Raw(self.raw(raw.raw))),
            ast::Stmt::ForLoop(node) => (node.span(), self.for_loop(node)?),
            ast::Stmt::IfCond(node) => (
                node.span(),
                StatementKind::If {
                    condition: self.expression(&node.expr)?,
                    then: self.body(&node.true_body)?,
                    otherwise: self.body(&node.false_body)?,
                },
            ),
            ast::Stmt::WithBlock(node) => (node.span(), self.with(node)?),
            ast::Stmt::Set(node) => (
                node.span(),
                StatementKind::Set {
                    target: self.expression(&node.target)?,
                    value: self.expression(&node.expr)?,
                },
            ),
            ast::Stmt::SetBlock(node) => (node.span(), self.set_block(node)?),
            ast::Stmt::AutoEscape(node) => {
                (node.span(), StatementKind::Group(self.body(&node.body)?))
            }
            ast::Stmt::FilterBlock(node) => (
                node.span(),
                StatementKind::FilterBlock {
                    filter: self.expression(&node.filter)?,
                    body: self.body(&node.body)?,
                },
            ),
            ast::Stmt::Macro(node) => (
                node.span(),
                StatementKind::Macro(Arc::new(self.macro_declaration(node)?)),
            ),
            ast::Stmt::CallBlock(node) => {
                let call = Expr {
                    position: position(node.call.span()),
                    kind: self.call(&node.call)?,
                };
                let caller = Arc::new(self.macro_declaration(&node.macro_decl)?);
                (node.span(), StatementKind::CallBlock { call, caller })
            }
            ast::Stmt::Continue(node) => (node.span(), StatementKind::Continue),
            ast::Stmt::Break(node) => (node.span(), StatementKind::Break),
            ast::Stmt::Do(node) => {
                let expr = Expr {
                    position: position(node.call.span()),
                    kind: self.call(&node.call)?,
                };
                (node.span(), StatementKind::Do(expr))
            }
            other => return self.composition(other),
        };
        Ok(Statement {
            position: position(span),
            kind,
        })
    }

    /// Statements that put templates together.
    fn composition(&mut self, statement: &ast::Stmt<'_>) -> Lowered<Statement> {
        let (span, kind) = match statement {
            ast::Stmt::Block(node) => (
                node.span(),
                StatementKind::Block(Arc::new(Block {
                    name: node.name.into(),
                    body: self.body(&node.body)?,
                })),
            ),
            ast::Stmt::Import(node) => (
                node.span(),
                StatementKind::Import {
                    source: self.expression(&node.expr)?,
                    target: self.expression(&node.name)?,
                },
            ),
            ast::Stmt::FromImport(node) => {
                let mut names = Vec::with_capacity(node.names.len());
                for (name, alias) in &node.names {
                    let name: Arc<str> = variable_name(name)?.into();
                    let alias = match alias {
                        Some(alias) => variable_name(alias)?.into(),
                        None => Arc::clone(&name),
                    };
                    names.push((name, alias));
                }
                let source = self.expression(&node.expr)?;
                (node.span(), StatementKind::FromImport { source, names })
            }
            ast::Stmt::Extends(node) => (
                node.span(),
                StatementKind::Extends(self.expression(&node.name)?),
            ),
            ast::Stmt::Include(node) => (
                node.span(),
                StatementKind::Include {
                    name: self.expression(&node.name)?,
                    ignore_missing: node.ignore_missing,
                },
            ),
            // Every other statement was handled by the caller.
            _ => {
                return Err(SyntaxProblem {
                    kind: SyntaxKind::Syntax,
                    message: "statement is not known".to_owned(),
                    line: 1,
                    column: 1,
                });
            }
        };
        Ok(Statement {
            position: position(span),
            kind,
        })
    }

    fn raw(&self, raw: &str) -> Arc<str> {
        let text = restore_backslashes(raw);
        if text.contains('\r') || self.newline_sequence != "\n" {
            let plain = text.replace("\r\n", "\n").replace('\r', "\n");
            return plain.replace('\n', &self.newline_sequence).into();
        }
        text.into()
    }

    fn for_loop(&mut self, node: &ast::ForLoop<'_>) -> Lowered<StatementKind> {
        Ok(StatementKind::For(Arc::new(ForLoop {
            target: self.expression(&node.target)?,
            iterable: self.expression(&node.iter)?,
            filter: node
                .filter_expr
                .as_ref()
                .map(|expr| self.expression(expr))
                .transpose()?,
            recursive: node.recursive,
            body: self.body(&node.body)?,
            otherwise: self.body(&node.else_body)?,
        })))
    }

    fn with(&mut self, node: &ast::WithBlock<'_>) -> Lowered<StatementKind> {
        let mut assignments = Vec::with_capacity(node.assignments.len());
        for (target, value) in &node.assignments {
            assignments.push((self.expression(target)?, self.expression(value)?));
        }
        Ok(StatementKind::With {
            assignments,
            body: self.body(&node.body)?,
        })
    }

    fn set_block(&mut self, node: &ast::SetBlock<'_>) -> Lowered<StatementKind> {
        Ok(StatementKind::SetBlock {
            target: self.expression(&node.target)?,
            filter: node
                .filter
                .as_ref()
                .map(|expr| self.expression(expr))
                .transpose()?,
            body: self.body(&node.body)?,
        })
    }

    fn macro_declaration(&mut self, node: &ast::Macro<'_>) -> Lowered<Macro> {
        Ok(Macro {
            name: node.name.into(),
            parameters: node
                .args
                .iter()
                .map(|argument| variable_name(argument).map(Arc::from))
                .collect::<Lowered<_>>()?,
            defaults: self.expressions(&node.defaults)?,
            body: self.body(&node.body)?,
        })
    }
}

fn variable_name<'a>(expr: &ast::Expr<'a>) -> Lowered<&'a str> {
    match expr {
        ast::Expr::Var(var) => Ok(var.id),
        other => Err(SyntaxProblem {
            kind: SyntaxKind::Syntax,
            message: "expected a name".to_owned(),
            line: position(other.span()).line,
            column: position(other.span()).column,
        }),
    }
}
