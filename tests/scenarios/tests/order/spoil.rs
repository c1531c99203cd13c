//! Ways to spoil a log.

use std::collections::BTreeSet;

use saslab::events::Event;
use saslab::world::World;
use sasrun_scenarios::order::{Procedure, violations};
use sasrun_scenarios::pattern::Pattern;
use serde_json::{Value, json};

/// One way to spoil a log; patterns name the first event that they match, unless told otherwise.
#[derive(Debug, Clone)]
pub(crate) enum Spoil {
    /// The first event to just before the second.
    Before(String, String),
    /// The first event to just after the second.
    After(String, String),
    /// Without any event of this pattern.
    Without(String),
    /// Every event of this pattern twice.
    Twice(String),
    /// One component's upgrade on one host once more, at the end.
    Again(&'static str, &'static str),
    /// A detail of every event of this pattern.
    Set(String, &'static str, Value),
    /// Something that nobody did, before an event.
    Insert(Value, String),
    /// Something that nobody did, after everything else.
    Append(Value),
}

fn position(log: &[Event], pattern: &str) -> usize {
    let parsed = Pattern::parse(pattern).unwrap();
    log.iter()
        .position(|event| parsed.matches(event))
        .unwrap_or_else(|| panic!("the log has no {pattern}"))
}

impl Spoil {
    pub(crate) fn applied(&self, log: &[Event]) -> Vec<Event> {
        let mut log = log.to_vec();
        match self {
            Self::Before(what, place) => {
                let event = log.remove(position(&log, what));
                let at = position(&log, place);
                log.insert(at, event);
            }
            Self::After(what, place) => {
                let event = log.remove(position(&log, what));
                let at = position(&log, place) + 1;
                log.insert(at, event);
            }
            Self::Without(what) => {
                position(&log, what);
                let pattern = Pattern::parse(what).unwrap();
                log.retain(|event| !pattern.matches(event));
            }
            Self::Twice(what) => {
                position(&log, what);
                let pattern = Pattern::parse(what).unwrap();
                log = log
                    .into_iter()
                    .flat_map(|event| {
                        let count = 1 + usize::from(pattern.matches(&event));
                        std::iter::repeat_n(event, count)
                    })
                    .collect();
            }
            Self::Again(host, component) => {
                for what in [begin(host, component), end(host, component)] {
                    let event = log[position(&log, &what)].clone();
                    log.push(event);
                }
            }
            Self::Set(what, key, value) => {
                position(&log, what);
                let pattern = Pattern::parse(what).unwrap();
                for event in log.iter_mut().filter(|event| pattern.matches(event)) {
                    event.details.insert((*key).to_owned(), value.clone());
                }
            }
            Self::Insert(event, place) => {
                let at = position(&log, place);
                log.insert(at, whole(event));
            }
            Self::Append(event) => log.push(whole(event)),
        }
        log
    }
}

/// An event with what every event has.
fn whole(event: &Value) -> Event {
    let mut full = json!({"seq": 0, "at_ms": 0, "class": "effect"});
    let object = full.as_object_mut().unwrap();
    object.extend(event.as_object().unwrap().clone());
    serde_json::from_value(full).unwrap()
}

pub(crate) fn before(what: &str, place: &str) -> Spoil {
    Spoil::Before(what.to_owned(), place.to_owned())
}

pub(crate) fn after(what: &str, place: &str) -> Spoil {
    Spoil::After(what.to_owned(), place.to_owned())
}

pub(crate) fn without(what: &str) -> Spoil {
    Spoil::Without(what.to_owned())
}

pub(crate) fn insert(event: Value, place: &str) -> Spoil {
    Spoil::Insert(event, place.to_owned())
}

pub(crate) fn begin(host: &str, component: &str) -> String {
    format!("installer.component.begin @{host} component=^{component}$")
}

pub(crate) fn end(host: &str, component: &str) -> String {
    format!("installer.component.end @{host} component=^{component}$")
}

pub(crate) fn start(host: &str, names: &[&str]) -> Value {
    let argv: Vec<&str> = std::iter::once("start")
        .chain(names.iter().copied())
        .collect();
    json!({"what": "opsware-sas.start", "host": host, "argv": argv, "stage": "begin"})
}

pub(crate) fn service(host: &str, what: &str, name: &str) -> Value {
    json!({"what": format!("service.{what}"), "host": host, "service": name, "by": "opsware-sas"})
}

pub(crate) fn failed(host: &str, component: &str) -> Spoil {
    Spoil::Set(end(host, component), "result", json!("FAILURE"))
}

/// The good log keeps every property of the procedure, and each property refuses every log spoilt for it.
pub(crate) fn hold_against(
    procedure: Procedure,
    world: &World,
    log: &[Event],
    spoils: &[(&'static str, Vec<Spoil>)],
) {
    let found: Vec<String> = violations(procedure, world, log)
        .into_iter()
        .map(|(property, cause)| format!("{}: {cause}", property.name))
        .collect();
    assert_eq!(found, [""; 0]);
    let known: BTreeSet<&str> = procedure.properties().iter().map(|one| one.name).collect();
    let broken: BTreeSet<&str> = spoils.iter().map(|(name, _)| *name).collect();
    assert_eq!(broken, known);
    let mut slipped = Vec::new();
    for (name, ways) in spoils {
        let property = procedure.properties().iter().find(|one| one.name == *name);
        for spoil in ways {
            if property
                .unwrap()
                .violation(world, &spoil.applied(log))
                .is_none()
            {
                slipped.push(format!("{name}: {spoil:?}"));
            }
        }
    }
    assert_eq!(slipped, [""; 0]);
}
