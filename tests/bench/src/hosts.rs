//! The hosts: one directory each, the inventories that name them, and the plain lines for them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::server::{Server, address};
use crate::workload::Workload;

/// Where everything of a measurement lies.
pub(crate) struct Hosts<'s> {
    place: PathBuf,
    pub server: &'s Server,
}

/// What names the hosts of a workload, for each kind of peer.
pub(crate) struct Inventory {
    pub yaml: PathBuf,
    pub pyinfra: PathBuf,
    pub plain: PathBuf,
}

impl<'s> Hosts<'s> {
    pub(crate) fn new(place: &Path, server: &'s Server) -> Self {
        Self {
            place: place.to_owned(),
            server,
        }
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    fn root(&self) -> PathBuf {
        self.place.join("hosts")
    }

    /// The directory that a host works in.
    pub(crate) fn directory(&self, host: usize) -> PathBuf {
        self.root().join(name(host))
    }

    /// Makes the hosts as they were on the first day.
    pub(crate) fn empty(&self, workload: &Workload) -> anyhow::Result<()> {
        let root = self.root();
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        for host in 0..workload.hosts {
            fs::create_dir_all(self.directory(host))?;
        }
        Ok(())
    }

    /// Writes the inventories of a workload.
    pub(crate) fn inventory(&self, workload: &Workload) -> anyhow::Result<Inventory> {
        let directory = self.place.join("inventory").join(workload.name);
        let plain = directory.join("plain");
        fs::create_dir_all(&plain)?;
        let inventory = Inventory {
            yaml: directory.join("hosts.yml"),
            pyinfra: directory.join("hosts.py"),
            plain,
        };
        fs::write(&inventory.yaml, self.yaml(workload))?;
        // Nobody's own settings: Ansible takes none but a file named like this.
        fs::write(inventory.yaml.with_file_name("ansible.cfg"), "[defaults]\n")?;
        fs::write(&inventory.pyinfra, self.pyinfra(workload))?;
        let lines = fs::read_to_string(workload.file("plain.sh"))?;
        for host in 0..workload.hosts {
            let own = self.plain_lines(&lines, host);
            fs::write(inventory.plain.join(address(host)), own)?;
        }
        Ok(inventory)
    }

    fn yaml(&self, workload: &Workload) -> String {
        let Server {
            port,
            key,
            known_hosts,
            user,
            ..
        } = self.server;
        let mut text = format!(
            "all:\n  vars:\n    ansible_port: {port}\n    ansible_user: {user}\n    \
             ansible_ssh_private_key_file: {}\n    \
             ansible_ssh_common_args: -o UserKnownHostsFile={known} -o GlobalKnownHostsFile={known}\n    \
             bench_root: {}\n  hosts:\n",
            key.display(),
            self.root().display(),
            known = known_hosts.display(),
        );
        for host in 0..workload.hosts {
            text.push_str(&format!(
                "    {}: {{ansible_host: {}, site: {host}}}\n",
                name(host),
                address(host)
            ));
        }
        text
    }

    fn pyinfra(&self, workload: &Workload) -> String {
        let mut text = String::from("all = ([\n");
        for host in 0..workload.hosts {
            text.push_str(&format!(
                "    ({:?}, {{'ssh_hostname': {:?}, 'site': {host}}}),\n",
                name(host),
                address(host)
            ));
        }
        let server = self.server;
        text.push_str(&format!(
            "], {{'ssh_user': {:?}, 'ssh_port': {}, 'ssh_key': {:?}, 'ssh_known_hosts_file': {:?},\n     \
             'bench_root': {:?}}})\n",
            server.user,
            server.port,
            server.key,
            server.known_hosts,
            self.root()
        ));
        text
    }

    fn plain_lines(&self, lines: &str, host: usize) -> String {
        lines
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                line.replace("@DIR@", &self.directory(host).display().to_string())
                    .replace("@NAME@", &name(host))
                    .replace("@SITE@", &host.to_string())
                    + "\n"
            })
            .collect()
    }
}

/// The name of a host, by its number.
pub(crate) fn name(host: usize) -> String {
    format!("host{host:03}")
}
