//! Cores, their servers, and satellites: exactly one source core, known components, and nothing
//! named or addressed twice.

use std::net::IpAddr;

use indexmap::IndexMap;
use sasrun_plugin::{Marked, MarkedEntry};

use super::document::{Fields, Problems};
use super::{Core, Facility, Satellite, Server, is_identifier, variables};
use crate::component::CORE_IDS;
use crate::spelling;

/// Groups that the layout makes itself.
const RESERVED: &[&str] = &[
    "all",
    "ungrouped",
    "cores",
    "mesh_hosts",
    "source_core",
    "destination_cores",
    "destinations_serial",
    "destinations_parallel",
    "satellites",
];

/// Reads all cores.
pub(super) fn read(value: &Marked, problems: &mut Problems) -> IndexMap<String, Core> {
    let mut cores = IndexMap::new();
    let mut hosts: Vec<(String, u32)> = Vec::new();
    let mut sources: Vec<&Marked> = Vec::new();
    let mut facilities: Vec<(i64, String, String)> = Vec::new();
    let entries = problems.entries(value, "`cores`");
    for (name, entry) in &entries {
        judge_core_name(name, entry, problems);
        let what = format!("core `{name}`");
        let core = read_core(&what, entry, &mut hosts, problems);
        if core.source {
            sources.push(entry.value.get("source").unwrap_or(&entry.value));
        }
        judge_facility(name, entry, &core.facility, &mut facilities, problems);
        cores.insert((*name).to_owned(), core);
    }
    if cores.is_empty() {
        problems.at(value, "the mesh has no cores");
    } else {
        judge_sources(value, &sources, problems);
    }
    cores
}

fn judge_core_name(name: &str, entry: &MarkedEntry, problems: &mut Problems) {
    if RESERVED.contains(&name) || name.starts_with("component_") {
        problems.hinted(
            &entry.key,
            format!("`{name}` names a group of its own and cannot name a core"),
            "choose another name",
        );
    } else if !is_identifier(name) {
        problems.hinted(
            &entry.key,
            format!("`{name}` cannot name a core"),
            "use letters, digits and `_`, not a digit first",
        );
    }
}

/// Exactly one core of a mesh is the source: the one whose database the upgrade changes.
fn judge_sources(cores: &Marked, sources: &[&Marked], problems: &mut Problems) {
    let hint =
        "write `source: true` in exactly one core: the one whose database the upgrade changes";
    match sources {
        [] => problems.hinted(cores, "no core is the source core", hint),
        [_] => {}
        [first, rest @ ..] => {
            for place in rest {
                problems.hinted(
                    place,
                    format!("a second source core; the first is in line {}", first.line),
                    hint,
                );
            }
        }
    }
}

fn judge_facility(
    name: &str,
    entry: &MarkedEntry,
    facility: &Facility,
    known: &mut Vec<(i64, String, String)>,
    problems: &mut Problems,
) {
    let place = entry.value.get("facility").unwrap_or(&entry.value);
    if let Some((_, _, owner)) = known
        .iter()
        .find(|(id, _, _)| *id == facility.id && *id != 0)
    {
        let place = place.get("id").unwrap_or(place);
        problems.at(
            place,
            format!(
                "facility id {} is already that of core `{owner}`",
                facility.id
            ),
        );
    }
    if let Some((_, _, owner)) = known
        .iter()
        .find(|(_, short, _)| *short == facility.name && !short.is_empty())
    {
        let place = place.get("name").unwrap_or(place);
        problems.at(
            place,
            format!(
                "facility name `{}` is already that of core `{owner}`",
                facility.name
            ),
        );
    }
    known.push((facility.id, facility.name.clone(), name.to_owned()));
}

fn read_core(
    what: &str,
    entry: &MarkedEntry,
    known: &mut Vec<(String, u32)>,
    problems: &mut Problems,
) -> Core {
    let fields = problems.fields(
        &entry.value,
        what,
        &["source", "facility", "hosts", "vars", "response_file"],
    );
    let source = fields
        .get("source")
        .and_then(|place| problems.boolean(place, "`source`"))
        .unwrap_or(false);
    let facility = match fields.require("facility", what, problems) {
        Some(place) => read_facility(what, place, problems),
        None => Facility {
            id: 0,
            name: String::new(),
            agents: 0,
            capacity: None,
        },
    };
    let mut hosts = IndexMap::new();
    if let Some(place) = fields.require("hosts", what, problems) {
        for (name, entry) in problems.entries(place, &format!("`hosts` of {what}")) {
            judge_host_name(name, entry, known, problems);
            hosts.insert(name.to_owned(), read_server(name, entry, problems));
        }
        judge_placement(what, place, &hosts, problems);
    }
    Core {
        source,
        facility,
        vars: fields
            .get("vars")
            .map(|vars| variables(vars, &format!("`vars` of {what}"), problems))
            .unwrap_or_default(),
        response_file: fields
            .get("response_file")
            .and_then(|place| problems.path(place, "`response_file`")),
        hosts,
    }
}

fn read_facility(what: &str, place: &Marked, problems: &mut Problems) -> Facility {
    let what = format!("`facility` of {what}");
    let fields = problems.fields(place, &what, &["id", "name", "agents", "capacity"]);
    Facility {
        id: fields
            .require("id", &what, problems)
            .and_then(|id| problems.integer(id, "the facility's id", 1, 9999))
            .unwrap_or(0),
        name: fields
            .require("name", &what, problems)
            .and_then(|name| facility_name(name, problems))
            .unwrap_or_default(),
        agents: fields
            .get("agents")
            .and_then(|agents| problems.integer(agents, "the number of agents", 0, 10_000_000))
            .unwrap_or(0),
        capacity: fields
            .get("capacity")
            .and_then(|most| problems.integer(most, "the capacity", 1, 10_000_000)),
    }
}

/// The short name is part of directory and service names on the hosts.
fn facility_name(place: &Marked, problems: &mut Problems) -> Option<String> {
    let name = problems.text(place, "the facility's name")?;
    if name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    {
        return Some(name);
    }
    problems.hinted(
        place,
        format!("`{name}` cannot be a facility's short name"),
        "it is part of names such as opswgw-cgw0-NAME: letters, digits, `-` and `_`",
    );
    None
}

fn judge_host_name(
    name: &str,
    entry: &MarkedEntry,
    known: &mut Vec<(String, u32)>,
    problems: &mut Problems,
) {
    let good = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !good {
        problems.hinted(
            &entry.key,
            format!("`{name}` cannot name a host"),
            "use letters, digits, `.`, `_` and `-`",
        );
    }
    if let Some((_, line)) = known.iter().find(|(host, _)| host == name) {
        problems.hinted(
            &entry.key,
            format!("host `{name}` is listed twice"),
            format!("the first is in line {line}"),
        );
    }
    known.push((name.to_owned(), entry.key.line));
}

fn read_server(name: &str, entry: &MarkedEntry, problems: &mut Problems) -> Server {
    let what = format!("host `{name}`");
    let fields = problems.fields(&entry.value, &what, &["address", "components", "vars"]);
    let mut components: Vec<String> = Vec::new();
    if let Some(place) = fields.require("components", &what, problems) {
        for (id, element) in problems.words(place, &format!("`components` of {what}")) {
            if !CORE_IDS.contains(&id.as_str()) {
                problems.hinted(
                    element,
                    format!("unknown component `{id}`"),
                    spelling::hint(&id, CORE_IDS),
                );
            } else if components.contains(&id) {
                problems.at(
                    element,
                    format!("component `{id}` is listed twice on {what}"),
                );
            } else {
                components.push(id);
            }
        }
    }
    Server {
        address: fields
            .require("address", &what, problems)
            .and_then(|place| address(place, problems))
            .unwrap_or_default(),
        components,
        vars: fields
            .get("vars")
            .map(|vars| variables(vars, &format!("`vars` of {what}"), problems))
            .unwrap_or_default(),
    }
}

/// A core has one database and at least one gateway.
fn judge_placement(
    what: &str,
    place: &Marked,
    hosts: &IndexMap<String, Server>,
    problems: &mut Problems,
) {
    let carrying = |id: &str| -> Vec<&str> {
        hosts
            .iter()
            .filter(|(_, host)| host.components.iter().any(|component| component == id))
            .map(|(name, _)| name.as_str())
            .collect()
    };
    if hosts.is_empty() {
        problems.at(place, format!("{what} has no hosts"));
        return;
    }
    match carrying("truth").as_slice() {
        [] => problems.hinted(
            place,
            format!("{what} has no `truth`"),
            "every core has exactly one host with the component truth",
        ),
        [_] => {}
        several => problems.hinted(
            place,
            format!("{what} has `truth` on {}", several.join(" and ")),
            "every core has exactly one host with the component truth",
        ),
    }
    if carrying("gateway").is_empty() {
        problems.hinted(
            place,
            format!("{what} has no `gateway`"),
            "every core has at least one host with the component gateway",
        );
    }
}

/// Reads the satellites, each of which belongs to a core.
pub(super) fn read_satellites(
    value: &Marked,
    cores: &IndexMap<String, Core>,
    problems: &mut Problems,
) -> IndexMap<String, Satellite> {
    let mut satellites = IndexMap::new();
    let mut known: Vec<(String, u32)> = Vec::new();
    for (name, entry) in problems.entries(value, "`satellites`") {
        judge_host_name(name, entry, &mut known, problems);
        if cores.values().any(|core| core.hosts.contains_key(name)) {
            problems.at(&entry.key, format!("`{name}` is already a host of a core"));
        }
        let what = format!("satellite `{name}`");
        let fields = problems.fields(
            &entry.value,
            &what,
            &["address", "core", "os_provisioning", "vars"],
        );
        let core = fields
            .require("core", &what, problems)
            .and_then(|place| known_core(place, cores, problems))
            .unwrap_or_default();
        let satellite = Satellite {
            address: fields
                .require("address", &what, problems)
                .and_then(|place| address(place, problems))
                .unwrap_or_default(),
            core,
            os_provisioning: fields
                .get("os_provisioning")
                .and_then(|place| problems.boolean(place, "`os_provisioning`"))
                .unwrap_or(false),
            vars: fields
                .get("vars")
                .map(|vars| variables(vars, &format!("`vars` of {what}"), problems))
                .unwrap_or_default(),
        };
        satellites.insert(name.to_owned(), satellite);
    }
    satellites
}

fn known_core(
    place: &Marked,
    cores: &IndexMap<String, Core>,
    problems: &mut Problems,
) -> Option<String> {
    let name = problems.text(place, "`core`")?;
    if cores.contains_key(&name) {
        return Some(name);
    }
    let known: Vec<&str> = cores.keys().map(String::as_str).collect();
    problems.hinted(
        place,
        format!("there is no core `{name}`"),
        spelling::hint(&name, &known),
    );
    None
}

/// An address: IPv4, IPv6 or a name.
fn address(place: &Marked, problems: &mut Problems) -> Option<String> {
    let text = problems.text(place, "`address`")?;
    let numeric = text.contains('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let named = !numeric
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if named || text.parse::<IpAddr>().is_ok() {
        return Some(text);
    }
    problems.hinted(
        place,
        format!("`{text}` is no address"),
        "write an IP address or a host name, without a port",
    );
    None
}

/// No two servers share an address.
pub(super) fn judge_addresses(top: &Fields<'_>, problems: &mut Problems) {
    let cores = top.get("cores").map(Marked::entries).unwrap_or_default();
    let servers = cores
        .iter()
        .filter_map(|core| core.value.get("hosts"))
        .flat_map(Marked::entries)
        .chain(
            top.get("satellites")
                .map(Marked::entries)
                .unwrap_or_default(),
        );
    let mut known: Vec<(&str, &str)> = Vec::new();
    for server in servers {
        let (Some(name), Some(place)) = (server.key.as_str(), server.value.get("address")) else {
            continue;
        };
        let Some(address) = place.as_str() else {
            continue;
        };
        if let Some((_, owner)) = known.iter().find(|(taken, _)| *taken == address) {
            problems.at(
                place,
                format!("address {address} is already that of host `{owner}`"),
            );
        }
        known.push((address, name));
    }
}
