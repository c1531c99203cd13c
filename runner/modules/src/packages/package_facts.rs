//! `package_facts`: the installed packages as facts.

use sasrun_plugin::{
    Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::describe::{core, example, returns, text, texts};

/// Prints one line for each package: source, name, version, release, architecture, epoch.
const LIST: &str = "if [ -d /var/lib/dpkg ] && dpkg-query --version >/dev/null 2>&1; then\n\
    dpkg-query -W -f='apt|${Package}|${Version}||${Architecture}||${db:Status-Status}\\n'\n\
    fi\n\
    if rpm --version >/dev/null 2>&1 && [ -d /var/lib/rpm ]; then\n\
    rpm -qa --qf 'rpm|%{NAME}|%{VERSION}|%{RELEASE}|%{ARCH}|%{EPOCH}|installed\\n'\n\
    fi\n\
    if [ -x /sbin/apk ]; then apk info -v | sed 's/^\\(.*\\)-\\([^-]*-r[0-9]*\\)$/apk|\\1|\\2||||installed/'; fi\n\
    if [ -x /usr/bin/pacman ]; then pacman -Q | sed 's/^\\([^ ]*\\) \\(.*\\)$/pacman|\\1|\\2||||installed/'; fi\n:";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "ansible_facts",
            "dict",
            "`packages`: for each name a list of `name`, `version`, `release`, `arch`, `source`.",
        )]),
        examples: vec![example(
            "Gather packages",
            "ansible.builtin.package_facts:\n  manager: auto",
        )],
        ..core(
            "package_facts",
            "Gathers the installed packages.",
            vec![
                texts("manager", "Sources to ask; all that are there are asked.")
                    .defaults_to(json!(["auto"])),
                text("strategy", "Accepted; all sources are asked.").defaults_to("first"),
            ],
        )
    }
}

async fn run(_: Call, host: Host) -> ModuleResult {
    let output = host.read_script(LIST).await?;
    let packages = read(&output.stdout);
    if packages.is_empty() {
        return Err(Failure::new("Could not detect a supported package manager"));
    }
    let mut facts = Object::new();
    facts.insert("packages".into(), packages.into());
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

fn read(list: &str) -> Object {
    let mut packages = Object::new();
    for line in list.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let [source, name, version, release, arch, epoch, status, ..] = fields[..] else {
            continue;
        };
        if status != "installed" {
            continue;
        }
        let mut package = json!({"name": name, "version": version, "source": source, "arch": arch});
        if source == "rpm" {
            package["release"] = release.into();
            package["epoch"] = epoch.parse::<u64>().map_or(Value::Null, Value::from);
        } else if source == "apt" {
            package["category"] = "".into();
            package["origin"] = "".into();
        }
        match packages.get_mut(name) {
            Some(Value::Array(list)) => list.push(package),
            _ => {
                packages.insert(name.to_owned(), json!([package]));
            }
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let list = "apt|vim|2:9.0||amd64||installed\napt|old|1||amd64||config-files\nrpm|k|1|2|x|(none)|installed\nrpm|k|1|3|x|4|installed\n";
        let packages = read(list);
        assert_eq!(packages["vim"][0]["version"], "2:9.0");
        assert!(!packages.contains_key("old"));
        assert_eq!(packages["k"][1]["epoch"], 4);
    }
}
