//! The layout of a mesh as groups and variables.
//!
//! Groups: `mesh_hosts` (every server of a core), `cores` and one per core below it,
//! `source_core`, `destination_cores`, `destinations_serial` and `destinations_parallel` (one of
//! them is empty: a play can be written for either policy), `component_ID` for each component,
//! `satellites`.

use indexmap::IndexMap;
use sasrun_plugin::{InventoryGroup, InventoryHost, InventoryResult, Object};
use serde_json::{Value, json};

use super::{Core, Mesh, waves, words};
use crate::component::CORE_IDS;

/// Lays the mesh out.
pub(super) fn lay_out(mesh: &Mesh) -> InventoryResult {
    let mut groups: IndexMap<String, InventoryGroup> = IndexMap::new();
    groups.insert(
        "all".into(),
        InventoryGroup {
            variables: mesh_variables(mesh),
            ..InventoryGroup::default()
        },
    );
    let servers: Vec<String> = mesh
        .cores
        .values()
        .flat_map(|core| core.hosts.keys().cloned())
        .collect();
    groups.insert("mesh_hosts".into(), of_hosts(servers));
    groups.insert(
        "cores".into(),
        of_groups(mesh.cores.keys().cloned().collect()),
    );
    for (name, core) in &mesh.cores {
        let group = InventoryGroup {
            hosts: core.hosts.keys().cloned().collect(),
            variables: core_variables(core),
            ..InventoryGroup::default()
        };
        groups.insert(name.clone(), group);
    }
    groups.insert(
        "source_core".into(),
        of_groups(vec![mesh.source_core().to_owned()]),
    );
    let destinations = mesh.cores.iter().filter(|(_, core)| !core.source);
    groups.insert(
        "destination_cores".into(),
        of_groups(destinations.map(|(name, _)| name.clone()).collect()),
    );
    for policy in ["serial", "parallel"] {
        let is_chosen = mesh.policies.get("destinations").and_then(Value::as_str) == Some(policy);
        let children = if is_chosen {
            vec!["destination_cores".to_owned()]
        } else {
            Vec::new()
        };
        groups.insert(format!("destinations_{policy}"), of_groups(children));
    }
    for id in CORE_IDS {
        let carriers = mesh
            .cores
            .values()
            .flat_map(|core| carriers(core, id).map(str::to_owned));
        groups.insert(format!("component_{id}"), of_hosts(carriers.collect()));
    }
    groups.insert(
        "satellites".into(),
        of_hosts(mesh.satellites.keys().cloned().collect()),
    );
    InventoryResult {
        groups,
        hosts: hosts(mesh),
        problems: Vec::new(),
        complete: true,
    }
}

fn of_hosts(hosts: Vec<String>) -> InventoryGroup {
    InventoryGroup {
        hosts,
        ..InventoryGroup::default()
    }
}

fn of_groups(children: Vec<String>) -> InventoryGroup {
    InventoryGroup {
        children,
        ..InventoryGroup::default()
    }
}

/// Hosts of a core that carry a component.
fn carriers<'a>(core: &'a Core, id: &'a str) -> impl Iterator<Item = &'a str> {
    core.hosts
        .iter()
        .filter(move |(_, host)| host.components.iter().any(|component| component == id))
        .map(|(name, _)| name.as_str())
}

fn hosts(mesh: &Mesh) -> IndexMap<String, InventoryHost> {
    let mut hosts = IndexMap::new();
    for (core_name, core) in &mesh.cores {
        for (name, server) in &core.hosts {
            let mut variables = server.vars.clone();
            variables.insert("ansible_host".into(), Value::from(server.address.as_str()));
            variables.insert("core".into(), Value::from(core_name.as_str()));
            variables.insert(
                "wave".into(),
                Value::from(waves::of(&mesh.waves, core_name)),
            );
            variables.insert(
                "components".into(),
                words(server.components.iter().map(String::as_str)),
            );
            hosts.insert(name.clone(), InventoryHost { variables });
        }
    }
    for (name, satellite) in &mesh.satellites {
        let mut variables = satellite.vars.clone();
        variables.insert(
            "ansible_host".into(),
            Value::from(satellite.address.as_str()),
        );
        variables.insert("core".into(), Value::from(satellite.core.as_str()));
        variables.insert(
            "components".into(),
            words(satellite.components().iter().copied()),
        );
        variables.insert(
            "os_provisioning".into(),
            Value::from(satellite.os_provisioning),
        );
        hosts.insert(name.clone(), InventoryHost { variables });
    }
    hosts
}

fn core_variables(core: &Core) -> Object {
    let mut variables = core.vars.clone();
    variables.insert("facility".into(), facility(core));
    variables.insert("core_role".into(), Value::from(role(core)));
    if let Some(path) = &core.response_file {
        variables.insert("response_file".into(), Value::from(path.as_str()));
    }
    variables
}

fn role(core: &Core) -> &'static str {
    if core.source { "source" } else { "destination" }
}

fn facility(core: &Core) -> Value {
    json!({
        "id": core.facility.id, "name": core.facility.name, "agents": core.facility.agents,
        "capacity": core.facility.capacity,
    })
}

/// Variables of every host: the site's own, the mesh as a whole, and the answers of gates.
fn mesh_variables(mesh: &Mesh) -> Object {
    let mut variables = mesh.vars.clone();
    let cores: Object = mesh
        .cores
        .iter()
        .map(|(name, core)| (name.clone(), core_value(core)))
        .collect();
    let servers: Object = mesh
        .cores
        .iter()
        .flat_map(|(name, core)| {
            core.hosts
                .iter()
                .map(move |(host, server)| (name, host, server))
        })
        .map(|(core, host, server)| {
            let value =
                json!({"address": server.address, "core": core, "components": server.components});
            (host.clone(), value)
        })
        .collect();
    let satellites: Object = mesh
        .satellites
        .iter()
        .map(|(name, satellite)| {
            let value = json!({
                "address": satellite.address, "core": satellite.core, "components": satellite.components(),
                "os_provisioning": satellite.os_provisioning,
            });
            (name.clone(), value)
        })
        .collect();
    let value = json!({
        "name": mesh.name,
        "version": {"from": mesh.from, "to": mesh.to, "schema_change": mesh.schema_change},
        "source_core": mesh.source_core(),
        "cores": cores,
        "hosts": servers,
        "satellites": satellites,
        "media": mesh.media,
        "ogfs": mesh.ogfs,
        "policies": mesh.policies,
        "waves": mesh.waves,
        "packages": mesh.packages,
    });
    variables.insert("mesh".into(), value);
    variables.insert("gates".into(), Value::Object(mesh.gates.clone()));
    lock(mesh, &mut variables);
    variables
}

/// One run at a time works on a mesh. The first server of the source core holds the lock: who cannot
/// reach it cannot work on the mesh either, and no other core that is down stands in the way. The
/// site's own variables have the last word.
fn lock(mesh: &Mesh, variables: &mut Object) {
    let source = mesh.cores.values().find(|core| core.source);
    let keeper = source.and_then(|core| core.hosts.keys().next());
    let keepers = words(keeper.map(String::as_str));
    variables
        .entry("sasrun_lock")
        .or_insert_with(|| Value::from(mesh.name.as_str()));
    variables
        .entry("sasrun_lock_hosts")
        .or_insert_with(|| keepers);
}

fn core_value(core: &Core) -> Value {
    let by_component: Object = CORE_IDS
        .iter()
        .map(|id| ((*id).to_owned(), words(carriers(core, id))))
        .collect();
    json!({
        "source": core.source,
        "role": role(core),
        "facility": facility(core),
        "response_file": core.response_file,
        "hosts": words(core.hosts.keys().map(String::as_str)),
        "by_component": by_component,
    })
}
