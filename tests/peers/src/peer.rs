//! The two programs, each called with settings of nobody's.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

/// sasrun and the programs of ansible-core.
pub(crate) struct Peers {
    sasrun: PathBuf,
    ansible: PathBuf,
    home: tempfile::TempDir,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Sasrun,
    Ansible,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub is_success: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Peers {
    pub(crate) fn new(sasrun: &Path, ansible: &Path) -> anyhow::Result<Self> {
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .ok()
                .filter(|path| path.exists())
                .with_context(|| format!("{} is not there", path.display()))
        };
        let home = tempfile::tempdir()?;
        // One that is found is needed, or those of the machine would be looked for.
        std::fs::write(home.path().join("ansible.cfg"), "[defaults]\n")?;
        Ok(Self {
            sasrun: absolute(sasrun)?,
            ansible: absolute(ansible)?,
            home,
        })
    }

    /// `ansible-vault` or `sasrun vault`, and the like.
    pub(crate) fn call(
        &self,
        side: Side,
        tool: &str,
        arguments: &[&str],
        folder: &Path,
        input: &[u8],
    ) -> anyhow::Result<Ended> {
        let mut command = match side {
            Side::Sasrun => {
                let mut command = Command::new(&self.sasrun);
                command.arg(tool);
                command
            }
            Side::Ansible => Command::new(self.ansible.join(format!("ansible-{tool}"))),
        };
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("ANSIBLE_HOME", self.home.path().join("ansible"))
            .env("ANSIBLE_CONFIG", self.home.path().join("ansible.cfg"))
            .env("ANSIBLE_PYTHON_INTERPRETER", self.ansible.join("python3"))
            .env("ANSIBLE_DEPRECATION_WARNINGS", "false")
            .env("SASRUN_STATE", self.home.path().join("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("{side:?} {tool} cannot be started"))?;
        // It may end without reading.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        let output = child.wait_with_output()?;
        Ok(Ended {
            is_success: output.status.success(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

impl Ended {
    /// What went wrong, for a person.
    pub(crate) fn said(&self) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&self.stdout),
            self.stderr.trim()
        )
    }
}
