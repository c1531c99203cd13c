//! The task that holds a role's arguments against its argument specs, before its own tasks.

use std::sync::Arc;

use sasrun_model::{Action, Entry, Node, NodeKind, Role, Span, Step};

use super::task::blank;
use super::{Around, Reader};

/// What carries the check out.
const MODULE: &str = "ansible.builtin.validate_argument_spec";

impl Reader<'_, '_> {
    /// The task, where the role describes the arguments of this entry point. It runs whatever tags
    /// are asked for.
    pub(super) fn argument_check(
        &self,
        role: &Arc<Role>,
        entry_point: &str,
        span: Span,
        around: &Around,
    ) -> Option<Step> {
        let spec = role.context.argument_specs.as_ref()?;
        let module = self.session.loader.catalogue.find(MODULE)?;
        if matches!(spec.kind, NodeKind::Null) {
            return None;
        }
        let text = |text: &str| Node::text(span, text);
        let mut name = format!("Validating arguments against arg spec '{entry_point}'");
        if let Some(about) = spec.get("short_description").and_then(Node::as_str) {
            name = format!("{name} - {about}");
        }
        let path = std::path::absolute(&role.path).unwrap_or_else(|_| role.path.clone());
        let context = [
            ("type", text("role")),
            // The collection of the role is not part of its name here.
            (
                "name",
                text(role.name.rsplit('.').next().unwrap_or(&role.name)),
            ),
            ("argument_spec_name", text(entry_point)),
            ("path", text(&path.display().to_string())),
        ];
        let options = spec.get("options").cloned();
        let arguments = [
            (
                "argument_spec",
                options.unwrap_or_else(|| mapping([], span)),
            ),
            ("validate_args_context", mapping(context, span)),
        ];
        let at = around.inside("argument_spec");
        let mut task = blank(&mapping([], span), &at);
        task.name = Some(text(&name));
        task.action = Action::Module(module.name);
        task.arguments = mapping(arguments, span);
        task.tags = vec![text("always")];
        Some(Step::Task(Arc::new(task)))
    }
}

fn mapping<const N: usize>(entries: [(&str, Node); N], span: Span) -> Node {
    let entry = |(key, value): (&str, Node)| Entry {
        key: Node::text(span, key),
        value,
    };
    Node {
        span,
        kind: NodeKind::Map(entries.into_iter().map(entry).collect()),
    }
}
