//! `opsware_version`: which release each component of a server is at. Reads only.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Example, Failure, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Repetition, Returned,
};
use serde_json::{Value, json};

use crate::component::UPLOAD_IDS;
use crate::probe::{self, Installed};
use crate::release::Release;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Dictionary, String, StringList};
    ModuleSpec {
        name: "opsware_version".into(),
        summary: "Reads the release of every component of a server.".into(),
        description: vec![
            "Asks the package database. `6.51.x` and `6.5.1.x` are one train, `6.6.1` and `6.61` one release. On a server \
             with a software repository the uploads `content` and `stage2` are read too."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional("components", StringList, "Components to look at; by default those of the inventory."),
            ArgumentSpec::optional("about", String, "Host that the answer is about, if the task is delegated."),
            ArgumentSpec::optional("from", String, "Release that the upgrade starts from."),
            ArgumentSpec::optional("target", String, "Release that the upgrade leads to.").defaults_to("6.61"),
            ArgumentSpec::optional("packages", Dictionary, "Package that stands for a component's version, by id.")
                .defaults_to(json!({})),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        variables: vec!["components".into()],
        returns: vec![
            Returned::new("host", "str", "Host that this is about."),
            Returned::new("versions", "dict", "Release by component; `absent` and `unreadable` too."),
            Returned::new("at_target", "bool", "Whether every component is at the target."),
            Returned::new("problems", "list", "Components that are neither at the start nor at the target."),
        ],
        examples: vec![Example {
            title: "Which releases are installed".into(),
            yaml: "- opsware_version:\n    from: \"{{ mesh.version.from }}\"\n  register: installed\n".into(),
        }],
        ..ModuleSpec::default()
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mut ids = arguments.strings("components");
    if ids.is_empty() {
        let own = call.variables.get("components").and_then(Value::as_array);
        ids = own
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
    }
    if ids.is_empty() {
        return Err(Failure::new(
            "there are no components to look at: the inventory gives this host none",
        ));
    }
    let name = arguments.text("about").unwrap_or(&call.host).to_owned();
    let parse = |key: &str| arguments.text(key).and_then(Release::parse);
    let (from, target) = (parse("from"), parse("target"));
    let packages = arguments
        .dictionary("packages")
        .cloned()
        .unwrap_or_default();
    let uploads = if ids.iter().any(|id| id == "word") {
        UPLOAD_IDS
    } else {
        &[]
    };
    let all = || {
        ids.iter()
            .map(String::as_str)
            .chain(uploads.iter().copied())
    };
    let output = host.read_script(probe::script(all(), &packages)).await?;
    let versions = probe::read(&output.stdout, all(), &packages);
    let mut problems = Vec::new();
    for id in &ids {
        let Some(installed) = versions.get(id) else {
            continue;
        };
        let known = [&from, &target]
            .into_iter()
            .flatten()
            .any(|release| installed.is(release));
        if !known {
            problems.push(problem(&name, id, installed));
        }
    }
    let at_target = target.as_ref().is_some_and(|target| {
        ids.iter()
            .all(|id| versions.get(id).is_some_and(|v| v.is(target)))
    });
    let shown: Object = versions
        .iter()
        .map(|(id, version)| (id.clone(), Value::from(version.shown())))
        .collect();
    Ok(Outcome::unchanged()
        .with("host", name)
        .with("versions", Value::Object(shown))
        .with("at_target", at_target)
        .with("problems", json!(problems)))
}

fn problem(host: &str, id: &str, installed: &Installed) -> String {
    match installed {
        Installed::Release(release) => format!("{host}: {id} is at {release}"),
        Installed::Unknown(text) => {
            format!("{host}: {id} is at a version that no release is known by: {text}")
        }
        Installed::Absent => format!("{host}: {id} is not installed"),
        Installed::Unreadable(reason) => {
            format!("{host}: the version of {id} cannot be read: {reason}")
        }
    }
}
