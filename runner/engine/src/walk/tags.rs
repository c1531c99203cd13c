//! Which tasks the tags of the command line select.

use std::sync::Arc;

use sasrun_model::{Task, Value};
use sasrun_template::Scope;

use super::Walk;
use crate::variables::Level;

impl Walk<'_> {
    /// Whether the tags wanted select the task.
    pub(super) fn is_selected(
        self,
        task: &Task,
        level: &Arc<Level>,
        scope: &Arc<dyn Scope>,
    ) -> bool {
        let options = &self.run.options;
        if self.play.is_flushing() {
            return true;
        }
        let mut tags: Vec<String> = Vec::new();
        for node in task.tags.iter().chain(level.tags()) {
            let value = self.run.templates.resolve(node, scope).unwrap_or_default();
            let values = match &value {
                Value::List(values) => values.to_vec(),
                one => vec![one.clone()],
            };
            let texts = values.iter().filter_map(Value::as_str);
            tags.extend(
                texts
                    .flat_map(|t| t.split(','))
                    .map(|t| t.trim().to_owned()),
            );
        }
        selected_by_tags(&tags, &options.tags, &options.skip_tags)
    }
}

/// Ansible's rule: `always` runs unless skipped by name, `never` only when asked for by name.
pub fn selected_by_tags(tags: &[String], wanted: &[String], skipped: &[String]) -> bool {
    let has = |tag: &str| tags.iter().any(|known| known == tag);
    let asks = |list: &[String], tag: &str| list.iter().any(|known| known == tag);
    let named = |list: &[String]| tags.iter().any(|tag| asks(list, tag));
    let runs = if wanted.is_empty() || asks(wanted, "all") {
        !has("never") || named(wanted)
    } else {
        named(wanted)
            || (has("always") && !has("never"))
            || (asks(wanted, "tagged") && !tags.is_empty() && !has("never"))
            || (asks(wanted, "untagged") && tags.is_empty())
    };
    let skips = named(skipped)
        || (asks(skipped, "all") && (!has("always") || asks(skipped, "always")))
        || (asks(skipped, "tagged") && !tags.is_empty())
        || (asks(skipped, "untagged") && tags.is_empty());
    runs && !skips
}

#[cfg(test)]
mod tests {
    use super::selected_by_tags;

    /// Tags of the task, tags wanted, tags skipped, and whether it runs.
    type Case = (
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
        bool,
    );

    #[test]
    fn tags_select_as_ansible_does() {
        let cases: &[Case] = &[
            (&[], &[], &[], true),
            (&["a"], &["a"], &[], true),
            (&["a"], &["b"], &[], false),
            (&["always"], &["b"], &[], true),
            (&["always"], &["b"], &["always"], false),
            (&["never"], &[], &[], false),
            (&["never", "debug"], &["debug"], &[], true),
            (&["never"], &["all"], &[], false),
            (&["a"], &["tagged"], &[], true),
            (&[], &["tagged"], &[], false),
            (&[], &["untagged"], &[], true),
            (&["a"], &["untagged"], &[], false),
            (&["a", "b"], &["a"], &["b"], false),
            (&["a"], &[], &["tagged"], false),
            (&[], &[], &["untagged"], false),
        ];
        let own = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        for (tags, wanted, skipped, expected) in cases {
            let got = selected_by_tags(&own(tags), &own(wanted), &own(skipped));
            assert_eq!(
                got, *expected,
                "tags {tags:?} wanted {wanted:?} skipped {skipped:?}"
            );
        }
    }
}
