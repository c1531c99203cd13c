//! Tasks that are certain to run, and what their templates need.

use sasrun_model::{
    Action, Block, Include, Keyword, Keywords, Node, NodeKind, Parallel, Play, Span, Step, Task,
};

use super::Outset;
use super::known::{Known, Standing};
use super::targets::steps_of;
use crate::pattern::HostPattern;
use crate::problem::Problem;
use crate::session::Session;
use crate::{Need, codes, templates};

/// What is around a task.
#[derive(Debug, Clone, Default)]
struct Around {
    /// Something may keep the task from running, or its failure may not matter.
    is_uncertain: bool,
    /// Tags of all levels; none when they are not known before the run.
    tags: Option<Vec<String>>,
}

/// The look at all tasks in order.
struct Look<'s, 'l, 'a> {
    session: &'s mut Session<'l>,
    outset: &'s Outset<'a>,
    known: Known<'a>,
    /// Whether steps passed so far may have brought names that files do not tell.
    is_open: bool,
    /// Whether the play may have ended before.
    is_over: bool,
}

impl Session<'_> {
    /// Refuses templates that are certain to be rendered and need what nothing defines.
    pub(super) fn check_variables(&mut self, outset: &Outset<'_>) {
        if self.loader.syntax.is_none() {
            return;
        }
        let known = Known::collect(self, outset);
        if known.is_open {
            return;
        }
        let mut look = Look {
            session: self,
            outset,
            known,
            is_open: false,
            is_over: false,
        };
        for play in outset.playbooks.iter().flat_map(|book| &book.plays) {
            if look.is_open || look.is_over {
                return;
            }
            look.play(play);
        }
    }
}

impl Look<'_, '_, '_> {
    fn play(&mut self, play: &Play) {
        let [pre, roles, tasks, post, handlers] = steps_of(play);
        // Handlers run in between, so what they may bring counts from the start.
        self.is_open |= handlers.iter().any(brings_names);
        let tags = tags_of(&play.tags);
        let around = Around {
            is_uncertain: !self.has_hosts(play) || ignores_errors(&play.keywords),
            tags,
        };
        for steps in [pre, roles, tasks, post] {
            self.steps(steps, &around);
        }
        self.is_over = fails_outright(play);
    }

    /// Whether the play surely has a host.
    fn has_hosts(&self, play: &Play) -> bool {
        let texts: Vec<&str> = match &play.hosts.kind {
            NodeKind::List(items) => items.iter().filter_map(Node::as_str).collect(),
            _ => play.hosts.as_str().into_iter().collect(),
        };
        if !play.hosts.is_static() {
            return false;
        }
        let Ok(pattern) = HostPattern::parse_all(&texts) else {
            return false;
        };
        let hosts = pattern.select(self.outset.inventory).hosts;
        hosts
            .iter()
            .any(|host| self.outset.limit.is_none_or(|limit| limit.contains(host)))
    }

    fn steps(&mut self, steps: &[Step], around: &Around) {
        for step in steps {
            if self.is_open || self.is_over {
                return;
            }
            match step {
                Step::Task(task) => {
                    self.task(task, around);
                    self.is_open |= brings_names(step);
                    self.is_over |= ends_play(task);
                }
                Step::Block(block) => self.block(block, around),
                Step::Parallel(parallel) => self.parallel(parallel, around),
            }
        }
    }

    fn block(&mut self, block: &Block, around: &Around) {
        let mut inside = around.with(&block.tags);
        inside.is_uncertain |= !block.when.is_empty()
            || !block.rescue.is_empty()
            || ignores_errors(&block.keywords)
            || has_specs(block);
        self.steps(&block.block, &inside);
        let rescued = Around {
            is_uncertain: true,
            ..inside.clone()
        };
        self.steps(&block.rescue, &rescued);
        self.steps(&block.always, &inside);
    }

    fn parallel(&mut self, parallel: &Parallel, around: &Around) {
        let mut inside = around.with(&parallel.tags);
        inside.is_uncertain |= !parallel.when.is_empty() || ignores_errors(&parallel.keywords);
        for branch in &parallel.branches {
            self.block(&branch.block, &inside);
        }
    }

    fn task(&mut self, task: &Task, around: &Around) {
        let Some(tags) = around.with(&task.tags).tags else {
            return;
        };
        let may_fail = task.failed_when.is_some() || ignores_errors(&task.keywords);
        if around.is_uncertain || may_fail || !(self.outset.is_selected)(&tags) {
            return;
        }
        if let Some(first) = task.when.first() {
            // The first condition decides; what comes behind it may not be looked at.
            return self.expression(first);
        }
        if let Some(each) = &task.each {
            if each.lookup.is_none() {
                self.texts(&each.items);
            }
            let is_filled = matches!(&each.items.kind, NodeKind::List(items) if !items.is_empty());
            if !is_filled || each.lookup.is_some() {
                return;
            }
        }
        self.arguments(task);
    }

    fn arguments(&mut self, task: &Task) {
        let Action::Module(module) = &task.action else {
            return;
        };
        let short = module.rsplit('.').next().unwrap_or_default();
        if matches!(short, "fail" | "assert" | "validate_argument_spec") {
            return;
        }
        let expressions = self.session.loader.catalogue.expression_arguments(module);
        for entry in task.arguments.entries() {
            let is_expression = entry
                .key
                .as_str()
                .is_none_or(|name| expressions.iter().any(|known| known == name));
            if !is_expression {
                self.texts(&entry.value);
            }
        }
    }

    fn texts(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Text(text) if text.is_template => {
                let syntax = self.session.loader.syntax.clone();
                let needs = syntax.map(|syntax| syntax.needed_by_template(&text.text));
                self.judge(node.span, &text.text, needs.unwrap_or_default());
            }
            NodeKind::List(items) => items.iter().for_each(|item| self.texts(item)),
            NodeKind::Map(entries) => entries.iter().for_each(|entry| self.texts(&entry.value)),
            _ => {}
        }
    }

    fn expression(&mut self, node: &Node) {
        let NodeKind::Text(text) = &node.kind else {
            return;
        };
        if text.is_template {
            return;
        }
        let syntax = self.session.loader.syntax.clone();
        let needs = syntax.map(|syntax| syntax.needed_by_expression(&text.text));
        self.judge(node.span, &text.text, needs.unwrap_or_default());
    }

    fn judge(&mut self, span: Span, text: &str, needs: Vec<Need>) {
        for need in needs {
            let (message, near) = match self.known.standing(&need.name, &need.keys) {
                Standing::MayBe => continue,
                Standing::Nowhere => (
                    format!("nothing defines the variable `{}`", need.name),
                    self.known.near(&need.name),
                ),
                Standing::LacksKey(at) => {
                    let key = need.keys.get(at).map(|key| &**key).unwrap_or_default();
                    let mut owner = need.name.to_string();
                    for key in need.keys.iter().take(at) {
                        owner = format!("{owner}.{key}");
                    }
                    (
                        format!("`{owner}` has no `{key}`"),
                        self.known.near_key(&need.name, &need.keys, at),
                    )
                }
            };
            let source = self.session.source_of(span);
            let at = templates::place_in_scalar(&source, span, text, need.line, need.column);
            let problem = Problem::error(codes::UNDEFINED, at.unwrap_or(span), message);
            self.session.add(match near {
                Some(near) => problem.meant(Some(&near)),
                None => problem.hint(
                    "define it, give it with `-e`, or say what to use instead: `| default(...)`",
                ),
            });
        }
    }
}

impl Around {
    fn with(&self, own: &[Node]) -> Self {
        let tags = self.tags.clone().zip(tags_of(own));
        Self {
            is_uncertain: self.is_uncertain,
            tags: tags.map(|(mut around, own)| {
                around.extend(own);
                around
            }),
        }
    }
}

/// Tags as written; none when one is a template.
fn tags_of(nodes: &[Node]) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    for node in nodes {
        let text = node.as_str().filter(|_| node.is_static())?;
        tags.extend(text.split(',').map(|tag| tag.trim().to_owned()));
    }
    Some(tags)
}

/// Whether the block's role is checked first, which says more of what is missing.
fn has_specs(block: &Block) -> bool {
    let role = block.role.as_ref();
    role.is_some_and(|role| role.context.argument_specs.is_some())
}

fn ignores_errors(keywords: &Keywords) -> bool {
    let written = keywords.get(Keyword::IgnoreErrors);
    written.is_some_and(|node| !matches!(node.kind, NodeKind::Bool(false)))
}

/// Whether a step may define names that no file tells.
fn brings_names(step: &Step) -> bool {
    match step {
        Step::Task(task) => match &task.action {
            Action::Module(name) => {
                let short = name.rsplit('.').next().unwrap_or_default();
                // A site's own module may give facts of any name.
                let is_own = !["ansible.", "community."]
                    .iter()
                    .any(|known| name.starts_with(known));
                is_own || matches!(short, "include_vars" | "add_host")
            }
            Action::Meta(name) => &**name == "refresh_inventory",
            Action::Chosen(_) | Action::Include(Include::Tasks | Include::Role) => true,
        },
        Step::Block(block) => [&block.block, &block.rescue, &block.always]
            .into_iter()
            .flatten()
            .any(brings_names),
        Step::Parallel(parallel) => parallel
            .branches
            .iter()
            .flat_map(|branch| &branch.block.block)
            .any(brings_names),
    }
}

/// Whether the play may be over for some host behind this task.
fn ends_play(task: &Task) -> bool {
    match &task.action {
        Action::Meta(name) => name.starts_with("end_"),
        Action::Module(name) => name.rsplit('.').next() == Some("fail"),
        Action::Chosen(_) => true,
        Action::Include(_) => false,
    }
}

/// Whether a task of the play fails by intent, so that later plays may not come.
fn fails_outright(play: &Play) -> bool {
    fn fails(step: &Step) -> bool {
        match step {
            Step::Task(task) => {
                matches!(&task.action, Action::Module(name) if name.rsplit('.').next() == Some("fail"))
            }
            Step::Block(block) => block.block.iter().any(fails),
            Step::Parallel(parallel) => parallel
                .branches
                .iter()
                .flat_map(|branch| &branch.block.block)
                .any(fails),
        }
    }
    steps_of(play).into_iter().flatten().any(fails)
}
