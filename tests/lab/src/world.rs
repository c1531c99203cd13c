//! The mesh as the lab knows it: cores, hosts, components and facilities, read from an inventory of the mesh form.
//!
//! Only nouns and the reading of the file: nothing here starts, mounts or listens. Keys that are of no interest to the
//! lab (policies, gates, variables) are passed over: judging an inventory is the runner's business.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

mod mesh_file;

use mesh_file::MeshFile;

/// The port of every SSH server when neither the inventory nor the command line names one.
pub const DEFAULT_PORT: u16 = 7022;

/// Why a mesh file could not be read as a world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(
        "the scenario names the {kind} {name}, which the inventory does not have (it has {known})"
    )]
    Unknown {
        kind: &'static str,
        name: String,
        known: String,
    },
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Parse {
        path: PathBuf,
        source: serde_yaml::Error,
    },
    #[error("{path}: not a mesh inventory (it must say `plugin: opsware_mesh`)")]
    NotAMesh { path: PathBuf },
    #[error("{path}: {cause}")]
    Wrong { path: PathBuf, cause: String },
}

/// A component of the product, by the one id that the inventory uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    Truth,
    Vault,
    Spin,
    Way,
    Word,
    Ogfs,
    Occ,
    Media,
    Buildmgr,
    Gateway,
    Boot,
    SatGateway,
    Wordcache,
}

impl Component {
    /// Every component, in the order in which a core is upgraded.
    pub const ALL: [Self; 13] = [
        Self::Truth,
        Self::Vault,
        Self::Spin,
        Self::Way,
        Self::Word,
        Self::Ogfs,
        Self::Occ,
        Self::Media,
        Self::Buildmgr,
        Self::Gateway,
        Self::Boot,
        Self::SatGateway,
        Self::Wordcache,
    ];

    /// The id as the inventory spells it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Vault => "vault",
            Self::Spin => "spin",
            Self::Way => "way",
            Self::Word => "word",
            Self::Ogfs => "ogfs",
            Self::Occ => "occ",
            Self::Media => "media",
            Self::Buildmgr => "buildmgr",
            Self::Gateway => "gateway",
            Self::Boot => "boot",
            Self::SatGateway => "sat_gateway",
            Self::Wordcache => "wordcache",
        }
    }

    /// The component with this id, if there is one.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.id() == id)
    }
}

/// The operating system that a host pretends to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Like {
    #[default]
    Linux,
    Solaris,
}

/// The facility data of a core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    pub id: u32,
    /// The short name, as in `opswgw-cgw0-A`.
    pub name: String,
    pub agents: u32,
}

/// One server of the mesh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub name: String,
    /// The name of the core it belongs to.
    pub core: String,
    pub address: Ipv4Addr,
    /// The SSH port.
    pub port: u16,
    pub components: Vec<Component>,
    pub facility: Facility,
    /// Whether its core is the source core of the mesh.
    pub source_core: bool,
    /// Whether it is no server of that core but a satellite of it.
    #[serde(default)]
    pub satellite: bool,
    #[serde(default)]
    pub like: Like,
}

impl Host {
    /// Tells whether the component is installed on this host.
    pub fn has(&self, component: Component) -> bool {
        self.components.contains(&component)
    }

    /// The short name of the facility, as the gateways use it.
    pub fn dc(&self) -> &str {
        &self.facility.name
    }

    /// The name under which the gateway service of a kind (`cgw0`, `agw0`) is known on this host.
    pub fn gateway_service(&self, kind: &str) -> String {
        format!("opswgw-{kind}-{}", self.facility.name)
    }
}

/// One core: a facility and its servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    pub name: String,
    pub source: bool,
    pub facility: Facility,
    pub hosts: Vec<Host>,
}

impl Core {
    /// The first host of the core that carries the component.
    pub fn host_with(&self, component: Component) -> Option<&Host> {
        self.hosts.iter().find(|host| host.has(component))
    }
}

/// A medium that the upgrade reads from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// `dvd`, `image`, `nfs` or `directory`, as the inventory says.
    pub kind: String,
    /// The device, image file or export.
    pub source: String,
    /// Where it is mounted.
    pub mount: String,
}

/// The versions between which the mesh is upgraded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    pub from: String,
    pub to: String,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            from: "6.6".to_owned(),
            to: "6.61".to_owned(),
        }
    }
}

/// The whole mesh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    pub mesh: String,
    pub versions: Versions,
    pub cores: Vec<Core>,
    #[serde(default)]
    pub satellites: Vec<Host>,
    pub media: BTreeMap<String, Medium>,
    /// The locales that the inventory wants on the OGFS servers.
    pub locales: Vec<String>,
}

impl World {
    /// Reads the mesh file; `port` replaces the SSH port that the file names.
    pub fn read(path: &Path, port: Option<u16>) -> Result<Self, WorldError> {
        let text = std::fs::read_to_string(path).map_err(|source| WorldError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path, port)
    }

    /// Builds the world from the text of a mesh file; `path` only names it in errors.
    pub fn parse(text: &str, path: &Path, port: Option<u16>) -> Result<Self, WorldError> {
        let file: MeshFile = serde_yaml::from_str(text).map_err(|source| WorldError::Parse {
            path: path.to_owned(),
            source,
        })?;
        if file.plugin.as_deref() != Some("opsware_mesh") {
            return Err(WorldError::NotAMesh {
                path: path.to_owned(),
            });
        }
        let wrong = |cause| WorldError::Wrong {
            path: path.to_owned(),
            cause,
        };
        let world = file.build(port).map_err(wrong)?;
        world.check().map_err(wrong)?;
        Ok(world)
    }

    /// Every host, in the order of the file: the servers of the cores, then the satellites.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.core_hosts().chain(&self.satellites)
    }

    /// Every server of a core.
    pub fn core_hosts(&self) -> impl Iterator<Item = &Host> {
        self.cores.iter().flat_map(|core| core.hosts.iter())
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts().find(|host| host.name == name)
    }

    /// Refuses a scenario of hosts or cores that are not here.
    pub fn knows_hosts_of(&self, scenario: &Scenario) -> Result<(), WorldError> {
        let hosts = scenario.hosts.keys();
        let host = hosts.into_iter().find(|name| self.host(name).is_none());
        let cores = scenario.cores.keys();
        let core = cores.into_iter().find(|name| self.core(name).is_none());
        let (kind, name, known): (_, _, Vec<&str>) = match (host, core) {
            (Some(name), _) => (
                "host",
                name,
                self.hosts().map(|h| h.name.as_str()).collect(),
            ),
            (_, Some(name)) => (
                "core",
                name,
                self.cores.iter().map(|c| c.name.as_str()).collect(),
            ),
            (None, None) => return Ok(()),
        };
        Err(WorldError::Unknown {
            kind,
            name: name.clone(),
            known: known.join(", "),
        })
    }

    /// The core of this name.
    pub fn core(&self, name: &str) -> Option<&Core> {
        self.cores.iter().find(|core| core.name == name)
    }

    /// The source core, whose database the upgrade changes.
    pub fn source_core(&self) -> Option<&Core> {
        self.cores.iter().find(|core| core.source)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = std::collections::BTreeSet::new();
        let mut places = std::collections::BTreeSet::new();
        for host in self.hosts() {
            if !names.insert(host.name.as_str()) {
                return Err(format!("two hosts are named {}", host.name));
            }
            if !places.insert((host.address, host.port)) {
                return Err(format!(
                    "{}: another host has the address {}:{}",
                    host.name, host.address, host.port
                ));
            }
            if !host.address.is_loopback() {
                return Err(format!(
                    "{}: {} is not a loopback address (127.0.0.0/8)",
                    host.name, host.address
                ));
            }
            if !plain_name(&host.name) {
                return Err(format!("{:?} cannot be the name of a host", host.name));
            }
        }
        if names.is_empty() {
            return Err("the mesh has no hosts".to_owned());
        }
        Ok(())
    }
}

/// A name that can also be a directory and a host name.
fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['.', '-'])
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESH: &str = "plugin: opsware_mesh\nmesh: lab\nvars: {ansible_port: 7022}\ncores:\n  z_core:\n    \
        source: true\n    facility: {id: 1, name: A, agents: 10}\n    hosts:\n      \
        z1: {address: 127.61.1.1, components: [truth, spin]}\n      a1: {address: 127.61.1.2, components: [way]}\n";

    fn parse(text: &str) -> Result<World, WorldError> {
        World::parse(text, Path::new("mesh.yml"), None)
    }

    #[test]
    fn hosts_keep_the_order_of_the_file() {
        let world = parse(MESH).unwrap();
        assert_eq!(
            world.hosts().map(|h| h.name.as_str()).collect::<Vec<_>>(),
            ["z1", "a1"]
        );
        assert_eq!(
            world.host("z1").unwrap().components,
            [Component::Truth, Component::Spin]
        );
        assert_eq!(world.source_core().unwrap().name, "z_core");
        assert_eq!(world.host("a1").unwrap().port, 7022);
    }

    #[test]
    fn the_default_mesh_is_readable() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml");
        let world = World::read(&path, Some(9000)).unwrap();
        assert_eq!(world.hosts().count(), 9);
        assert!(world.hosts().all(|host| host.port == 9000));
        assert_eq!(world.media["primary"].mount, "/mnt/primary");
    }

    #[test]
    fn satellites_belong_to_a_core_and_are_no_servers_of_it() {
        let text = format!(
            "{MESH}satellites:\n  s1: {{address: 127.61.9.1, core: z_core, os_provisioning: true}}\n  \
             s2: {{address: 127.61.9.2, core: z_core}}\n"
        );
        let world = parse(&text).unwrap();
        let s1 = world.host("s1").unwrap();
        assert!(s1.satellite && s1.has(Component::Boot) && s1.has(Component::SatGateway));
        assert_eq!(
            (s1.core.as_str(), s1.dc(), s1.source_core),
            ("z_core", "A", false)
        );
        assert!(!world.host("s2").unwrap().has(Component::Media));
        assert_eq!((world.hosts().count(), world.core_hosts().count()), (4, 2));
        let stray = text.replace("core: z_core}", "core: other}");
        assert!(parse(&stray).unwrap_err().to_string().contains("other"));
    }

    #[test]
    fn wrong_meshes_are_refused_with_the_reason() {
        let cases = [
            (MESH.replace("opsware_mesh", "other"), "not a mesh"),
            (MESH.replace("[way]", "[wya]"), "wya"),
            (
                MESH.replace("127.61.1.2", "127.61.1.1"),
                "another host has the address",
            ),
            (MESH.replace("127.61.1.2", "10.0.0.1"), "not a loopback"),
            (MESH.replace("a1:", "../a1:"), "cannot be the name"),
            ("plugin: opsware_mesh\n".to_owned(), "no hosts"),
        ];
        for (text, wanted) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error:?} lacks {wanted:?}");
        }
    }
}
