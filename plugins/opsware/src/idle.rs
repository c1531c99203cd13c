//! `opsware_idle`: makes sure that no installer runs on a server, before anything is begun there (INST-7).

use sasrun_plugin::{
    Call, CheckSupport, Example, Failure, Host, Module, ModuleResult, ModuleSpec, Outcome,
    Repetition, Returned,
};
use serde_json::{Value, json};

use crate::processes;

/// Name of the installer's script.
const INSTALLER: &str = "upgrade_opsware.sh";

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "opsware_idle".into(),
        summary: "Makes sure that no installer runs on a server.".into(),
        description: vec![
            "Fails if somebody's installer runs there already, and names its process, whose it is and for how long it has \
             run. At most one installer may run on a server at a time."
                .into(),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: vec![Returned::new(
            "installers",
            "list",
            "Installers that run: each with `pid`, `user`, `elapsed`, `command`.",
        )],
        examples: vec![Example {
            title: "Nobody else is at work".into(),
            yaml: "- opsware_idle:\n".into(),
        }],
        ..ModuleSpec::default()
    }
}

/// An installer that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Installer {
    pid: String,
    user: String,
    /// As `ps` writes it: days, hours, minutes and seconds.
    elapsed: String,
    command: String,
}

impl Installer {
    fn named(&self) -> String {
        let since = match self.elapsed.as_str() {
            "" => String::new(),
            elapsed => format!(", running for {elapsed}"),
        };
        format!(
            "process {} of {}{since}: {}",
            self.pid, self.user, self.command
        )
    }

    fn to_value(&self) -> Value {
        json!({"pid": self.pid, "user": self.user, "elapsed": self.elapsed, "command": self.command})
    }
}

async fn run(_call: Call, host: Host) -> ModuleResult {
    let script = format!(
        "ps -eo pid= -o user= -o etime= -o args= 2>/dev/null || ({})\nexit 0\n",
        processes::LIST
    );
    let found = read(&host.read_script(script).await?.stdout);
    let values: Vec<Value> = found.iter().map(Installer::to_value).collect();
    if found.is_empty() {
        return Ok(Outcome::unchanged().with("installers", values));
    }
    let names: Vec<String> = found.iter().map(Installer::named).collect();
    Err(Failure::new(format!(
        "INST-7: an installer is running on this host already: {}; wait for its end",
        names.join("; ")
    ))
    .with("installers", values))
}

/// Reads the process table: the installers in it, without the shells and terminals that only hold one.
fn read(table: &str) -> Vec<Installer> {
    let mut found: Vec<Installer> = table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (pid, user, elapsed) = (words.next()?, words.next()?, words.next()?);
            let command = words.collect::<Vec<_>>().join(" ");
            command.contains(INSTALLER).then(|| Installer {
                pid: pid.to_owned(),
                user: user.to_owned(),
                elapsed: elapsed.to_owned(),
                command,
            })
        })
        .collect();
    let is_holder = |one: &Installer| {
        let program = one.command.split(' ').next().unwrap_or_default();
        let base = program.rsplit('/').next().unwrap_or_default();
        matches!(
            base,
            "script" | "su" | "sudo" | "vi" | "less" | "tail" | "grep"
        ) || one.command.contains(" -c ")
            || one.command.contains("-qfc")
    };
    if found.iter().any(|one| !is_holder(one)) {
        found.retain(|one| !is_holder(one));
    } else {
        found.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_is_told_from_what_only_names_it() {
        let table = "    1 root 10-02:00:00 /sbin/init\n\
             4710 root 02:14 script -qfc /mnt/primary/disk001/opsware_installer/upgrade_opsware.sh -r /r\n\
             4711 root 02:13 /bin/sh /mnt/primary/disk001/opsware_installer/upgrade_opsware.sh -r /r\n\
             4712 jane 00:01 vi upgrade_opsware.sh\n";
        let found = read(table);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .named()
                .starts_with("process 4711 of root, running for 02:13: /bin/sh")
        );
        assert!(read("4712 jane 00:01 vi upgrade_opsware.sh\n").is_empty());
        assert!(read("").is_empty());
    }
}
