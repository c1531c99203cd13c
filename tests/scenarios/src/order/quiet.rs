//! MM-4 to MM-6: what must be down, what must be up, and what nobody may start in between.

use saslab::world::Component;

use super::log::{Log, Moment, barrier, strings, text};

/// The first umount of an audit file system.
fn unmounts(log: &Log) -> Vec<Moment> {
    log.named("mount.umount")
        .filter(|(_, event)| {
            event
                .details
                .get("status")
                .and_then(serde_json::Value::as_i64)
                == Some(0)
        })
        .filter(|(_, event)| {
            strings(event, "argv")
                .iter()
                .any(|place| place.contains("audit"))
        })
        .map(|(at, event)| Moment {
            at,
            text: format!("{}: audit file system off", event.host),
        })
        .collect()
}

/// The first upgrade of anything.
fn first_upgrade(log: &Log) -> Option<Moment> {
    log.upgrades().first().map(super::Upgrade::begun)
}

pub(super) fn stopped_before_unmount(log: &Log) -> Option<String> {
    let limit = [unmounts(log), first_upgrade(log).into_iter().collect()].concat();
    let stops = log.calls("stop", "end");
    let mut done = Vec::new();
    for host in log.world.core_hosts() {
        let stop = stops
            .iter()
            .find(|call| call.host == host.name && call.names.is_empty());
        let Some(stop) = stop else {
            return Some(format!("{} was never stopped", host.name));
        };
        done.push(Moment {
            at: stop.at,
            text: format!("{}: stopped", host.name),
        });
    }
    barrier(&done, &limit)
}

pub(super) fn gateways_back(log: &Log) -> Option<String> {
    let limit = [unmounts(log), first_upgrade(log).into_iter().collect()].concat();
    let stops = log.calls("stop", "end");
    let starts = log.calls("start", "end");
    let mut done = Vec::new();
    for host in log.hosts_with(Component::Gateway) {
        let stopped = stops
            .iter()
            .find(|call| call.host == host.name && call.names.is_empty())
            .map_or(0, |call| call.at);
        let start = starts.iter().find(|call| {
            call.host == host.name
                && call.at > stopped
                && call.names.iter().all(|name| is_core_gateway(name))
        });
        let Some(start) = start else {
            return Some(format!(
                "{}: the core gateway was not started again",
                host.name
            ));
        };
        done.push(Moment {
            at: start.at,
            text: format!("{}: core gateway started", host.name),
        });
    }
    barrier(&done, &limit)
}

pub(super) fn unmounted_before_databases(log: &Log) -> Option<String> {
    let off = unmounts(log);
    let mounted_again = log
        .named("mount.mount")
        .filter(|(_, event)| text(event, "by") == "installer")
        .map(|(_, event)| event.host.as_str());
    for host in mounted_again {
        if !off
            .iter()
            .any(|one| one.text.starts_with(&format!("{host}:")))
        {
            return Some(format!("{host}: the audit file system was never taken off"));
        }
    }
    if off.is_empty() {
        return Some("no audit file system was taken off".to_owned());
    }
    barrier(&off, &first_upgrade(log).into_iter().collect::<Vec<_>>())
}

pub(super) fn transport_before_source(log: &Log) -> Option<String> {
    let source: Vec<_> = log
        .source()
        .map(|core| log.upgrades_of(core))
        .unwrap_or_default();
    let Some(begin) = source.first() else {
        return Some("the source core was never upgraded".to_owned());
    };
    for host in log
        .hosts_with(Component::Vault)
        .filter(|host| !host.source_core)
    {
        for service in ["rvrdscrip", "vaultdaemon"] {
            let mut is_up = true;
            for (at, event) in log.events.iter().enumerate().take(begin.begin) {
                if event.host == host.name && text(event, "service").starts_with(service) {
                    match event.what.as_str() {
                        "service.start" => is_up = true,
                        "service.stop" => is_up = false,
                        _ => {}
                    }
                }
                debug_assert!(at < begin.begin);
            }
            if !is_up {
                return Some(format!(
                    "{}: {service} was down when the source core began",
                    host.name
                ));
            }
        }
    }
    None
}

pub(super) fn only_gateways_started(log: &Log) -> Option<String> {
    let Some(stop) = log.calls("stop", "begin").first().map(|call| call.at) else {
        return Some("nothing was ever stopped".to_owned());
    };
    let calls = ["start", "startsync", "restart"]
        .iter()
        .flat_map(|verb| log.calls(verb, "begin"));
    for call in calls.filter(|call| call.at > stop) {
        let Some(host) = log.host(&call.host) else {
            continue;
        };
        let Some(core) = log.world.core(&host.core) else {
            continue;
        };
        let upgrades = log.upgrades_of(core);
        // In a destination the database's upgrade opens MM-6.2, in the source any upgrade MM-7.
        let database_done = upgrades
            .iter()
            .find(|one| one.component == "truth")
            .map_or(usize::MAX, |one| one.end);
        let core_begun = upgrades
            .iter()
            .find(|one| core.source || one.component != "truth")
            .map_or(usize::MAX, |one| one.begin);
        let is_allowed = |name: &String| {
            is_core_gateway(name)
                || (!core.source
                    && call.at > database_done
                    && (name.starts_with("rvrdscrip") || name == "vaultdaemon"))
        };
        if call.at < core_begun && (call.names.is_empty() || !call.names.iter().all(is_allowed)) {
            let names = if call.names.is_empty() {
                "everything".to_owned()
            } else {
                call.names.join(", ")
            };
            return Some(format!("{}: {names} started too early", call.host));
        }
    }
    None
}

pub(super) fn spin_down(log: &Log) -> Option<String> {
    let source = log.source()?;
    let Some(source_begins) = log.upgrades_of(source).first().map(|one| one.begin) else {
        return Some("the source core was never upgraded".to_owned());
    };
    for core in log.destinations() {
        let again = log
            .upgrades_of(core)
            .iter()
            .find(|one| one.component == "spin")
            .map_or(log.events.len(), |one| one.begin);
        for host in core.hosts.iter().filter(|host| host.has(Component::Spin)) {
            let mut is_up = true;
            for (at, event) in log.events.iter().enumerate().take(again) {
                if event.host == host.name && text(event, "service") == "spin" {
                    match event.what.as_str() {
                        "service.start" => is_up = true,
                        "service.stop" => is_up = false,
                        _ => {}
                    }
                }
                if at >= source_begins && is_up {
                    return Some(format!(
                        "{}: spin ran after MM-6.3 and before MM-9.1",
                        host.name
                    ));
                }
            }
        }
    }
    None
}

pub(super) fn database_always_up(log: &Log) -> Option<String> {
    let stopped = log.events.iter().find(|event| {
        event.what == "opsware-oracle.stop"
            || event.what == "service.stop"
                && text(event, "service").to_lowercase().contains("oracle")
    });
    stopped.map(|event| format!("{}: the database was stopped", event.host))
}

fn is_core_gateway(name: &str) -> bool {
    name == "opswgw-cgw0" || name.starts_with("opswgw-cgw0-")
}
