//! Plays for hosts or groups that no inventory source knows.
//!
//! Ansible warns of them and goes on, and so does a run; they are refused only where the name
//! cannot be meant as it is written.

use sasrun_model::{Action, Inventory, Name, Node, NodeKind, Play, Step};

use super::Outset;
use super::slip::is_slip;
use crate::pattern::HostPattern;
use crate::problem::Problem;
use crate::session::Session;
use crate::{closest, codes, templates};

/// What the steps of a run may do to the inventory.
#[derive(Debug, Clone, Copy, Default)]
struct Growth {
    /// A task adds hosts or groups.
    is_seen: bool,
    /// Steps that are loaded later may.
    is_possible: bool,
}

impl Session<'_> {
    /// Refuses plays whose hosts cannot be meant as they are written.
    pub(super) fn check_targets(&mut self, outset: &Outset<'_>) {
        let inventory = outset.inventory;
        if inventory.hosts.is_empty() {
            return;
        }
        let plays = || outset.playbooks.iter().flat_map(|book| &book.plays);
        let mut growth = Growth::default();
        for play in plays() {
            for steps in steps_of(play) {
                growth.steps(steps);
            }
        }
        if growth.is_seen {
            return;
        }
        for play in plays() {
            match &play.hosts.kind {
                NodeKind::List(items) => {
                    for item in items {
                        self.check_target(item, inventory, growth);
                    }
                }
                _ => self.check_target(&play.hosts, inventory, growth),
            }
        }
    }

    fn check_target(&mut self, node: &Node, inventory: &Inventory, growth: Growth) {
        let NodeKind::Text(text) = &node.kind else {
            return;
        };
        if text.is_template {
            return;
        }
        let Ok(pattern) = HostPattern::parse(&text.text) else {
            return;
        };
        for name in pattern.unknown_names(inventory) {
            let meant = (!growth.is_possible)
                .then(|| slip_of(&name, inventory))
                .flatten();
            if meant.is_none() && !inventory.is_complete {
                continue;
            }
            let near = meant.or_else(|| near_name(&name, inventory));
            let at = text.text.find(&name).unwrap_or_default();
            let column = text.text[..at].chars().count() + 1;
            let source = self.source_of(node.span);
            let column = u32::try_from(column).unwrap_or(1);
            let span = templates::place_in_scalar(&source, node.span, &text.text, 1, column)
                .unwrap_or(node.span);
            let message = format!("no group and no host is called `{name}`");
            let problem = Problem::error(codes::UNKNOWN_HOSTS, span, message);
            self.add(match near {
                Some(near) => problem.meant(Some(&near)),
                None => problem.hint("the inventory lists every group and host there is"),
            });
        }
    }
}

/// Every list of steps of a play.
pub(super) fn steps_of(play: &Play) -> [&[Step]; 5] {
    [
        &play.pre_tasks,
        &play.roles,
        &play.tasks,
        &play.post_tasks,
        &play.handlers,
    ]
}

impl Growth {
    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Task(task) => self.action(&task.action),
                Step::Block(block) => {
                    for steps in [&block.block, &block.rescue, &block.always] {
                        self.steps(steps);
                    }
                }
                Step::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        self.steps(&branch.block.block);
                    }
                }
            }
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Module(name) => {
                let short = name.rsplit('.').next().unwrap_or_default();
                self.is_seen |= matches!(short, "add_host" | "group_by");
            }
            Action::Meta(name) => self.is_seen |= &**name == "refresh_inventory",
            Action::Chosen(_) | Action::Include(_) => self.is_possible = true,
        }
    }
}

fn names(inventory: &Inventory) -> impl Iterator<Item = &Name> {
    inventory.groups.keys().chain(inventory.hosts.keys())
}

/// The only name that this one is a slip of.
fn slip_of(name: &str, inventory: &Inventory) -> Option<String> {
    let mut found = names(inventory).filter(|known| is_slip(name, known));
    found.next().map(|name| name.to_string())
}

fn near_name(name: &str, inventory: &Inventory) -> Option<String> {
    closest(name, names(inventory).map(|name| &**name)).map(str::to_owned)
}
