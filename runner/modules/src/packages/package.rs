//! `package`: installs and removes packages by whatever manages them.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};

use super::package_manager::{Action, DETECT, Manager};
use crate::answers::run as change;
use crate::describe::{core, example, needed, returns, switch, text, texts};
use crate::lines::split_lines;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[("stdout", "str", "What the package manager printed.")]),
        examples: vec![example(
            "Install a package",
            "ansible.builtin.package:\n  name: ntp\n  state: present",
        )],
        ..core(
            "package",
            "Installs and removes packages by whatever manages them.",
            vec![
                needed(texts("name", "The packages.")).alias(&["pkg"]),
                text("state", "What they shall be.")
                    .choices(&["absent", "installed", "latest", "present", "removed"])
                    .defaults_to("present"),
                text("use", "The package manager; it is found out.").defaults_to("auto"),
                switch(
                    "update_cache",
                    "Brings the lists of packages up to date first.",
                )
                .alias(&["expire-cache", "update-cache"]),
                texts("enablerepo", "Repositories of dnf to use as well."),
                texts("disablerepo", "Repositories of dnf not to use."),
                texts("exclude", "Packages that dnf leaves out."),
                switch(
                    "disable_gpg_check",
                    "Takes packages that cannot be verified.",
                ),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let manager = match Manager::named(arguments.text_or_empty("use")) {
        Some(manager) => manager,
        None => detect(&host).await?,
    };
    let names = arguments.strings("name");
    let state = arguments.text_or_empty("state");
    let installed = manager.installed(&host, &names).await?;
    let pick = |wanted: bool| -> Vec<String> {
        names
            .iter()
            .zip(&installed)
            .filter(|(_, installed)| installed.is_some() == wanted)
            .map(|(name, _)| name.clone())
            .collect()
    };
    let (action, todo) = match state {
        "absent" | "removed" => (Action::Remove, pick(true)),
        "latest" => (Action::Upgrade, names.clone()),
        _ => (Action::Install, pick(false)),
    };
    if todo.is_empty() {
        return Ok(Outcome::unchanged().with("msg", "Nothing to do"));
    }
    let mut script = manager.command(action, &todo, &options(&arguments, manager));
    if action == Action::Upgrade {
        let missing = pick(false);
        let options = options(&arguments, manager);
        if !missing.is_empty() {
            let install = manager.command(Action::Install, &missing, &options);
            script = format!("{install} && {script}");
        }
        host.cannot_know("only the package manager knows whether there are newer versions")
            .await?;
    } else {
        host.will_change(script.clone(), None, Object::new())
            .await?;
    }
    let output = change(&host, script, "the package manager").await?;
    let after = manager.installed(&host, &names).await?;
    Ok(Outcome {
        changed: after != installed,
        ..Outcome::default()
    }
    .with("stdout_lines", split_lines(&output.stdout))
    .with("stdout", output.stdout)
    .with("stderr", output.stderr))
}

async fn detect(host: &Host) -> Result<Manager, Failure> {
    let output = host.read_script(DETECT).await?;
    Manager::named(output.stdout.trim())
        .ok_or_else(|| Failure::new("Could not detect which package manager to use. Try gathering facts or setting the \"use\" option."))
}

fn options(arguments: &Arguments, manager: Manager) -> String {
    if !matches!(manager, Manager::Dnf | Manager::Yum) {
        return String::new();
    }
    let mut options = Vec::new();
    for (name, option) in [
        ("enablerepo", "--enablerepo="),
        ("disablerepo", "--disablerepo="),
        ("exclude", "--exclude="),
    ] {
        options.extend(
            arguments
                .strings(name)
                .iter()
                .map(|repo| format!("{option}{}", Host::quote(repo))),
        );
    }
    if arguments.flag("disable_gpg_check") {
        options.push("--nogpgcheck".to_owned());
    }
    if arguments.flag("update_cache") {
        options.push("--refresh".to_owned());
    }
    options.join(" ")
}
