//! `community.general.npm`: packages of Node.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Command, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object,
};
use serde_json::Value;

use crate::changing::{carry_out, outcome};
use crate::describe::{example, of_collection, path, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        examples: vec![example(
            "Install a package for all",
            "community.general.npm:\n  name: pm2\n  global: true",
        )],
        ..of_collection(
            "community.general",
            "npm",
            "Installs and removes packages of Node.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        text(
            "name",
            "The package; without it, all that `package.json` names.",
        ),
        path("path", "Directory of the project."),
        text("version", "Version of the package."),
        switch("global", "Installs for all."),
        path("executable", "The program."),
        switch("ignore_scripts", "Runs no scripts of packages."),
        switch("unsafe_perm", "Runs scripts as the user it is."),
        switch("ci", "Installs exactly what the lock file names."),
        switch("production", "Leaves out what only development needs."),
        text("registry", "Address to load from."),
        text("state", "What it shall be.")
            .choices(&["absent", "latest", "present"])
            .defaults_to("present"),
        switch("no_optional", "Leaves out what is optional."),
        switch("no_bin_links", "Makes no links to programs."),
        switch("force", "Goes on where npm would stop."),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text("name");
    let state = arguments.text_or_empty("state");
    if !arguments.has("path") && !arguments.flag("global") {
        return Err(Failure::new("path must be specified when not using global"));
    }
    if name.is_none() && state == "absent" {
        return Err(Failure::new(
            "uninstalling a package is only available for named packages",
        ));
    }
    let npm = crate::paths::word(arguments.text("executable").unwrap_or("npm"));
    let options = options(&arguments);
    let command = |script: String| Command {
        script,
        directory: arguments.text("path").map(str::to_owned),
        ..Command::default()
    };
    if arguments.flag("ci") {
        host.cannot_know("only npm knows whether the lock file is carried out")
            .await?;
        let output = host.run(command(format!("{npm} ci{options}"))).await?;
        let output = crate::answers::succeeded(output, "npm ci")?;
        return Ok(outcome(!output.stdout.trim().is_empty(), Object::new()));
    }
    let list = host
        .read_command(command(format!(
            "{npm} list --json --long{options} 2>/dev/null; :"
        )))
        .await?;
    let listed: Value = serde_json::from_str(&list.stdout).unwrap_or_default();
    let (installed, missing) = read(&listed, name, arguments.text("version"));
    let package = name.map(|name| match arguments.text("version") {
        Some(version) => format!("{name}@{version}"),
        None => name.to_owned(),
    });
    let package = package
        .map(|package| format!(" {}", Host::quote(&package)))
        .unwrap_or_default();
    let verb = match state {
        "absent" if installed => "uninstall",
        "absent" => return Ok(outcome(false, Object::new())),
        "latest" if !missing => {
            return update(
                &host,
                &command,
                &format!("{npm} outdated{options}{package}"),
                &format!("{npm} update{options}{package}"),
            )
            .await;
        }
        _ if missing => "install",
        _ => return Ok(outcome(false, Object::new())),
    };
    let script = format!("{npm} {verb}{options}{package}");
    let script = match arguments.text("path") {
        Some(path) => format!(
            "mkdir -p {0} && cd {0} && {script}",
            crate::paths::word(path)
        ),
        None => script,
    };
    carry_out(
        &host,
        format!("npm {verb}{package}"),
        None,
        script,
        Object::new(),
    )
    .await
}

async fn update(
    host: &Host,
    command: &impl Fn(String) -> Command,
    ask: &str,
    act: &str,
) -> ModuleResult {
    let output = host
        .read_command(command(format!("{ask} 2>/dev/null; :")))
        .await?;
    if output.stdout.trim().is_empty() {
        return Ok(outcome(false, Object::new()));
    }
    host.will_change(act, None, Object::new()).await?;
    crate::answers::succeeded(host.run(command(act.to_owned())).await?, act)?;
    Ok(outcome(true, Object::new()))
}

/// Returns whether the package, or anything, is installed, and whether something is missing.
fn read(listed: &Value, name: Option<&str>, version: Option<&str>) -> (bool, bool) {
    let (mut installed, mut missing) = (false, false);
    let known = listed.get("dependencies").and_then(Value::as_object);
    for (known, about) in known.into_iter().flatten() {
        let lacks = |key: &str| {
            about
                .get(key)
                .is_some_and(|value| *value == Value::Bool(true))
        };
        let is_missing = lacks("missing") || lacks("invalid");
        if name.is_none_or(|name| name == known) {
            let found = about.get("version").and_then(Value::as_str);
            let other = name.is_some() && version.is_some_and(|version| found != Some(version));
            installed |= !is_missing;
            missing |= is_missing || other;
        }
    }
    (installed, missing || name.is_some() && !installed)
}

fn options(arguments: &Arguments) -> String {
    let mut options = String::new();
    for (flag, option) in [
        ("global", "--global"),
        ("production", "--production"),
        ("ignore_scripts", "--ignore-scripts"),
        ("unsafe_perm", "--unsafe-perm"),
        ("no_optional", "--no-optional"),
        ("no_bin_links", "--no-bin-links"),
        ("force", "--force"),
    ] {
        if arguments.flag(flag) {
            options.push_str(&format!(" {option}"));
        }
    }
    if let Some(registry) = arguments.text("registry") {
        options.push_str(&format!(" --registry {}", Host::quote(registry)));
    }
    options
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn lists_are_read() {
        let listed = json!({"dependencies": {"a": {"version": "1.0.0"}, "b": {"missing": true}}});
        assert_eq!(read(&listed, Some("a"), None), (true, false));
        assert_eq!(read(&listed, Some("a"), Some("2.0.0")), (true, true));
        assert_eq!(read(&listed, Some("c"), None), (false, true));
        assert_eq!(read(&listed, None, None), (true, true));
    }
}
