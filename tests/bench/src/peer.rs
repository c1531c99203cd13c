//! The runners that are measured, and how each is called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::hosts::{Hosts, Inventory};
use crate::workload::Workload;

/// A runner that is installed here.
pub(crate) enum Peer {
    /// The yardstick: plain lines, one kept-open shell for each host.
    Plain(PathBuf),
    Sasrun(PathBuf),
    Ansible(PathBuf),
    Pyinfra(PathBuf),
}

/// A program with its arguments and its own environment.
pub(crate) struct Call {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, OsString)>,
}

/// The peers that are here, the yardstick first.
pub(crate) fn present(sasrun: &Path, with_others: bool) -> Vec<Peer> {
    let mut peers = Vec::new();
    if let Ok(own) = std::env::current_exe() {
        peers.push(Peer::Plain(own));
    }
    peers.push(Peer::Sasrun(sasrun.to_owned()));
    if with_others {
        peers.extend(find("ansible-playbook").map(Peer::Ansible));
        peers.extend(find("pyinfra").map(Peer::Pyinfra));
    }
    peers
}

/// What is measured, and what would be if it were installed.
pub(crate) fn names(peers: &[Peer]) -> String {
    let mut text: Vec<String> = peers.iter().map(|peer| peer.name().to_owned()).collect();
    for (name, package) in [("ansible", "ansible-core"), ("pyinfra", "pyinfra")] {
        if !peers.iter().any(|peer| peer.name() == name) {
            text.push(format!("no {name} (pip install {package} adds it)"));
        }
    }
    text.join(", ")
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|program| program.is_file())
}

impl Peer {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Plain(_) => "plain shell",
            Self::Sasrun(_) => "sasrun",
            Self::Ansible(_) => "ansible",
            Self::Pyinfra(_) => "pyinfra",
        }
    }

    /// Whether it prints a recap with `changed=`.
    pub(crate) fn has_recap(&self) -> bool {
        matches!(self, Self::Sasrun(_) | Self::Ansible(_))
    }

    /// How it does a workload; none where it has no form of it.
    pub(crate) fn command(
        &self,
        workload: &Workload,
        inventory: &Inventory,
        hosts: &Hosts<'_>,
    ) -> anyhow::Result<Option<Call>> {
        let playbook = workload.file("playbook.yml");
        let forks = workload.forks.to_string();
        let place = hosts.place();
        Ok(Some(match self {
            Self::Plain(program) => Call {
                program: program.clone(),
                arguments: vec![
                    "plain".into(),
                    "--lines".into(),
                    inventory.plain.clone().into(),
                    "--port".into(),
                    hosts.server.port.to_string().into(),
                    "--user".into(),
                    hosts.server.user.clone().into(),
                    "--key".into(),
                    hosts.server.key.clone().into(),
                    "--forks".into(),
                    forks.into(),
                ],
                environment: Vec::new(),
            },
            Self::Sasrun(program) => Call {
                program: program.clone(),
                arguments: vec![
                    "playbook".into(),
                    playbook.into(),
                    "-i".into(),
                    inventory.yaml.clone().into(),
                    "--forks".into(),
                    forks.into(),
                ],
                environment: vec![("SASRUN_STATE", place.join("state").into())],
            },
            Self::Ansible(program) => Call {
                program: program.clone(),
                arguments: vec![
                    "-i".into(),
                    inventory.yaml.clone().into(),
                    "-f".into(),
                    forks.into(),
                    playbook.into(),
                ],
                environment: vec![
                    (
                        "ANSIBLE_CONFIG",
                        inventory.yaml.with_file_name("ansible.cfg").into(),
                    ),
                    ("ANSIBLE_PIPELINING", "true".into()),
                    ("ANSIBLE_HOME", place.join("ansible").into()),
                    ("ANSIBLE_SSH_CONTROL_PATH_DIR", place.join("cp").into()),
                ],
            },
            Self::Pyinfra(program) => {
                let deploy = workload.file("pyinfra.py");
                Call {
                    program: program.clone(),
                    arguments: vec![
                        inventory.pyinfra.clone().into(),
                        deploy.into(),
                        "-y".into(),
                        "--parallel".into(),
                        forks.into(),
                    ],
                    environment: Vec::new(),
                }
            }
        }))
    }
}
