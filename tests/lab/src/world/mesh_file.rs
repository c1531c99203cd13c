//! The mesh inventory as it is written: what of it the lab reads, and how it becomes a world.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Component, Core, DEFAULT_PORT, Facility, Host, Like, Medium, Versions, World};

#[derive(Deserialize)]
pub(super) struct MeshFile {
    pub(super) plugin: Option<String>,
    mesh: Option<String>,
    version: Option<Versions>,
    #[serde(default)]
    vars: Vars,
    #[serde(default)]
    cores: IndexedCores,
    #[serde(default)]
    satellites: indexmap::IndexMap<String, SatelliteEntry>,
    #[serde(default)]
    media: BTreeMap<String, Medium>,
    #[serde(default)]
    ogfs: Ogfs,
}

impl MeshFile {
    /// Builds the world; `port` goes before the port that the file names.
    pub(super) fn build(self, port: Option<u16>) -> Result<World, String> {
        let port = port.or_else(|| self.vars.port()).unwrap_or(DEFAULT_PORT);
        let mut cores = Vec::new();
        for (name, core) in self.cores {
            cores.push(core.build(name, port)?);
        }
        let mut satellites = Vec::new();
        for (name, satellite) in self.satellites {
            satellites.push(satellite.build(name, &cores, port)?);
        }
        Ok(World {
            mesh: self.mesh.unwrap_or_else(|| "mesh".to_owned()),
            versions: self.version.unwrap_or_default(),
            cores,
            satellites,
            media: self.media,
            locales: self.ogfs.locales,
        })
    }
}

/// Cores in the order of the file: a `BTreeMap` would sort them.
type IndexedCores = indexmap::IndexMap<String, CoreEntry>;

#[derive(Default, Deserialize)]
struct Ogfs {
    #[serde(default)]
    locales: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Vars {
    #[serde(default)]
    ansible_port: Option<serde_yaml::Value>,
    /// What the host runs, for the lab alone.
    #[serde(default)]
    lab_like: Option<Like>,
}

impl Vars {
    /// The port, unless it is a template.
    fn port(&self) -> Option<u16> {
        match self.ansible_port.as_ref()? {
            serde_yaml::Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
            serde_yaml::Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct SatelliteEntry {
    address: String,
    core: String,
    #[serde(default)]
    os_provisioning: bool,
    #[serde(default)]
    vars: Vars,
}

impl SatelliteEntry {
    fn build(self, name: String, cores: &[Core], port: u16) -> Result<Host, String> {
        let core = cores
            .iter()
            .find(|core| core.name == self.core)
            .ok_or_else(|| format!("{name}: there is no core {:?}", self.core))?;
        let mut components = vec!["sat_gateway", "wordcache"];
        if self.os_provisioning {
            components.extend(["boot", "media"]);
        }
        let entry = HostEntry {
            address: self.address,
            components: components.into_iter().map(str::to_owned).collect(),
            ansible_port: None,
            vars: self.vars,
        };
        let host = entry.build(name, &core.name, &core.facility, false, port)?;
        Ok(Host {
            satellite: true,
            ..host
        })
    }
}

#[derive(Deserialize)]
struct CoreEntry {
    #[serde(default)]
    source: bool,
    facility: Option<Facility>,
    #[serde(default)]
    hosts: indexmap::IndexMap<String, HostEntry>,
}

#[derive(Deserialize)]
struct HostEntry {
    address: String,
    #[serde(default)]
    components: Vec<String>,
    #[serde(default)]
    ansible_port: Option<serde_yaml::Value>,
    #[serde(default)]
    vars: Vars,
}

impl CoreEntry {
    fn build(self, name: String, port: u16) -> Result<Core, String> {
        let facility = self.facility.unwrap_or_else(|| Facility {
            id: 1,
            name: name.to_uppercase(),
            agents: 0,
        });
        let mut hosts = Vec::new();
        for (host_name, entry) in self.hosts {
            hosts.push(entry.build(host_name, &name, &facility, self.source, port)?);
        }
        Ok(Core {
            name,
            source: self.source,
            facility,
            hosts,
        })
    }
}

impl HostEntry {
    fn build(
        self,
        name: String,
        core: &str,
        facility: &Facility,
        source_core: bool,
        port: u16,
    ) -> Result<Host, String> {
        let address = self
            .address
            .parse()
            .map_err(|_| format!("{name}: {:?} is not an IPv4 address", self.address))?;
        let mut components = Vec::new();
        for id in &self.components {
            let component = Component::from_id(id)
                .ok_or_else(|| format!("{name}: no component is called {id:?}"))?;
            components.push(component);
        }
        let own = Vars {
            ansible_port: self.ansible_port,
            lab_like: None,
        };
        Ok(Host {
            name,
            core: core.to_owned(),
            address,
            port: own.port().or_else(|| self.vars.port()).unwrap_or(port),
            components,
            facility: facility.clone(),
            source_core,
            satellite: false,
            like: self.vars.lab_like.unwrap_or_default(),
        })
    }
}
