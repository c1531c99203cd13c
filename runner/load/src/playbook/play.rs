//! One play.

use sasrun_model::{
    Entry, GatherFacts, Keyword, Keywords, Node, NodeKind, Play, Span, Step, Strategy, Variables,
};

use super::keywords::{self, key_text, may_be_true, one_or_many};
use super::{Around, Gathered, Reader};
use crate::files::{first_file, join};
use crate::problem::Problem;
use crate::{closest, codes};

impl Reader<'_, '_> {
    /// A play with its tasks, roles and handlers.
    pub(super) fn play(&mut self, node: &Node, entries: &[Entry], around: &Around) -> Option<Play> {
        self.gathered = Gathered::default();
        let mut play = blank(node, around);
        play.strategy = self.session.loader.settings.strategy;
        let mut has_hosts = false;
        for entry in entries {
            let name = key_text(&entry.key);
            self.check_value_among(&name, &entry.value, keywords::PLAY);
            has_hosts |= name == "hosts";
            self.play_keyword(&name, entry, &mut play);
        }
        if !has_hosts {
            let message = "this play does not say which `hosts` it runs on";
            self.session
                .add(Problem::error(codes::PLAY_HOSTS, node.span, message));
        }
        let ignores = play.keywords.get(Keyword::IgnoreErrors);
        let around = Around {
            catches: ignores.is_some_and(may_be_true),
            has_defaults: play.keywords.get(Keyword::ModuleDefaults).is_some(),
            collections: self.collections(play.keywords.get(Keyword::Collections), &[]),
            ..around.clone()
        };
        self.play_variables.clone_from(&play.variables);
        self.play_sections(node, &mut play, &around);
        self.check_notified(&play);
        Some(play)
    }

    /// Reads the lists of a play, each in its order.
    fn play_sections(&mut self, node: &Node, play: &mut Play, around: &Around) {
        let mut role_handlers = Vec::new();
        if let Some(written) = node.get("roles") {
            let around = around.inside("roles");
            (play.roles, role_handlers) = self.roles(written, &around);
        }
        let mut section = |name: &str| match node.get(name) {
            Some(written) => {
                let around = Around {
                    is_handler: name == "handlers",
                    ..around.inside(name)
                };
                self.steps(written, name, &around)
            }
            None => Vec::new(),
        };
        play.pre_tasks = section("pre_tasks");
        play.tasks = section("tasks");
        play.post_tasks = section("post_tasks");
        let own_handlers = section("handlers");
        // Of two handlers with one name the later counts: the play's own, then imported ones.
        play.handlers = role_handlers;
        play.handlers.extend(own_handlers);
        play.handlers.append(&mut self.gathered.imported_handlers);
    }

    fn roles(&mut self, written: &Node, around: &Around) -> (Vec<Step>, Vec<Step>) {
        let mut steps = Vec::new();
        let mut handlers = Vec::new();
        if !matches!(written.kind, NodeKind::List(_) | NodeKind::Null) {
            self.session
                .wrong_kind(written, "`roles`", "a list of roles");
            return (steps, handlers);
        }
        for (index, entry) in one_or_many(written).iter().enumerate() {
            let around = around.inside(&index.to_string());
            let Some(usage) = self.role_entry(entry, &around) else {
                continue;
            };
            if let Some(loaded) = self.role(usage, &around, &[]) {
                steps.extend(loaded.step);
                handlers.extend(loaded.handlers);
            }
        }
        (steps, handlers)
    }

    fn play_keyword(&mut self, name: &str, entry: &Entry, play: &mut Play) {
        let value = &entry.value;
        match name {
            "name" => play.name = Some(value.clone()),
            "hosts" => play.hosts = self.hosts(value),
            "tags" => play.tags = keywords::tags(value),
            "vars" => play.variables = self.vars(value),
            "vars_files" => {
                play.vars_files = one_or_many(value);
                self.check_vars_files(&play.vars_files, &play.directory.clone());
            }
            "vars_prompt" => play.vars_prompt = self.vars_prompt(value),
            "gather_facts" => play.gather_facts.enabled = Some(value.clone()),
            "gather_subset" => play.gather_facts.subset = Some(value.clone()),
            "gather_timeout" => play.gather_facts.timeout = Some(value.clone()),
            "strategy" if !value.is_static() => play.strategy_template = Some(value.clone()),
            "strategy" => play.strategy = self.strategy(value),
            "serial" => play.serial = self.serial(value),
            "batch_by" => play.batch_by = Some(value.clone()),
            "order" => play.order = Some(self.order(value)),
            "max_fail_percentage" => play.max_fail_percentage = Some(value.clone()),
            "force_handlers" => play.force_handlers = Some(value.clone()),
            "preflight" => play.is_preflight = may_be_true(value),
            "user" => play.keywords.set(Keyword::RemoteUser, value.clone()),
            "fact_path" | "validate_argspec" => {
                play.others.push((name.into(), value.clone()));
            }
            "pre_tasks" | "roles" | "tasks" | "post_tasks" | "handlers" => {}
            _ => {
                let of_tasks = matches!(name, "delegate_to" | "delegate_facts");
                if of_tasks || !self.inherited_keyword(name, value, &mut play.keywords) {
                    self.unknown_keyword(codes::PLAY_KEY, "a Play", &entry.key, &[keywords::PLAY]);
                }
            }
        }
    }

    fn hosts(&mut self, value: &Node) -> Node {
        let patterns = one_or_many(value);
        let is_empty = patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| pattern.as_str().is_some_and(|text| text.trim().is_empty()));
        if is_empty {
            let message = "`hosts` is empty";
            self.session
                .add(Problem::error(codes::PLAY_HOSTS, value.span, message));
        }
        for pattern in &patterns {
            if matches!(
                pattern.kind,
                NodeKind::Map(_) | NodeKind::List(_) | NodeKind::Bool(_)
            ) {
                self.session
                    .wrong_kind(pattern, "`hosts`", "a host pattern or a list of them");
            } else if let Some(text) = pattern.as_str().filter(|_| pattern.is_static())
                && let Err(error) = crate::HostPattern::parse(text)
            {
                let problem = Problem::error(codes::PATTERN, pattern.span, error.to_string());
                self.session.add(problem);
            }
        }
        value.clone()
    }

    fn strategy(&mut self, value: &Node) -> Strategy {
        let text = value.as_str().unwrap_or_default();
        Strategy::named(text).unwrap_or_else(|| {
            let message = format!("there is no strategy `{text}`");
            let near = closest(text, ["linear", "free", "host_pinned"]);
            self.session
                .add(Problem::error(codes::KEYWORD_VALUE, value.span, message).meant(near));
            Strategy::Linear
        })
    }

    fn order(&mut self, value: &Node) -> Node {
        let known = [
            "inventory",
            "sorted",
            "reverse_sorted",
            "reverse_inventory",
            "shuffle",
        ];
        if let Some(text) = value.as_str().filter(|_| value.is_static())
            && !known.contains(&text)
        {
            let message = format!("hosts cannot be ordered by `{text}`");
            let near = closest(text, known);
            self.session
                .add(Problem::error(codes::KEYWORD_VALUE, value.span, message).meant(near));
        }
        value.clone()
    }

    /// Sizes of batches: numbers and percentages.
    fn serial(&mut self, value: &Node) -> Vec<Node> {
        let sizes = one_or_many(value);
        for size in &sizes {
            let is_right = match &size.kind {
                NodeKind::Int(number) => *number >= 0,
                NodeKind::Text(text) => {
                    let number = text.text.trim();
                    let number = number.strip_suffix('%').unwrap_or(number);
                    text.is_template || number.parse::<f64>().is_ok_and(|number| number >= 0.0)
                }
                _ => false,
            };
            if !is_right {
                let given = size.as_str().unwrap_or_else(|| size.kind_name());
                let message =
                    format!("`serial` takes numbers of hosts or percentages, not {given}");
                self.session
                    .add(Problem::error(codes::KEYWORD_VALUE, size.span, message));
            }
        }
        sizes
    }

    /// Reads files of variables whose names are known, so that their problems are told now.
    fn check_vars_files(&mut self, files: &[Node], directory: &std::path::Path) {
        for entry in files {
            let candidates = one_or_many(entry);
            if !candidates.iter().all(Node::is_static) {
                continue;
            }
            let directories = [directory.join("vars"), directory.to_owned()];
            let paths = candidates.iter().flat_map(|candidate| {
                let name = candidate.as_str().unwrap_or_default().to_owned();
                directories
                    .iter()
                    .map(move |directory| join(directory, &name))
            });
            match first_file(paths.collect::<Vec<_>>()) {
                Some(path) => {
                    self.session.variables_file(&path, entry.span);
                }
                None => {
                    let names: Vec<&str> = candidates.iter().filter_map(Node::as_str).collect();
                    let message = format!("there is no file `{}`", names.join("` or `"));
                    self.session
                        .add(Problem::error(codes::FILE, entry.span, message));
                }
            }
        }
    }

    fn vars_prompt(&mut self, value: &Node) -> Vec<Node> {
        const KEYS: [&str; 9] = [
            "name",
            "prompt",
            "default",
            "private",
            "confirm",
            "encrypt",
            "salt",
            "salt_size",
            "unsafe",
        ];
        let prompts = one_or_many(value);
        for prompt in &prompts {
            if prompt.get("name").and_then(Node::as_str).is_none() {
                let message = "an entry of `vars_prompt` has a `name`";
                self.session
                    .add(Problem::error(codes::SHAPE, prompt.span, message));
            }
            for entry in prompt.entries() {
                let name = key_text(&entry.key);
                if !KEYS.contains(&name.as_str()) {
                    let message = format!("an entry of `vars_prompt` has no key `{name}`");
                    let near = closest(&name, KEYS);
                    self.session
                        .add(Problem::error(codes::PLAY_KEY, entry.key.span, message).meant(near));
                }
            }
        }
        prompts
    }
}

fn blank(node: &Node, around: &Around) -> Play {
    Play {
        path: around.path.as_str().into(),
        span: node.span,
        name: None,
        hosts: Node {
            span: Span::default(),
            kind: NodeKind::Null,
        },
        keywords: Keywords::default(),
        tags: Vec::new(),
        variables: Variables::new(),
        vars_files: Vec::new(),
        vars_prompt: Vec::new(),
        gather_facts: GatherFacts::default(),
        strategy: Strategy::Linear,
        strategy_template: None,
        serial: Vec::new(),
        batch_by: None,
        order: None,
        max_fail_percentage: None,
        force_handlers: None,
        is_preflight: false,
        pre_tasks: Vec::new(),
        roles: Vec::new(),
        tasks: Vec::new(),
        post_tasks: Vec::new(),
        handlers: Vec::new(),
        directory: around.directory.clone(),
        others: Vec::new(),
    }
}
