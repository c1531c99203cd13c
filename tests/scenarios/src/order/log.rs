//! The event log as the constraints read it: upgrades, calls of the service script, and which core a host is of.

use saslab::events::Event;
use saslab::world::{Component, Core, Host, World};
use serde_json::Value;

/// A place in the log, with words for what happened there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    pub at: usize,
    pub text: String,
}

/// One component's upgrade on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    pub host: String,
    pub component: String,
    pub begin: usize,
    /// Past the end of the log for one that never ended.
    pub end: usize,
    pub is_good: bool,
}

impl Upgrade {
    pub(crate) fn begun(&self) -> Moment {
        Moment {
            at: self.begin,
            text: format!("{}: {} begun", self.host, self.component),
        }
    }

    pub(crate) fn ended(&self) -> Moment {
        Moment {
            at: self.end,
            text: format!("{}: {} ended", self.host, self.component),
        }
    }
}

/// One call of the service script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub at: usize,
    pub host: String,
    /// Names that the call gives; none means all.
    pub names: Vec<String>,
}

/// The log of a mesh.
pub struct Log<'a> {
    pub(crate) world: &'a World,
    pub(crate) events: &'a [Event],
}

impl<'a> Log<'a> {
    /// The events of this mesh, in the order in which they happened.
    pub fn new(world: &'a World, events: &'a [Event]) -> Self {
        Self { world, events }
    }

    pub(crate) fn named(&self, what: &str) -> impl Iterator<Item = (usize, &'a Event)> {
        self.events
            .iter()
            .enumerate()
            .filter(move |(_, event)| event.what == what)
    }

    /// Every upgrade of a component, in the order of their beginnings. A boot of its host ends one, too.
    pub fn upgrades(&self) -> Vec<Upgrade> {
        let ends: Vec<_> = self.named("installer.component.end").collect();
        let boots: Vec<_> = self.named("host.boot").collect();
        let mut taken = vec![false; ends.len()];
        let mut found = Vec::new();
        for (begin, event) in self.named("installer.component.begin") {
            let component = text(event, "component");
            let boot = boots
                .iter()
                .find(|(at, boot)| *at > begin && boot.host == event.host)
                .map(|(at, _)| *at);
            let end = ends.iter().enumerate().find(|(n, (at, end))| {
                let is_its = end.host == event.host && text(end, "component") == component;
                let is_of_this_boot = boot.is_none_or(|boot| *at < boot);
                *at > begin && is_its && is_of_this_boot && !taken.get(*n).copied().unwrap_or(true)
            });
            let (end, is_good) = match (end, boot) {
                (Some((n, (at, end))), _) => {
                    if let Some(slot) = taken.get_mut(n) {
                        *slot = true;
                    }
                    (*at, text(end, "result") == "SUCCESS")
                }
                (None, Some(boot)) => (boot, false),
                (None, None) => (self.events.len(), false),
            };
            found.push(Upgrade {
                host: event.host.clone(),
                component,
                begin,
                end,
                is_good,
            });
        }
        found
    }

    /// Upgrades of the release's components, without the uploads, in a core.
    pub(crate) fn upgrades_of(&self, core: &Core) -> Vec<Upgrade> {
        let mut all = self.upgrades();
        all.retain(|one| {
            !matches!(one.component.as_str(), "content" | "stage2")
                && core.hosts.iter().any(|host| host.name == one.host)
        });
        all
    }

    /// Calls of the service script with this verb, at the stage `begin` or `end`.
    pub(crate) fn calls(&self, verb: &str, stage: &str) -> Vec<Call> {
        self.named(&format!("opsware-sas.{verb}"))
            .filter(|(_, event)| text(event, "stage") == stage)
            .map(|(at, event)| Call {
                at,
                host: event.host.clone(),
                names: strings(event, "argv").into_iter().skip(1).collect(),
            })
            .collect()
    }

    pub(crate) fn host(&self, name: &str) -> Option<&'a Host> {
        self.world.host(name)
    }

    pub(crate) fn is_source(&self, host: &str) -> bool {
        self.host(host).is_some_and(|host| host.source_core)
    }

    pub(crate) fn source(&self) -> Option<&'a Core> {
        self.world.source_core()
    }

    pub(crate) fn destinations(&self) -> impl Iterator<Item = &'a Core> {
        self.world.cores.iter().filter(|core| !core.source)
    }

    pub(crate) fn hosts_with(&self, component: Component) -> impl Iterator<Item = &'a Host> {
        self.world
            .core_hosts()
            .filter(move |host| host.has(component))
    }
}

/// A detail that is text; empty where there is none.
pub(crate) fn text(event: &Event, key: &str) -> String {
    match event.details.get(key) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// A detail that is a list of texts.
pub(crate) fn strings(event: &Event, key: &str) -> Vec<String> {
    let items = event.details.get(key).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// All of `earlier` before all of `later`; neither may be empty.
pub(crate) fn barrier(earlier: &[Moment], later: &[Moment]) -> Option<String> {
    let (Some(last), Some(first)) = (
        earlier.iter().max_by_key(|moment| moment.at),
        later.iter().min_by_key(|moment| moment.at),
    ) else {
        return Some("one side of the barrier never happened".to_owned());
    };
    (last.at >= first.at).then(|| format!("{} before {}", first.text, last.text))
}
