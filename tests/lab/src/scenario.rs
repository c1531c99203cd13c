//! Scenarios: what a lab stages beyond the ordinary, per host and for the whole mesh.
//!
//! The file is YAML and every key is known: a misspelt fault must not pass for a healthy host. Stand-ins read the
//! scenario in force at each start and poll, so that it can change while the lab runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_yaml::with::singleton_map_recursive;

use crate::paths::Shared;
use crate::standin::fault::{
    ContentFaults, CoreFaults, FixFaults, GatewayFaults, InstallerFaults, LoginFaults,
    ServiceFaults, TrafficFaults, TransportName, VolumeFaults,
};
use crate::world::{Host, Like};

/// Why a scenario could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Yaml {
        path: PathBuf,
        source: serde_yaml::Error,
    },
    #[error("{path}: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// What a lab stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// A sentence for people: what is staged.
    pub title: String,
    /// The installed version of every host that names none of its own; the inventory's `version.from` otherwise.
    pub version: Option<String>,
    /// What every host stages, under what `hosts` says of it.
    pub every_host: HostFaults,
    /// What single hosts stage, by name. Once read, each entry already includes `every_host`.
    pub hosts: BTreeMap<String, HostFaults>,
    /// What single cores stage, by name.
    pub cores: BTreeMap<String, CoreFaults>,
    /// What the mesh as a whole stages.
    pub mesh: MeshFaults,
}

/// What one host stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostFaults {
    /// The operating system that the host pretends to run.
    pub like: Option<Like>,
    /// The installed version, where it is not the mesh's.
    pub version: Option<String>,
    /// The SSH server.
    pub ssh: SshFaults,
    /// How users become root.
    pub sudo: SudoFaults,
    pub installer: InstallerFaults,
    /// Faults by service name.
    pub services: BTreeMap<String, ServiceFaults>,
    pub transport: TransportName,
    pub volumes: VolumeFaults,
    pub content: ContentFaults,
    pub fix: FixFaults,
    pub gateway: GatewayFaults,
    pub login: LoginFaults,
    /// Locales that the host has; empty means the usual ones.
    pub locales: Vec<String>,
    /// Values that replace the right ones in the host's response files, by parameter.
    pub response: BTreeMap<String, String>,
    /// Installed releases that replace the host's, by component id.
    pub versions: BTreeMap<String, String>,
    /// What one name resolves to in place of the right address; empty means nothing.
    pub names: BTreeMap<String, String>,
}

/// Faults of a host's SSH server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SshFaults {
    /// Nothing listens from the start; set later, new connections get no answer.
    pub down: bool,
    /// New connections are reset.
    pub refuse: bool,
    /// The server shows another host key than the one in `known_hosts`.
    pub other_host_key: bool,
    /// Every way to log in is refused.
    pub reject_logins: bool,
    /// How long the server waits before its first byte, in milliseconds.
    pub delay_ms: u64,
    /// How long every chunk of output is held back, in milliseconds.
    pub latency_ms: u64,
    /// How many bytes of output pass in a second; 0 means as many as come.
    pub bytes_per_second: u64,
    /// The connection is cut after the server has sent so many bytes.
    pub cut_after_bytes: Option<u64>,
    /// The connection is cut when this file exists on the host; the file is taken away.
    pub cut_when_file: Option<String>,
    /// What the server shows before the login.
    pub banner: Option<String>,
}

/// What makes `sudo` awkward.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SudoFaults {
    /// It lectures before it asks.
    pub lecture: bool,
    /// It refuses to work without a terminal.
    pub require_tty: bool,
}

/// What the mesh as a whole stages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeshFaults {
    pub traffic: TrafficFaults,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a scenario file; `path` only names it in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let wrong = |source| ScenarioError::Yaml {
            path: path.to_owned(),
            source,
        };
        if text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return Ok(Self::default());
        }
        // The typed reading first: its errors name the line of the file.
        singleton_map_recursive::deserialize::<Self, _>(serde_yaml::Deserializer::from_str(text))
            .map_err(wrong)?;
        let mut tree: serde_yaml::Value = serde_yaml::from_str(text).map_err(wrong)?;
        spread_every_host(&mut tree);
        singleton_map_recursive::deserialize(tree).map_err(wrong)
    }

    /// The scenario in force in the lab that shares this directory.
    pub fn in_force(shared: &Shared) -> Result<Self, ScenarioError> {
        let path = shared.scenario();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| ScenarioError::Json { path, source }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ScenarioError::Read { path, source }),
        }
    }

    /// What the named host stages.
    pub fn host(&self, name: &str) -> &HostFaults {
        self.hosts.get(name).unwrap_or(&self.every_host)
    }

    /// The operating system that the host pretends to run.
    pub fn like(&self, host: &Host) -> Like {
        self.host(&host.name).like.unwrap_or(host.like)
    }
}

/// Lays every host's own faults over what `every_host` says.
fn spread_every_host(tree: &mut serde_yaml::Value) {
    let Some(base) = tree.get("every_host").cloned() else {
        return;
    };
    let Some(serde_yaml::Value::Mapping(hosts)) = tree.get_mut("hosts") else {
        return;
    };
    for (_, own) in hosts.iter_mut() {
        let over = std::mem::replace(own, base.clone());
        lay_over(own, over);
    }
}

/// Lays one tree over another; a null leaves what is there.
pub fn lay_over(under: &mut serde_yaml::Value, over: serde_yaml::Value) {
    match (under, over) {
        (serde_yaml::Value::Mapping(under), serde_yaml::Value::Mapping(over)) => {
            for (key, value) in over {
                match under.get_mut(&key) {
                    Some(old) => lay_over(old, value),
                    None => {
                        under.insert(key, value);
                    }
                }
            }
        }
        (_, serde_yaml::Value::Null) => {}
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(text, Path::new("s.yml"))
    }

    #[test]
    fn a_host_has_its_own_faults_over_those_of_every_host() {
        let scenario = parse(
            "every_host: {ssh: {delay_ms: 5, refuse: true}}\nhosts:\n  a1: {ssh: {refuse: false}}\n  a2: {}\n",
        )
        .unwrap();
        assert_eq!(
            scenario.host("a1").ssh,
            SshFaults {
                delay_ms: 5,
                ..SshFaults::default()
            }
        );
        assert!(scenario.host("a2").ssh.refuse);
        assert!(scenario.host("b1").ssh.refuse);
    }

    #[test]
    fn the_example_of_the_readme_is_a_scenario() {
        let readme = include_str!("../README.md");
        let section = readme.split("## Scenarios").nth(1).unwrap();
        let section = section.split("## For tests").next().unwrap();
        let example: Vec<_> = section
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .collect();
        let scenario = parse(&example.join("\n")).unwrap();
        assert_eq!(scenario.host("b1").like, Some(Like::Solaris));
        assert_eq!(scenario.host("a1").version.as_deref(), Some("6.5.1.2"));
        assert!(scenario.host("c1").ssh.cut_when_file.is_some());
    }

    #[test]
    fn an_empty_file_stages_nothing_and_a_misspelt_fault_is_refused() {
        assert_eq!(parse("# nothing\n").unwrap(), Scenario::default());
        let error = parse("hosts: {a1: {ssh: {refuze: true}}}\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("refuze"), "{error}");
    }
}
