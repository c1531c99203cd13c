//! How far a core has come in the multimaster upgrade, read from what its servers say.

use std::collections::BTreeMap;

/// What was read from one server.
#[derive(Debug, Clone, Default)]
pub(super) struct Server {
    pub(super) host: String,
    /// Release by component, the uploads among them.
    pub(super) versions: BTreeMap<String, String>,
    /// Services of which a process is there.
    pub(super) running: Vec<String>,
}

/// One core with its servers.
#[derive(Debug, Clone, Default)]
pub(super) struct Core {
    pub(super) name: String,
    pub(super) is_source: bool,
    /// Servers that answered, in the inventory's order.
    pub(super) servers: Vec<Server>,
    /// Components by server, as the inventory gives them.
    pub(super) components: Vec<(String, Vec<String>)>,
}

/// How far a core has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Everything at the start release, services running.
    Start,
    /// The same, but nothing runs except the core gateway (MM-4).
    Stopped,
    /// The database at the target, the rest at the start (MM-6 of a destination).
    Database,
    /// In the middle of MM-7 or MM-9.
    Begun,
    /// Every component at the target.
    Complete,
}

impl Stage {
    /// The word for playbooks and messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stopped => "stopped",
            Self::Database => "database",
            Self::Begun => "begun",
            Self::Complete => "complete",
        }
    }
}

/// Services that may run while a core counts as stopped.
fn may_run_when_stopped(service: &str) -> bool {
    service == "opswgw-cgw0" || service.starts_with("opswgw-cgw0-")
}

/// Tells the stage of a core, or what is wrong with its versions.
///
/// `order` is the order of components in which the core is upgraded; `is_start` and `is_target`
/// tell releases.
pub(super) fn stage(
    core: &Core,
    order: &[String],
    is_start: &dyn Fn(&str) -> bool,
    is_target: &dyn Fn(&str) -> bool,
) -> Result<Stage, Vec<String>> {
    let mut at_start: Vec<(&str, &str)> = Vec::new();
    let mut at_target: Vec<(&str, &str)> = Vec::new();
    let mut wrong = Vec::new();
    for (host, components) in &core.components {
        let Some(server) = core.servers.iter().find(|server| server.host == *host) else {
            wrong.push(format!("{host} was not read"));
            continue;
        };
        for id in components {
            match server.versions.get(id).map(String::as_str) {
                Some(version) if is_target(version) => at_target.push((host, id)),
                Some(version) if is_start(version) => at_start.push((host, id)),
                Some(version) => wrong.push(format!("{id} on {host} is at {version}")),
                None => wrong.push(format!("the version of {id} on {host} is not known")),
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if at_start.is_empty() {
        return Ok(Stage::Complete);
    }
    if at_target.is_empty() {
        let running = core
            .servers
            .iter()
            .flat_map(|server| &server.running)
            .any(|name| !may_run_when_stopped(name));
        return Ok(if running {
            Stage::Start
        } else {
            Stage::Stopped
        });
    }
    if !core.is_source && at_target.iter().all(|(_, id)| *id == "truth") {
        return Ok(Stage::Database);
    }
    in_order(core, order, &at_start, &at_target)
}

/// A mix of releases is accepted only if it is one that the procedure itself leaves when it stops.
fn in_order(
    core: &Core,
    order: &[String],
    at_start: &[(&str, &str)],
    at_target: &[(&str, &str)],
) -> Result<Stage, Vec<String>> {
    let place = |id: &str| {
        order
            .iter()
            .position(|known| known == id)
            .unwrap_or(usize::MAX)
    };
    // On a destination everything between vault and gateway may go in parallel.
    let rank = |id: &str| match (core.is_source, id) {
        (false, "way" | "word" | "ogfs" | "occ" | "media" | "buildmgr") => place("way"),
        (true, "media" | "buildmgr") => place("media").min(place("buildmgr")),
        _ => place(id),
    };
    let early: Vec<String> = at_target
        .iter()
        .filter(|(_, id)| at_start.iter().any(|(_, left)| rank(left) < rank(id)))
        .map(|(host, id)| {
            let left = at_start
                .iter()
                .find(|(_, left)| rank(left) < rank(id))
                .map_or("", |(_, left)| left);
            format!(
                "{id} on {host} is at the target already, but {left}, which comes before it, is not"
            )
        })
        .collect();
    if early.is_empty() {
        Ok(Stage::Begun)
    } else {
        Err(early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(is_source: bool, versions: &[(&str, &str)], running: &[&str]) -> Core {
        Core {
            name: "core_x".into(),
            is_source,
            servers: vec![Server {
                host: "x1".into(),
                versions: versions
                    .iter()
                    .map(|(id, version)| ((*id).to_owned(), (*version).to_owned()))
                    .collect(),
                running: running.iter().map(|name| (*name).to_owned()).collect(),
            }],
            components: vec![(
                "x1".into(),
                versions.iter().map(|(id, _)| (*id).to_owned()).collect(),
            )],
        }
    }

    fn tell(core: &Core) -> Result<Stage, Vec<String>> {
        let order: Vec<String> = [
            "truth", "spin", "vault", "way", "word", "ogfs", "occ", "media", "buildmgr", "gateway",
            "boot",
        ]
        .map(str::to_owned)
        .to_vec();
        stage(core, &order, &|version| version == "6.6", &|version| {
            version == "6.61"
        })
    }

    #[test]
    fn stages_follow_from_versions_and_services() {
        let old = [("truth", "6.6"), ("spin", "6.6"), ("gateway", "6.6")];
        let table = [
            (core(true, &old, &["spin", "opswgw-cgw0-A"]), Stage::Start),
            (core(true, &old, &["opswgw-cgw0-A"]), Stage::Stopped),
            (core(true, &old, &[]), Stage::Stopped),
            (
                core(false, &[("truth", "6.61"), ("spin", "6.6")], &[]),
                Stage::Database,
            ),
            (
                core(true, &[("truth", "6.61"), ("spin", "6.6")], &[]),
                Stage::Begun,
            ),
            (
                core(
                    false,
                    &[
                        ("truth", "6.61"),
                        ("spin", "6.61"),
                        ("vault", "6.61"),
                        ("way", "6.6"),
                        ("occ", "6.61"),
                    ],
                    &[],
                ),
                Stage::Begun,
            ),
            (
                core(true, &[("truth", "6.61"), ("spin", "6.61")], &["spin"]),
                Stage::Complete,
            ),
        ];
        for (core, wanted) in table {
            assert_eq!(tell(&core), Ok(wanted), "{core:?}");
        }
    }

    #[test]
    fn other_releases_and_other_mixes_are_refused() {
        let table = [
            (
                core(true, &[("truth", "6.5.0"), ("spin", "6.6")], &[]),
                "truth on x1 is at 6.5.0",
            ),
            (core(true, &[("truth", "absent")], &[]), "is at absent"),
            (
                core(true, &[("truth", "6.6"), ("spin", "6.61")], &[]),
                "spin on x1 is at the target already, but truth",
            ),
            (
                core(
                    false,
                    &[("truth", "6.61"), ("way", "6.6"), ("gateway", "6.61")],
                    &[],
                ),
                "gateway on x1",
            ),
            (
                core(
                    true,
                    &[("truth", "6.61"), ("way", "6.6"), ("occ", "6.61")],
                    &[],
                ),
                "occ on x1",
            ),
        ];
        for (core, wanted) in table {
            let wrong = tell(&core).unwrap_err().join("; ");
            assert!(wrong.contains(wanted), "{wrong}");
        }
        let mut unread = core(true, &[("truth", "6.6")], &[]);
        unread.servers.clear();
        assert!(tell(&unread).unwrap_err()[0].contains("was not read"));
    }
}
