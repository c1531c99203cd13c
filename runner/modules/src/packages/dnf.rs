//! `dnf` and `yum`: packages of Fedora, Red Hat and their kin.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object,
};
use serde_json::{Value, json};

use crate::answers::succeeded;
use crate::changing::{fields, outcome};
use crate::describe::{choice, core, example, integer, path, returns, set, switch, text, texts};
use crate::lines::split_lines;

pub(crate) fn dnf() -> Box<dyn Module> {
    FunctionModule::boxed(spec("dnf", Some("dnf5")), run)
}

pub(crate) fn yum() -> Box<dyn Module> {
    FunctionModule::boxed(spec("yum", None), run)
}

fn spec(name: &str, other: Option<&str>) -> ModuleSpec {
    let mut spec = ModuleSpec {
        returns: returns(&[
            ("msg", "str", "What was found or done."),
            ("rc", "int", "Status of the package manager."),
            (
                "results",
                "list",
                "What was installed or removed, or the list asked for.",
            ),
        ]),
        examples: vec![example(
            "Install packages",
            &format!("ansible.builtin.{name}:\n  name: [httpd, '@Web Server']\n  state: present"),
        )],
        mutually_exclusive: vec![set(&["name", "list"]), set(&["best", "nobest"])],
        ..core(
            name,
            "Installs and removes packages with dnf or yum.",
            arguments(),
        )
    };
    if let Some(other) = other {
        spec.aliases.push(format!("ansible.builtin.{other}"));
        spec.aliases.push(format!("ansible.legacy.{other}"));
        spec.aliases.push(other.to_owned());
    }
    spec
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        texts("name", "Packages, files, addresses, or groups as `@name`.")
            .alias(&["pkg"])
            .defaults_to(json!([])),
        text(
            "list",
            "Lists packages instead: `installed`, `updates`, `available`, or a name.",
        ),
        text("state", "What they shall be.").choices(&[
            "absent",
            "installed",
            "latest",
            "present",
            "removed",
        ]),
        texts("enablerepo", "Repositories to use as well.").defaults_to(json!([])),
        texts("disablerepo", "Repositories not to use.").defaults_to(json!([])),
        texts("exclude", "Packages to leave out.").defaults_to(json!([])),
        texts("enable_plugin", "Plugins to use.").defaults_to(json!([])),
        texts("disable_plugin", "Plugins not to use.").defaults_to(json!([])),
        text("conf_file", "Configuration to use."),
        text(
            "disable_excludes",
            "Repositories whose exclusions do not count.",
        ),
        path("installroot", "Root to install below.").defaults_to("/"),
        text("releasever", "Release to install from."),
        path("download_dir", "Where packages are loaded to."),
        switch(
            "disable_gpg_check",
            "Takes packages that cannot be verified.",
        ),
        switch("autoremove", "Removes what nothing needs any more."),
        switch("skip_broken", "Leaves out what cannot be installed."),
        switch(
            "update_cache",
            "Brings the lists of packages up to date first.",
        )
        .alias(&["expire-cache", "update-cache"]),
        switch("update_only", "With `latest`, installs nothing new."),
        switch("security", "With `latest`, only what is about security."),
        switch("bugfix", "With `latest`, only what mends."),
        switch("allow_downgrade", "Takes older versions."),
        switch("download_only", "Loads packages and does not install them."),
        switch("allowerasing", "Removes what is in the way."),
        switch("cacheonly", "Uses only lists that are there."),
        choice("install_weak_deps", "Installs what is recommended too.").defaults_to(true),
        choice("install_repoquery", "Accepted; nothing is needed.").defaults_to(true),
        choice("validate_certs", "Accepted; see `sslverify`.").defaults_to(true),
        choice("sslverify", "Checks servers' certificates.").defaults_to(true),
        choice("nobest", "Takes other than the newest if that is needed."),
        choice("best", "Takes the newest or fails."),
        integer("lock_timeout", "Accepted; dnf waits for its lock.").defaults_to(30),
        choice("auto_install_module_deps", "Accepted; nothing is needed.").defaults_to(true),
        text("use_backend", "Which of them; it is found out.")
            .alias(&["use"])
            .choices(&["auto", "dnf", "dnf4", "dnf5", "yum", "yum4"])
            .defaults_to("auto"),
    ]
}

/// Chooses the program on the host.
const TOOL: &str = "d=dnf; if [ ! -x /usr/bin/dnf ]; then d=yum; fi; if [ ! -x /usr/bin/$d ] && [ -x /usr/bin/microdnf ]; then d=microdnf; fi";

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if let Some(what) = arguments.text("list") {
        return list(&host, &arguments, what).await;
    }
    let names = arguments.strings("name");
    let clears = arguments.flag("autoremove");
    let state = arguments
        .text("state")
        .unwrap_or(if clears { "absent" } else { "present" });
    if names.is_empty() {
        return match (clears, arguments.flag("update_cache")) {
            (true, _) => transact(&host, &arguments, "autoremove", &[]).await,
            (false, true) => {
                let script = format!("{TOOL}; $d -y{} makecache", options(&arguments));
                succeeded(host.read_script(script).await?, "dnf makecache")?;
                let result = fields([
                    ("msg", "Cache updated".into()),
                    ("rc", 0.into()),
                    ("results", json!([])),
                ]);
                Ok(outcome(false, result))
            }
            (false, false) => Err(Failure::new(
                "one of the following is required: name, list, autoremove, update_cache",
            )),
        };
    }
    if names.iter().any(|name| name == "*") && state == "latest" {
        return transact(&host, &arguments, "upgrade", &[]).await;
    }
    let installed = installed(&host, &names).await?;
    let pick = |wanted: bool| -> Vec<String> {
        names
            .iter()
            .zip(&installed)
            .filter(|(_, is)| **is == Some(wanted))
            .map(|(name, _)| name.clone())
            .collect()
    };
    let unknown: Vec<String> = names
        .iter()
        .zip(&installed)
        .filter(|(_, is)| is.is_none())
        .map(|(name, _)| name.clone())
        .collect();
    let (verb, todo) = match state {
        "absent" | "removed" => ("remove", [pick(true), unknown].concat()),
        "latest" if arguments.flag("update_only") => ("upgrade", [pick(true), unknown].concat()),
        "latest" => ("latest", names.clone()),
        _ => ("install", [pick(false), unknown].concat()),
    };
    if todo.is_empty() {
        let result = fields([
            ("msg", "Nothing to do".into()),
            ("rc", 0.into()),
            ("results", json!([])),
        ]);
        return Ok(outcome(false, result));
    }
    transact(&host, &arguments, verb, &todo).await
}

/// Asks rpm for each package; none for what only dnf can tell, such as groups and addresses.
async fn installed(host: &Host, names: &[String]) -> Result<Vec<Option<bool>>, Failure> {
    let mut script = String::new();
    for name in names {
        let odd = name.starts_with('@')
            || name.contains("://")
            || name.ends_with(".rpm")
            || name.contains(['<', '>', '=', '*']);
        script.push_str(&if odd {
            "echo '?'\n".to_owned()
        } else {
            let word = Host::quote(name);
            format!("if rpm -q {word} >/dev/null 2>&1 || rpm -q --whatprovides {word} >/dev/null 2>&1; then echo +; else echo -; fi\n")
        });
    }
    let output = host.read_script(script).await?;
    Ok(output
        .stdout
        .lines()
        .map(|line| match line {
            "+" => Some(true),
            "-" => Some(false),
            _ => None,
        })
        .collect())
}

/// Lets dnf say what it would do, and does it if that is anything.
async fn transact(
    host: &Host,
    arguments: &Arguments,
    verb: &str,
    names: &[String],
) -> ModuleResult {
    let words: Vec<String> = names.iter().map(|name| Host::quote(name)).collect();
    let words = words.join(" ");
    let options = options(arguments);
    // A name that is not installed yet is installed; one that is gets its newest version.
    let line = |dry: &str| match verb {
        "latest" => format!(
            "{TOOL}; $d{options}{dry} install {words}; r=$?; $d{options}{dry} upgrade {words} || exit $r"
        ),
        verb => format!("{TOOL}; $d{options}{dry} {verb} {words}"),
    };
    let dry = host.read_script(line(" --assumeno")).await?;
    let said = format!("{}{}", dry.stdout, dry.stderr);
    if said.contains("Nothing to do") && !said.contains("Transaction Summary") {
        let result = fields([
            ("msg", "Nothing to do".into()),
            ("rc", 0.into()),
            ("results", json!([])),
        ]);
        return Ok(outcome(false, result));
    }
    if !said.contains("Transaction Summary") && !said.contains("Operation aborted") {
        let msg = format!(
            "Failed to install some of the specified packages: {}",
            said.trim()
        );
        return Err(Failure::new(msg)
            .with("rc", dry.rc)
            .with("results", json!([])));
    }
    host.will_change(format!("{verb} {words}"), None, Object::new())
        .await?;
    let output = succeeded(
        host.run(sasrun_plugin::Command {
            script: line(" -y"),
            ..Default::default()
        })
        .await?,
        "the package manager",
    )?;
    let result = fields([
        ("msg", "".into()),
        ("rc", 0.into()),
        ("results", results(&output.stdout).into()),
        ("stdout", output.stdout.as_str().into()),
        ("stdout_lines", split_lines(&output.stdout).into()),
    ]);
    Ok(outcome(true, result))
}

/// Reads the closing lists of dnf: `Installed: a-1.x86_64` and the like.
fn results(text: &str) -> Vec<String> {
    let (mut results, mut verb) = (Vec::new(), "");
    for line in text.lines() {
        match line.trim_end() {
            "Installed:" | "Upgraded:" | "Removed:" | "Downgraded:" | "Reinstalled:" => {
                verb = line.trim().trim_end_matches(':')
            }
            "" | "Complete!" => verb = "",
            names if !verb.is_empty() && names.starts_with(' ') => {
                results.extend(
                    names
                        .split_whitespace()
                        .map(|name| format!("{verb}: {name}")),
                );
            }
            _ => {}
        }
    }
    results
}

fn options(arguments: &Arguments) -> String {
    let mut options = String::from(" -q --color=never");
    for (name, option) in [
        ("enablerepo", "--enablerepo"),
        ("disablerepo", "--disablerepo"),
        ("exclude", "--exclude"),
        ("enable_plugin", "--enableplugin"),
        ("disable_plugin", "--disableplugin"),
    ] {
        for value in arguments.strings(name) {
            options.push_str(&format!(" {option}={}", Host::quote(&value)));
        }
    }
    for (name, option) in [
        ("conf_file", "--config"),
        ("disable_excludes", "--disableexcludes"),
        ("releasever", "--releasever"),
        ("download_dir", "--downloaddir"),
    ] {
        if let Some(value) = arguments.text(name) {
            options.push_str(&format!(" {option}={}", Host::quote(value)));
        }
    }
    if let Some(root) = arguments.text("installroot").filter(|root| *root != "/") {
        options.push_str(&format!(" --installroot={}", Host::quote(root)));
    }
    for (name, option) in [
        ("disable_gpg_check", "--nogpgcheck"),
        ("skip_broken", "--skip-broken"),
        ("security", "--security"),
        ("bugfix", "--bugfix"),
        ("download_only", "--downloadonly"),
        ("allowerasing", "--allowerasing"),
        ("cacheonly", "--cacheonly"),
        ("nobest", "--nobest"),
        ("best", "--best"),
        ("update_cache", "--refresh"),
    ] {
        if arguments.flag(name) {
            options.push_str(&format!(" {option}"));
        }
    }
    for (name, option) in [
        ("install_weak_deps", "install_weak_deps=False"),
        ("sslverify", "sslverify=False"),
    ] {
        if arguments.given_flag(name) == Some(false) {
            options.push_str(&format!(" --setopt={option}"));
        }
    }
    options.replacen(" -q", "", 1)
}

async fn list(host: &Host, arguments: &Arguments, what: &str) -> ModuleResult {
    let which = match what {
        "installed" => "--installed".to_owned(),
        "updates" | "upgrades" => "--upgrades".to_owned(),
        "available" => "--available".to_owned(),
        name => Host::quote(name),
    };
    let format = "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{repoid}\\n";
    let script = format!(
        "{TOOL}; $d -q repoquery{} --qf '{format}' {which}",
        options(arguments)
    );
    let output = succeeded(host.read_script(script).await?, "dnf repoquery")?;
    let results: Vec<Value> = output
        .stdout
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split('|').collect();
            let [name, epoch, version, release, arch, repo] = words[..] else {
                return None;
            };
            let state = if repo == "@System" || what == "installed" { "installed" } else { "available" };
            Some(json!({
                "name": name, "epoch": epoch, "version": version, "release": release, "arch": arch, "repo": repo,
                "nevra": format!("{epoch}:{name}-{version}-{release}.{arch}"), "yumstate": state,
            }))
        })
        .collect();
    Ok(outcome(
        false,
        fields([("msg", "".into()), ("results", results.into())]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lists_are_read() {
        let text =
            "x\nInstalled:\n  a-1.x86_64   b-2.noarch\n\nRemoved:\n  c-1.noarch\n\nComplete!\n";
        assert_eq!(
            results(text),
            [
                "Installed: a-1.x86_64",
                "Installed: b-2.noarch",
                "Removed: c-1.noarch"
            ]
        );
    }
}
