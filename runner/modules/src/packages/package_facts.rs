//! `package_facts`: the installed packages as facts.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome, Repetition,
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
                texts("manager", "Sources to ask, in this order.").defaults_to(json!(["auto"])),
                text(
                    "strategy",
                    "Whether the first source that knows packages is taken alone, or all.",
                )
                .choices(&["all", "first"])
                .defaults_to("first"),
            ],
        )
    }
}

/// Names of the sources in the list, in the order in which they are asked for by themselves.
const SOURCES: [&str; 4] = ["apt", "rpm", "apk", "pacman"];

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let managers = arguments.strings("manager");
    let wanted = sources(&managers)?;
    let output = host.read_script(LIST).await?;
    let mut packages = Object::new();
    for source in wanted {
        for (name, found) in read(&output.stdout, source) {
            match (packages.get_mut(&name), found) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, found) => {
                    packages.insert(name, found);
                }
            }
        }
        if !packages.is_empty() && arguments.text("strategy") != Some("all") {
            break;
        }
    }
    if packages.is_empty() {
        return Err(Failure::new(format!(
            "Could not detect a supported package manager from the following list: {}",
            managers.join(", ")
        )));
    }
    let mut facts = Object::new();
    facts.insert("packages".into(), packages.into());
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

/// Returns the sources that are meant by the names of managers: several tools share one list.
fn sources(managers: &[String]) -> Result<Vec<&'static str>, Failure> {
    let mut sources = Vec::new();
    for manager in managers {
        let meant: &[&str] = match manager.to_lowercase().as_str() {
            "auto" => &SOURCES,
            "apt" => &["apt"],
            "rpm" | "yum" | "dnf" | "dnf5" | "zypper" => &["rpm"],
            "apk" => &["apk"],
            "pacman" => &["pacman"],
            // Of other systems; none of what is asked here has their packages.
            "pkg" | "pkg5" | "pkg_info" | "portage" | "openbsd_pkg" => &[],
            _ => {
                return Err(Failure::new(format!(
                    "Invalid package manager requested: {manager}"
                )));
            }
        };
        for source in meant {
            if !sources.contains(source) {
                sources.push(*source);
            }
        }
    }
    Ok(sources)
}

/// Reads the packages of one source.
fn read(list: &str, wanted: &str) -> Object {
    let mut packages = Object::new();
    for line in list.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let [source, name, version, release, arch, epoch, status, ..] = fields[..] else {
            continue;
        };
        if status != "installed" || source != wanted {
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
        let packages = read(list, "apt");
        assert_eq!(packages["vim"][0]["version"], "2:9.0");
        assert!(!packages.contains_key("old"));
        assert_eq!(read(list, "rpm")["k"][1]["epoch"], 4);
    }

    #[test]
    fn managers_that_share_a_list_are_one_source() {
        let sources = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            sources(&names)
        };
        assert_eq!(sources(&["dnf", "rpm"]).unwrap(), ["rpm"]);
        assert_eq!(sources(&["rpm", "auto"]).unwrap()[..2], ["rpm", "apt"]);
        assert!(sources(&["brew"]).is_err());
    }
}
