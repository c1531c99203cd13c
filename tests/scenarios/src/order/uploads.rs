//! MM-10 to MM-14: content once, stage2 everywhere, then the last look.

use saslab::world::Component;

use super::log::{Log, Moment, Upgrade, barrier};

fn uploads(log: &Log, component: &str, of_source: Option<bool>) -> Vec<Upgrade> {
    let mut all = log.upgrades();
    all.retain(|one| {
        one.component == component
            && of_source.is_none_or(|source| log.is_source(&one.host) == source)
    });
    all
}

fn begun(upgrades: &[Upgrade]) -> Vec<Moment> {
    upgrades.iter().map(Upgrade::begun).collect()
}

fn ended(upgrades: &[Upgrade]) -> Vec<Moment> {
    upgrades.iter().map(Upgrade::ended).collect()
}

pub(super) fn destinations_before_content(log: &Log) -> Option<String> {
    let done: Vec<Moment> = log
        .destinations()
        .flat_map(|core| ended(&log.upgrades_of(core)))
        .collect();
    barrier(&done, &begun(&uploads(log, "content", None)))
}

pub(super) fn components_before_content(log: &Log) -> Option<String> {
    let cores = log.world.cores.iter();
    let done: Vec<Moment> = cores
        .flat_map(|core| ended(&log.upgrades_of(core)))
        .collect();
    barrier(&done, &begun(&uploads(log, "content", None)))
}

pub(super) fn content_before_stage2(log: &Log) -> Option<String> {
    barrier(
        &ended(&uploads(log, "content", None)),
        &begun(&uploads(log, "stage2", Some(true))),
    )
}

pub(super) fn source_stage2_first(log: &Log) -> Option<String> {
    barrier(
        &ended(&uploads(log, "stage2", Some(true))),
        &begun(&uploads(log, "stage2", Some(false))),
    )
}

pub(super) fn before_verification(log: &Log) -> Option<String> {
    let last = log
        .upgrades()
        .iter()
        .filter(|one| one.component == "stage2")
        .map(|one| one.end)
        .max()
        .unwrap_or(log.events.len());
    let unseen = log.world.cores.iter().find(|core| {
        let seen = log
            .named("sqlplus.query")
            .any(|(at, event)| at > last && core.hosts.iter().any(|host| host.name == event.host));
        !seen
    });
    unseen.map(|core| {
        format!(
            "{} was not looked at for conflicts after the last upload",
            core.name
        )
    })
}

pub(super) fn content_exactly_once(log: &Log) -> Option<String> {
    if let Some(stray) = uploads(log, "content", Some(false)).first() {
        return Some(format!("{}: content on a destination core", stray.host));
    }
    let good = uploads(log, "content", Some(true))
        .iter()
        .filter(|one| one.is_good)
        .count();
    (good != 1).then(|| format!("the content was installed {good} times"))
}

pub(super) fn stage2_everywhere(log: &Log) -> Option<String> {
    let done = uploads(log, "stage2", None);
    let without = log
        .hosts_with(Component::Word)
        .find(|host| !done.iter().any(|one| one.is_good && one.host == host.name));
    without.map(|host| format!("{}: the stage2 images were never added", host.name))
}
