//! Batches of a play's hosts, and the sections that each goes through.

use std::sync::Arc;

use futures::future::join_all;
use sasrun_model::{Action, Keywords, Name, Node, NodeKind, Play, Step, Strategy, Task, Value};

use super::Run;
use super::play::{PlayRun, PlayStart, walks_alone};
use crate::looking::Looking;
use crate::options::Gathering;
use crate::task::number;
use crate::walk::{Failed, Walk};

impl Run {
    /// Splits hosts by `serial` or `batch_by`.
    pub(super) fn batches(
        &self,
        play: &Arc<Play>,
        hosts: &[Name],
    ) -> Result<Vec<Vec<Name>>, String> {
        if let Some(by) = &play.batch_by {
            return self.batches_by(play, by, hosts);
        }
        let Some(first) = hosts.first() else {
            return Ok(Vec::new());
        };
        let scope = self.play_scope(play, first);
        let mut sizes = Vec::new();
        for (index, node) in play.serial.iter().enumerate() {
            let question = || format!("serial {index} of {}", play.path);
            let value = self
                .decided(question, || {
                    // What is left out is no size at all.
                    let size = self.templates.resolve(node, &scope)?;
                    Ok(match size {
                        Value::Omit => Value::list(Vec::new()),
                        size => size,
                    })
                })
                .map_err(|error: sasrun_template::TemplateError| error.to_string())?;
            let all = match &value {
                Value::List(sizes) => sizes.to_vec(),
                one => vec![one.clone()],
            };
            for size in &all {
                sizes.push(batch_size(size, hosts.len())?);
            }
        }
        let Some(last) = sizes.last().copied() else {
            return Ok(vec![hosts.to_vec()]);
        };
        let mut left = hosts;
        let mut batches = Vec::new();
        for size in sizes.into_iter().chain(std::iter::repeat(last)) {
            if left.is_empty() {
                break;
            }
            let size = if size == 0 {
                left.len()
            } else {
                size.min(left.len())
            };
            let (batch, rest) = left.split_at(size);
            batches.push(batch.to_vec());
            left = rest;
        }
        Ok(batches)
    }

    /// Hosts with the same value of a variable go together, in order of first appearance.
    fn batches_by(
        &self,
        play: &Arc<Play>,
        by: &Node,
        hosts: &[Name],
    ) -> Result<Vec<Vec<Name>>, String> {
        let mut batches: Vec<(String, Vec<Name>)> = Vec::new();
        for host in hosts {
            let scope = self.play_scope(play, host);
            let variable = by.as_str().unwrap_or_default();
            let value = self
                .templates
                .variable(variable, &scope)
                .map_err(|e| e.to_string())?;
            let Some(value) = value else {
                return Err(format!(
                    "batch_by: host {host} has no variable \"{variable}\""
                ));
            };
            let key = self.templates.display(&value);
            match batches.iter_mut().find(|(known, _)| *known == key) {
                Some((_, batch)) => batch.push(Arc::clone(host)),
                None => batches.push((key, vec![Arc::clone(host)])),
            }
        }
        Ok(batches.into_iter().map(|(_, batch)| batch).collect())
    }

    /// Takes one batch through the play. False when the run shall go no further.
    pub(super) async fn batch(
        &self,
        play: &Arc<Play>,
        hosts: &PlayStart,
        batch: Vec<Name>,
        name: &str,
    ) -> bool {
        let Some(first) = batch.first() else {
            return true;
        };
        let play = &match self.with_strategy(play, first) {
            Ok(play) => play,
            Err(message) => {
                self.refuse(&message);
                return false;
            }
        };
        let variables = match self.play_variables(play, &hosts.prompted) {
            Ok(variables) => variables,
            Err(message) => {
                self.refuse(&message);
                return false;
            }
        };
        let scope = self.play_scope(play, first);
        let value = |node: &Option<Node>| {
            node.as_ref()
                .and_then(|node| self.templates.resolve(node, &scope).ok())
        };
        let most_failed = value(&play.max_fail_percentage).as_ref().and_then(number);
        let force = value(&play.force_handlers).and_then(|value| value.to_boolean());
        let mut play_run = PlayRun::new(play, hosts, batch, variables, name);
        play_run.set_most_failed(most_failed);
        let force = force.unwrap_or(self.options.force_handlers);
        let mut failed = self.lanes(&play_run, force).await;
        play_run.without_forgiven(&mut failed);
        self.close_batch(play, &play_run, &failed)
    }

    /// The play with its strategy, where that is a template.
    fn with_strategy(&self, play: &Arc<Play>, host: &Name) -> Result<Arc<Play>, String> {
        let Some(written) = &play.strategy_template else {
            return Ok(Arc::clone(play));
        };
        let scope = self.play_scope(play, host);
        let value = self.templates.resolve(written, &scope);
        let value = value.map_err(|error| format!("strategy: {error}"))?;
        let name = self.templates.display(&value);
        let strategy =
            Strategy::named(&name).ok_or_else(|| format!("there is no strategy `{name}`"))?;
        Ok(Arc::new(Play {
            strategy,
            ..Play::clone(play)
        }))
    }

    /// Walks all hosts together, or each alone, as the strategy says.
    async fn lanes(&self, play_run: &PlayRun, force_handlers: bool) -> Failed {
        let hosts = play_run.batch().to_vec();
        if walks_alone(play_run.play.strategy) {
            let alone = hosts
                .into_iter()
                .map(|host| self.sections(play_run, vec![host], force_handlers));
            return join_all(alone).await.into_iter().flatten().collect();
        }
        self.sections(play_run, hosts, force_handlers).await
    }

    /// Facts, pre-tasks, roles, tasks and post-tasks, with handlers between.
    async fn sections(&self, play_run: &PlayRun, hosts: Vec<Name>, force_handlers: bool) -> Failed {
        let walk = Walk {
            run: self,
            play: play_run,
        };
        let play = &play_run.play;
        let gathering = self.gathering(play_run);
        let none: &[Step] = &[];
        let sections: [(&[Step], &[Step]); 4] = [
            (&gathering, none),
            (&play.pre_tasks, none),
            (&play.roles, &play.tasks),
            (&play.post_tasks, none),
        ];
        let mut failed = Failed::new();
        let mut alive = hosts.clone();
        for (index, (first, second)) in sections.into_iter().enumerate() {
            for steps in [first, second] {
                let mut going = alive.clone();
                if index == 0 && self.gathers_once(play) {
                    going.retain(|host| self.shared.host(host).facts.is_empty());
                }
                let lost = walk.steps(steps, Arc::clone(&play_run.level), going).await;
                alive.retain(|host| !lost.contains(host));
                failed.extend(lost);
            }
            if index > 0 {
                let owing = if force_handlers { &hosts } else { &alive };
                let lost = walk.flush_handlers(owing, false).await;
                alive.retain(|host| !lost.contains(host));
                failed.extend(lost);
            }
        }
        failed.dedup();
        failed
    }

    /// What the failures of a batch mean for the rest of the run.
    fn close_batch(&self, play: &Arc<Play>, play_run: &PlayRun, failed: &Failed) -> bool {
        for host in failed {
            self.state.drop_host(host);
        }
        if failed.is_empty() {
            return !play_run.is_over();
        }
        if play.is_preflight && self.state.is_unknown() {
            // Whether the check failed is what has to be decided.
            self.state.end();
            return false;
        }
        if play.is_preflight {
            self.refuse(&format!(
                "refused before any change: {} failed its checks",
                failed.join(", ")
            ));
            return false;
        }
        let all_lost = play_run.batch().iter().all(|host| failed.contains(host));
        if all_lost || play_run.was_fatal() {
            self.state.end();
            return false;
        }
        true
    }

    /// Whether facts that are known already are not gathered again.
    fn gathers_once(&self, play: &Play) -> bool {
        self.options.gathering == Gathering::Smart && play.gather_facts.enabled.is_none()
    }

    /// The task that gathers facts, if the play wants any.
    fn gathering(&self, play_run: &PlayRun) -> Vec<Step> {
        let play = &play_run.play;
        let Some(host) = play_run.batch().first() else {
            return Vec::new();
        };
        let scope = self.play_scope(play, host);
        let wanted = match &play.gather_facts.enabled {
            None => self.options.gathering != Gathering::Explicit,
            Some(node) => self
                .templates
                .resolve(node, &scope)
                .ok()
                .and_then(|v| v.to_boolean())
                .unwrap_or(true),
        };
        if !wanted || self.registry.find("ansible.builtin.setup").is_none() {
            return Vec::new();
        }
        vec![Step::Task(Arc::new(gathering_task(play)))]
    }
}

fn gathering_task(play: &Play) -> Task {
    let text = |text: &str| Node::data(Value::from(text));
    let mut arguments = Vec::new();
    let options = [
        ("gather_subset", &play.gather_facts.subset),
        ("gather_timeout", &play.gather_facts.timeout),
    ];
    for (name, node) in options {
        if let Some(node) = node {
            arguments.push(sasrun_model::Entry {
                key: text(name),
                value: node.clone(),
            });
        }
    }
    Task {
        path: format!("{}/gather_facts", play.path).into(),
        span: play.span,
        name: Some(text("Gathering Facts")),
        action: Action::Module("ansible.builtin.setup".into()),
        arguments: Node {
            span: play.span,
            kind: NodeKind::Map(arguments),
        },
        keywords: Keywords::default(),
        when: Vec::new(),
        // As in Ansible: a play with tags of its own gathers when they are asked for.
        tags: if play.tags.is_empty() {
            vec![text("always")]
        } else {
            Vec::new()
        },
        variables: sasrun_model::Variables::new(),
        each: None,
        register: None,
        until: Vec::new(),
        retries: None,
        delay: None,
        changed_when: None,
        failed_when: None,
        notify: Vec::new(),
        listen: Vec::new(),
        async_seconds: None,
        poll_seconds: None,
        is_handler: false,
        directory: play.directory.clone(),
    }
}

/// A size of `serial`: a number or a percentage of all hosts, at least one host.
fn batch_size(size: &Value, all: usize) -> Result<usize, String> {
    let percent = size.as_str().and_then(|text| text.trim().strip_suffix('%'));
    let number = match percent {
        Some(text) => text.trim().parse::<f64>().ok(),
        None => number(size),
    };
    let Some(number) = number.filter(|number| *number >= 0.0) else {
        return Err(format!(
            "serial needs a number or a percentage, this is {}",
            size.kind_name()
        ));
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    #[expect(clippy::cast_precision_loss, reason = "numbers of hosts are small")]
    Ok(match percent {
        Some(_) => ((number * all as f64 / 100.0) as usize).max(1),
        None => number as usize,
    })
}
