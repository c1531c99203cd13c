//! Entries of `roles:` and `dependencies:`.

use sasrun_model::{Keyword, Node, NodeKind, Span, Variables};

use super::keywords::{self, key_text};
use super::role::{Origin, RoleFiles, RoleUse};
use super::{Around, Reader};
use crate::problem::Problem;
use crate::variables::Names;
use crate::{closest, codes};

impl Reader<'_, '_> {
    /// An entry of `roles:` or of `dependencies:`.
    pub(super) fn role_entry(&mut self, entry: &Node, around: &Around) -> Option<RoleUse> {
        let name = match &entry.kind {
            NodeKind::Text(_) => Some(entry),
            NodeKind::Map(_) => entry.get("role").or(entry.get("name")).or(entry.get("src")),
            _ => None,
        };
        let Some(name) = name.filter(|node| node.as_str().is_some_and(|text| !text.is_empty()))
        else {
            let message = "a role is a name, or a mapping with `role:`";
            self.session
                .add(Problem::error(codes::ROLE_ENTRY, entry.span, message));
            return None;
        };
        let name = &self.known(name, &Variables::new());
        if !name.is_static() {
            self.session.add(
                Problem::error(
                    codes::ROLE_ENTRY,
                    name.span,
                    "a role's name must be known when files are loaded",
                )
                .hint("use `include_role`, which is done when it is reached"),
            );
            return None;
        }
        let text = name.as_str().unwrap_or_default();
        let files = RoleFiles {
            is_known: true,
            ..RoleFiles::default()
        };
        let mut usage = RoleUse::new(text, name.span, Origin::List, files);
        usage.frame.path = around.path.as_str().into();
        usage.frame.span = entry.span;
        self.role_keywords(entry, &mut usage);
        Some(usage)
    }

    fn role_keywords(&mut self, entry: &Node, usage: &mut RoleUse) {
        let is_galaxy = entry.get("src").is_some();
        for entry in entry.entries() {
            let name = key_text(&entry.key);
            let value = &entry.value;
            self.check_value_among(&name, value, &["tags"]);
            match name.as_str() {
                "role" | "name" => {}
                "src" | "scm" | "version" | "collection" if is_galaxy => {}
                "when" => usage.frame.when = self.conditions("when", value),
                "tags" => usage.frame.tags = keywords::tags(value),
                "vars" => {
                    let vars = self.vars(value);
                    usage.parameters.extend(vars);
                }
                _ => {
                    if self.inherited_keyword(&name, value, &mut usage.frame.keywords) {
                        continue;
                    }
                    self.doubtful_parameter(&name, entry.key.span);
                    let mapping = Node {
                        span: entry.key.span,
                        kind: NodeKind::Map(vec![entry.clone()]),
                    };
                    let of = "a role's parameters";
                    self.session.variables_of(
                        &mapping,
                        of,
                        Names::Variables,
                        &mut usage.parameters,
                    );
                }
            }
        }
    }

    /// Warns of a parameter that looks like a keyword misspelt.
    fn doubtful_parameter(&mut self, name: &str, span: Span) {
        let own = ["role", "when", "tags", "vars"];
        let inherited = Keyword::ALL.iter().map(|(_, name)| *name);
        let near = closest(name, own.into_iter().chain(inherited)).filter(|_| name.len() > 3);
        if near.is_some() {
            let message = format!("`{name}` is taken as a parameter of the role");
            self.session
                .add(Problem::warning(codes::ROLE_ENTRY, span, message).meant(near));
        }
    }
}
