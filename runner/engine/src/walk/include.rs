//! Steps that are loaded when they are reached: `include_tasks` and `include_role`.

use std::sync::Arc;

use sasrun_model::{
    EventKind, Include, IncludeContext, Key, Keyword, LoadedSteps, Map, Name, RoleRequest, Step,
    Task, Value, Variables,
};
use sasrun_template::Scope;

use super::{Failed, Walk};
use crate::task::{HostOutcome, HostRun, failure, template_failure};
use crate::variables::{Included, Level, LevelKind, Made, Turn};

/// Includes inside includes after which it is taken for endless.
const DEEPEST: usize = 64;

/// One inclusion that several hosts came to with the same file and variables.
struct Inclusion {
    what: String,
    options: Value,
    gives: Included,
    hosts: Vec<Name>,
}

impl<'a> Walk<'a> {
    pub(super) async fn include(
        self,
        kind: Include,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
    ) -> Failed {
        let mut inclusions: Vec<Inclusion> = Vec::new();
        let mut failed = Failed::new();
        let doing = self.run_once_hosts(task, level, hosts);
        for host in doing {
            let host_run = self.host_run(task, level, host);
            self.run.comes_to(host, task);
            if let Err(outcome) = self.gather(&host_run, &mut inclusions) {
                self.tell(&host_run, outcome, &mut failed);
            }
        }
        // All are loaded before the first is walked through, as in Ansible: of a loop of which one
        // item cannot be loaded nothing is done.
        let mut loaded = Vec::new();
        for mut inclusion in inclusions {
            inclusion.hosts.retain(|host| self.is_going(host));
            if inclusion.hosts.is_empty() {
                continue;
            }
            match self.loaded(kind, task, level, &inclusion) {
                Ok(LoadedSteps { steps, handlers }) => {
                    let gives = LevelKind::Include(Box::new(inclusion.gives));
                    let inside = Level::new(Some(level), gives);
                    self.play.add_handlers(&handlers, &inside, &inclusion.hosts);
                    loaded.push((inclusion.hosts, inside, steps));
                }
                Err(msg) => self.fail_all(task, level, &inclusion.hosts, &msg, &mut failed),
            }
        }
        self.spread_errors(task, level, hosts, &mut failed);
        for (hosts, inside, steps) in loaded {
            let alive: Vec<Name> = hosts
                .into_iter()
                .filter(|host| !failed.contains(host) && self.is_going(host))
                .collect();
            if !alive.is_empty() {
                failed.extend(self.owned_steps(steps, inside, alive).await);
            }
        }
        failed
    }

    fn run_once_hosts<'h>(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &'h [Name],
    ) -> &'h [Name] {
        let Some(first) = hosts.first() else {
            return hosts;
        };
        let host_run = self.host_run(task, level, first);
        let once = host_run
            .flag(Keyword::RunOnce, &(host_run.scope() as _))
            .unwrap_or(false);
        if once { &hosts[..1] } else { hosts }
    }

    /// Adds what one host includes, item by item.
    fn gather(
        self,
        host_run: &HostRun<'_>,
        inclusions: &mut Vec<Inclusion>,
    ) -> Result<(), sasrun_model::Outcome> {
        let scope = host_run.scope();
        let fail = |what: &str, error| template_failure(host_run, what, &error);
        let items = match host_run.items(&scope) {
            Ok(items) => items,
            Err(error) => {
                return match host_run.conditions(&(Arc::clone(&scope) as _)) {
                    Ok(Some(skip)) => Err(skip),
                    _ => Err(fail("loop", error)),
                };
            }
        };
        let variants: Vec<Made> = match &items {
            None => vec![Made::new()],
            Some(items) => (0..items.items.len())
                .map(|index| {
                    host_run
                        .item(&scope, items, index)
                        .variables
                        .into_iter()
                        .collect()
                })
                .collect(),
        };
        for (index, parameters) in variants.into_iter().enumerate() {
            let locals = parameters
                .iter()
                .map(|(name, value)| (Arc::clone(name), value.clone()));
            let inner: Arc<dyn Scope> = Arc::new(scope.with(locals));
            match host_run.decided_conditions(index, &inner) {
                Ok(None) => {}
                Ok(Some(skip)) if items.is_none() => return Err(skip),
                Ok(Some(_)) => continue,
                Err(error) => return Err(fail("when", error)),
            }
            let question = || format!("include {index} of {}", host_run.id(None, 0));
            let options = self
                .run
                .decided(question, || self.options(host_run, &inner))
                .map_err(|error| fail("arguments", error))?;
            let turn = items.is_some().then(|| Turn {
                index: inclusions.len(),
                variables: parameters.clone(),
            });
            let gives = self
                .gives(host_run, turn, parameters, &inner)
                .map_err(|error| fail("vars", error))?;
            add(inclusions, host_run.host, options, gives);
        }
        Ok(())
    }

    /// What is included and how; `apply` is for the loader and stays as written.
    fn options(
        self,
        host_run: &HostRun<'_>,
        scope: &Arc<dyn Scope>,
    ) -> Result<Value, sasrun_template::TemplateError> {
        let mut options = Map::new();
        for entry in host_run.task.arguments.entries() {
            if let Some(name) = entry.key.as_str().filter(|name| *name != "apply") {
                let value = host_run.templates().resolve(&entry.value, scope)?;
                options.insert(Key::from(name), value);
            }
        }
        Ok(Value::map(options))
    }

    /// Variables that the included steps see: those of the loop and of the including task. Whether
    /// one that looks at something undefined is looked at, the steps decide.
    fn gives(
        self,
        host_run: &HostRun<'_>,
        turn: Option<Turn>,
        mut parameters: Made,
        scope: &Arc<dyn Scope>,
    ) -> Result<Included, sasrun_template::TemplateError> {
        let mut written = Variables::new();
        for (name, node) in &host_run.task.variables {
            match host_run.templates().resolve(node, scope) {
                Ok(value) => {
                    parameters.insert(Arc::clone(name), value);
                }
                Err(error) if error.is_undefined() => {
                    written.insert(Arc::clone(name), Arc::clone(node));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Included {
            task: Arc::clone(host_run.task),
            turn,
            parameters,
            written,
        })
    }

    /// Loads the steps of an inclusion and tells of it; what went wrong where they cannot be.
    fn loaded(
        self,
        kind: Include,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        inclusion: &Inclusion,
    ) -> Result<LoadedSteps, String> {
        let at = self.include_context(task, level);
        let loaded = match kind {
            _ if level.depth_of_includes() >= DEEPEST => {
                return Err(format!(
                    "included {DEEPEST} deep; does it include itself without end?"
                ));
            }
            Include::Tasks => self.run.files.load_tasks(&inclusion.what, &at),
            Include::Role => {
                let request = role_request(task, inclusion);
                self.run.files.load_role(&request, &at).map(|loaded| {
                    if loaded.role.is_public {
                        self.play.publish_role(&loaded.role);
                    }
                    LoadedSteps {
                        steps: loaded.steps,
                        handlers: loaded.handlers,
                    }
                })
            }
        };
        let loaded = loaded.map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            problems.join("\n")
        })?;
        self.run.dispatcher.emit(EventKind::Included {
            task: Arc::clone(&task.path),
            what: inclusion.what.clone(),
            hosts: inclusion.hosts.clone(),
            arguments: Some((&inclusion.options).into()),
        });
        for host in &inclusion.hosts {
            self.run.count_ok(host);
        }
        Ok(loaded)
    }

    /// Fails the including task on all its hosts.
    fn fail_all(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
        msg: &str,
        failed: &mut Failed,
    ) {
        for host in hosts {
            let host_run = self.host_run(task, level, host);
            let outcome = host_run.finish_include(failure(msg));
            let caught = level.is_caught();
            self.run.count_unloaded(host, &outcome, caught);
            self.fail_include(&host_run, &outcome, failed);
        }
    }

    fn include_context(self, task: &Task, level: &Arc<Level>) -> IncludeContext {
        IncludeContext {
            path: Arc::clone(&task.path),
            span: task.span,
            directory: task.directory.clone(),
            playbook_directory: self.play.play.directory.clone(),
            root_directory: self.run.shared.playbook_directory.clone(),
            role: level.roles().next().cloned(),
            catches_failures: level.is_caught()
                || task.keywords.get(Keyword::IgnoreErrors).is_some(),
            is_handler: task.is_handler,
            apply: task.arguments.get("apply").cloned(),
        }
    }

    /// Walks through steps that nothing else keeps alive.
    async fn owned_steps(self, steps: Vec<Step>, level: Arc<Level>, hosts: Vec<Name>) -> Failed {
        let walk = Walk {
            run: self.run,
            play: self.play,
        };
        walk.steps(&steps, level, hosts).await
    }

    /// Carries out a task that nothing else keeps alive.
    pub(super) async fn owned_task(
        self,
        task: &Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
    ) -> Failed {
        let walk = Walk {
            run: self.run,
            play: self.play,
        };
        walk.task(task, level, hosts).await
    }

    /// Tells of an including task that was skipped or failed on a host.
    fn tell(self, host_run: &HostRun<'_>, outcome: sasrun_model::Outcome, failed: &mut Failed) {
        let outcome = host_run.finish_include(outcome);
        self.run
            .count(host_run.host, &outcome, host_run.level.is_caught());
        self.fail_include(host_run, &outcome, failed);
    }

    fn fail_include(self, host_run: &HostRun<'_>, outcome: &HostOutcome, failed: &mut Failed) {
        if !outcome.stops_host() {
            return;
        }
        let variables = super::failure_variables(host_run.task, &outcome.outcome.result);
        self.run.shared.change_host(host_run.host, |learnt| {
            Arc::make_mut(&mut learnt.set).extend(variables);
        });
        self.play.fails(host_run.host);
        if !failed.contains(host_run.host) {
            failed.push(Arc::clone(host_run.host));
        }
    }
}

/// The role that an `include_role` names.
fn role_request(task: &Task, inclusion: &Inclusion) -> RoleRequest {
    let text = |key: &str| {
        inclusion
            .options
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let flag = |key: &str| inclusion.options.get(key).and_then(Value::to_boolean);
    RoleRequest {
        name: inclusion.what.clone(),
        tasks_from: text("tasks_from"),
        vars_from: text("vars_from"),
        defaults_from: text("defaults_from"),
        handlers_from: text("handlers_from"),
        is_public: flag("public"),
        validates: flag("rolespec_validate").unwrap_or(true),
        allow_duplicates: flag("allow_duplicates"),
        parameters: task.variables.clone(),
    }
}

fn add(inclusions: &mut Vec<Inclusion>, host: &Name, options: Value, gives: Included) {
    let what = ["file", "_raw_params", "name"]
        .iter()
        .find_map(|key| options.get(key).and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned();
    let same = inclusions.iter_mut().find(|inclusion| {
        inclusion.options == options
            && inclusion.gives.is_same(&gives)
            && !inclusion.hosts.contains(host)
    });
    match same {
        Some(inclusion) => inclusion.hosts.push(Arc::clone(host)),
        None => inclusions.push(Inclusion {
            what,
            options,
            gives,
            hosts: vec![Arc::clone(host)],
        }),
    }
}
