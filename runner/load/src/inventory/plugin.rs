//! Inventories of plugins: `plugin: NAME` and a document of its own form.

use std::path::Path;
use std::sync::Arc;

use sasrun_model::{FileId, Node, Span};

use super::build::Builder;
use super::json::written;
use crate::problem::Problem;
use crate::session::Session;
use crate::{SourceInventory, closest, codes};

/// What to do about a source that no plugin brings.
fn looked_for(places: &[String]) -> String {
    match places {
        [] => "check that its plugin is where plugins are looked for".to_owned(),
        _ => format!(
            "its plugin is in none of the folders where plugins are looked for: {}; \
             name another with --plugins",
            places.join(", ")
        ),
    }
}

impl Session<'_> {
    pub(super) fn plugin_inventory(
        &mut self,
        name: &str,
        path: &Path,
        document: &Node,
        file: FileId,
        builder: &mut Builder,
    ) {
        let sources = self.loader.inventory_sources.clone();
        let read = sources
            .as_ref()
            .and_then(|sources| sources.read(name, path, document));
        match read {
            Some(inventory) => self.take_in(&inventory, document, file, builder),
            None => {
                let places = sources.as_ref().map(|sources| sources.places());
                let names = sources.map(|sources| sources.names()).unwrap_or_default();
                let near = closest(name, names.iter().map(|name| &**name));
                let span = document
                    .get("plugin")
                    .map_or(document.span, |node| node.span);
                let message = format!("no plugin brings inventories of the form `{name}`");
                let problem = Problem::error(codes::INVENTORY, span, message).meant(near);
                self.add(match problem.hint {
                    None => problem.hint(looked_for(&places.unwrap_or_default())),
                    Some(_) => problem,
                });
            }
        }
    }

    fn take_in(
        &mut self,
        inventory: &SourceInventory,
        document: &Node,
        file: FileId,
        builder: &mut Builder,
    ) {
        for found in &inventory.problems {
            let span = if found.line == 0 {
                document.span
            } else {
                Span {
                    file,
                    line: found.line,
                    column: found.column,
                }
            };
            let mut problem = Problem::error(codes::INVENTORY_SOURCE, span, found.message.clone());
            problem.hint.clone_from(&found.hint);
            self.add(problem);
        }
        let nowhere = Span {
            file,
            line: 0,
            column: 0,
        };
        if inventory.is_complete {
            builder.set_complete();
        }
        // In the order of the plugin, hosts before the groups that hold them.
        for host in &inventory.hosts {
            let name = builder.add_host("all", &host.name);
            for (key, value) in &host.variables {
                builder.set_host_variable(&name, key, Arc::new(written(value, nowhere)));
            }
        }
        for group in &inventory.groups {
            builder.add_group(&group.name);
        }
        for group in &inventory.groups {
            for host in &group.hosts {
                builder.add_host(&group.name, host);
            }
            for child in &group.children {
                self.add_child(builder, &group.name, child, document.span);
            }
            for (key, value) in &group.variables {
                builder.set_group_variable(&group.name, key, Arc::new(written(value, nowhere)));
            }
        }
    }
}
