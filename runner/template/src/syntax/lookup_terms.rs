//! Terms of lookups. A text that stands there as written may be a template itself, as Ansible still
//! allows: `lookup('file', '{{ name }}.txt')`. A text that comes from elsewhere is never one.

use minijinja::machinery::ast;
use sasrun_model::Value;

use super::SyntaxProblem;
use super::lower::Lowering;
use super::program::{Argument, Expr, ExprKind};

/// Whether a call is one of a lookup.
pub(super) fn is_lookup(callee: &Expr) -> bool {
    matches!(&callee.kind, ExprKind::Variable(name) if matches!(&**name, "lookup" | "query" | "q"))
}

impl Lowering<'_> {
    /// Makes templates of the texts among the terms; the name of the lookup and its options are none.
    pub(super) fn lookup_arguments(
        &mut self,
        arguments: &[ast::CallArg<'_>],
    ) -> Result<Vec<Argument>, SyntaxProblem> {
        let mut lowered = self.arguments(arguments)?;
        let mut positional = lowered.iter_mut().filter_map(|argument| match argument {
            Argument::Positional(expr) => Some(expr),
            _ => None,
        });
        let _name = positional.next();
        positional.for_each(make_template);
        Ok(lowered)
    }
}

fn make_template(term: &mut Expr) {
    match &mut term.kind {
        ExprKind::Constant(Value::Text(text)) if text.contains("{{") || text.contains("{%") => {
            term.kind = ExprKind::Template(text.clone());
        }
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter_mut().for_each(make_template),
        ExprKind::Map(entries) => {
            let values = entries.iter_mut().map(|(_, value)| value);
            values.for_each(make_template);
        }
        _ => {}
    }
}
