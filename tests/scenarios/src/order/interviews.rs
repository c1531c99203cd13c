//! MM-2 and MM-3: who is interviewed first, and that nothing is stopped before.

use super::log::{Log, Moment};

fn saved(log: &Log, of_source: bool) -> Vec<Moment> {
    log.named("installer.response_saved")
        .filter(|(_, event)| log.is_source(&event.host) == of_source)
        .map(|(at, event)| Moment {
            at,
            text: format!("{}: response file saved", event.host),
        })
        .collect()
}

pub(super) fn source_first(log: &Log) -> Option<String> {
    let first = saved(log, true).into_iter().min_by_key(|one| one.at);
    let Some(first) = first else {
        return Some("the source core was not interviewed".to_owned());
    };
    let early = log
        .named("installer.begin")
        .find(|(at, event)| *at < first.at && !log.is_source(&event.host));
    early.map(|(_, event)| {
        format!(
            "{}: the installer was started before the source core's response file was saved",
            event.host
        )
    })
}

pub(super) fn all_before_stop(log: &Log) -> Option<String> {
    let stop = log
        .calls("stop", "begin")
        .into_iter()
        .map(|call| call.at)
        .min();
    let Some(stop) = stop else {
        return Some("nothing was ever stopped".to_owned());
    };
    let saved: Vec<Moment> = [saved(log, true), saved(log, false)].concat();
    for core in &log.world.cores {
        let has = saved.iter().any(|one| {
            one.at < stop
                && core
                    .hosts
                    .iter()
                    .any(|host| one.text.starts_with(&format!("{}:", host.name)))
        });
        if !has {
            return Some(format!(
                "{} had no new response file when the first stop came",
                core.name
            ));
        }
    }
    None
}
