//! MM-8: what must be seen before a destination core is upgraded.

use super::log::{Log, text};

/// Looks in a row that must be black.
const LOOKS: usize = 3;

/// The first upgrade of MM-9 in each destination, with the core's name.
fn beginnings(log: &Log) -> Vec<(String, usize)> {
    log.destinations()
        .filter_map(|core| {
            let upgrades = log.upgrades_of(core);
            let first = upgrades.iter().find(|one| one.component != "truth")?;
            Some((core.name.clone(), first.begin))
        })
        .collect()
}

/// Looks at the page before this place, latest first: place and whether all was black.
fn looks_before(log: &Log, limit: usize) -> Vec<(usize, bool)> {
    let mut looks: Vec<(usize, bool)> = log
        .named("spin.mesh_state")
        .filter(|(at, event)| *at < limit && log.is_source(&event.host))
        .map(|(at, event)| (at, event.details.get("black") == Some(&true.into())))
        .collect();
    looks.reverse();
    looks
}

/// Changes of the source core before a place.
fn changes_before<'a>(log: &'a Log, limit: usize) -> impl Iterator<Item = (usize, String)> + 'a {
    let events = log.events.iter().enumerate().take(limit);
    events
        .filter(|(_, event)| log.is_source(&event.host))
        .filter(|(_, event)| {
            matches!(
                event.what.as_str(),
                "installer.component.begin"
                    | "installer.component.end"
                    | "service.start"
                    | "service.stop"
            )
        })
        .map(|(at, event)| {
            let subject = text(event, "service") + &text(event, "component");
            (at, format!("{}: {} {subject}", event.host, event.what))
        })
}

pub(super) fn black_before_destinations(log: &Log) -> Option<String> {
    let begun = beginnings(log);
    if begun.is_empty() {
        return Some("no destination was upgraded".to_owned());
    }
    begun.into_iter().find_map(|(core, begin)| {
        let looks = looks_before(log, begin);
        let black = looks.iter().take_while(|(_, is_black)| *is_black).count();
        (black < LOOKS).then(|| format!("{core} was begun after {black} black looks in a row"))
    })
}

/// The looks that count end with the last one before MM-9; the source must be complete before the first of them.
pub(super) fn after_source(log: &Log) -> Option<String> {
    let source = log.source()?;
    let Some(complete) = log.upgrades_of(source).iter().map(|one| one.end).max() else {
        return Some("the source core was never upgraded".to_owned());
    };
    beginnings(log).into_iter().find_map(|(core, begin)| {
        let looks = looks_before(log, begin);
        let earliest = looks.get(LOOKS - 1).map_or(0, |(at, _)| *at);
        (earliest < complete)
            .then(|| format!("the looks before {core} began before the source core was complete"))
    })
}

pub(super) fn void_when_touched(log: &Log) -> Option<String> {
    beginnings(log).into_iter().find_map(|(core, begin)| {
        let looks = looks_before(log, begin);
        let earliest = looks.get(LOOKS - 1).map_or(0, |(at, _)| *at);
        let touched = changes_before(log, begin).find(|(at, _)| *at > earliest);
        touched.map(|(_, change)| format!("{change}, after the looks that let {core} begin"))
    })
}
