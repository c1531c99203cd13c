//! The target that a response file belongs to, as the inventory describes it.

use std::collections::BTreeMap;

use sasrun_plugin::{Failure, Object};
use serde_json::Value;

use super::rule::Target;

/// A core or a satellite with its servers by component.
pub(super) struct Site {
    pub(super) target: Target,
    /// Name and address of the servers that carry a component.
    servers: BTreeMap<String, Vec<(String, String)>>,
}

impl Site {
    /// Takes a core out of the mesh; with `satellite` its satellites' kind is meant.
    pub(super) fn read(mesh: &Object, core: &str, satellite: bool) -> Result<Self, Failure> {
        let cores = mesh.get("cores").and_then(Value::as_object);
        let Some(entry) = cores.and_then(|cores| cores.get(core)) else {
            return Err(Failure::new(format!("the mesh has no core `{core}`")));
        };
        let target = match (satellite, cores.map_or(0, serde_json::Map::len)) {
            (true, _) => Target::Satellite,
            (false, 1) => Target::Standalone,
            (false, _) => Target::Multimaster,
        };
        let address = |host: &str| {
            let known = mesh.get("hosts").and_then(|hosts| hosts.get(host));
            let address = known.and_then(|known| known.get("address"));
            address
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let by_component = entry.get("by_component").and_then(Value::as_object);
        let servers = by_component
            .into_iter()
            .flatten()
            .map(|(id, hosts)| {
                let hosts = hosts.as_array().into_iter().flatten();
                let names = hosts.filter_map(Value::as_str);
                let pairs = names.map(|host| (host.to_owned(), address(host)));
                (id.clone(), pairs.collect())
            })
            .collect();
        Ok(Self { target, servers })
    }

    /// Servers with a component, by name and address.
    pub(super) fn servers(&self, component: &str) -> &[(String, String)] {
        self.servers.get(component).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has(&self, component: &str) -> bool {
        !self.servers(component).is_empty()
    }
}
