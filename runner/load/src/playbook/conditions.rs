//! Conditions: `when`, `until`, `changed_when`, `failed_when`, and arguments that are expressions.

use sasrun_model::{Node, NodeKind};

use super::Reader;
use super::keywords::one_or_many;
use crate::problem::Problem;
use crate::{codes, templates};

impl Reader<'_, '_> {
    /// The conditions of a keyword, all of which must hold.
    pub(super) fn conditions(&mut self, name: &str, node: &Node) -> Vec<Node> {
        let conditions = one_or_many(node);
        for condition in &conditions {
            match &condition.kind {
                NodeKind::Bool(_) | NodeKind::Null | NodeKind::Int(_) => {}
                NodeKind::Text(_) => {
                    self.check_expression(condition);
                    self.braces(name, condition);
                }
                NodeKind::Data(_) => {}
                _ => {
                    let message = format!("`{name}` takes expressions");
                    let kind = condition.kind_name();
                    self.session.add(
                        Problem::error(
                            codes::KEYWORD_VALUE,
                            condition.span,
                            format!("{message}, not {kind}"),
                        )
                        .hint("write a condition with `: ` in it in quotes"),
                    );
                }
            }
        }
        conditions
    }

    /// Checks the syntax of a bare expression.
    pub(super) fn check_expression(&mut self, node: &Node) {
        let NodeKind::Text(text) = &node.kind else {
            return;
        };
        if text.is_template || text.text.trim().is_empty() {
            return;
        }
        let Some(syntax) = self.session.loader.syntax.clone() else {
            return;
        };
        if let Err(found) = syntax.check_expression(&text.text) {
            let source = self.session.source_of(node.span);
            let problem = templates::problem("expression", node.span, &text.text, &source, found);
            self.session.add(problem);
        }
    }

    /// Warns of a condition that is a template as a whole.
    fn braces(&mut self, name: &str, node: &Node) {
        let text = node.as_str().unwrap_or_default().trim();
        if text.starts_with("{{") && text.ends_with("}}") {
            let message = format!("`{name}` is an expression already and needs no `{{{{ }}}}`");
            self.session.add(Problem::warning(
                codes::CONDITION_BRACES,
                node.span,
                message,
            ));
        }
    }
}
