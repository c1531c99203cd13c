//! `opsware_plan`: from what was read of every server to what is due, refused, or left to others.
//!
//! Pure: it asks nothing of any host. The order of components comes from the playbook.

mod procedure;
mod stage;
mod steps;

use std::collections::BTreeMap;

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Example, Failure, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Repetition, Returned,
};
use serde_json::{Value, json};

use crate::release::Release;
use procedure::Procedure;
use stage::{Core, Server};
use steps::CoreState;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Boolean, Dictionary, List, String, StringList};
    ModuleSpec {
        name: "opsware_plan".into(),
        summary: "Tells how far each core of a mesh has come, and what is due.".into(),
        description: vec![
            "Takes what `opsware_version` and `opsware_service` read on every server, also on those that a limit leaves out. \
             A mix of releases is accepted only if it is one that the procedure itself leaves when it stops."
                .into(),
            "A run that is limited to some cores does their part. What that builds on in the other cores must hold; \
             otherwise there is a refusal that names the core and what it lacks."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::required("mesh", Dictionary, "The mesh, as the inventory gives it."),
            ArgumentSpec::required("versions", List, "Results of `opsware_version` of every server."),
            ArgumentSpec::required("services", List, "Results of `opsware_service` of every server."),
            ArgumentSpec::required("hosts", StringList, "Hosts that this run may change."),
            ArgumentSpec::required("order", StringList, "Components in the order in which a core is upgraded."),
            ArgumentSpec::optional("procedure", String, "Which of the guide's procedures the steps are those of.")
                .choices(&["multimaster", "standalone", "rolling"])
                .defaults_to("multimaster"),
            ArgumentSpec::optional("stage2", Boolean, "Whether the stage2 images are wanted.").defaults_to(true),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        controller_only: true,
        returns: vec![
            Returned::new("stages", "dict", "By core: `start`, `stopped`, `database`, `begun` or `complete`."),
            Returned::new("steps", "dict", "Cores by step of the procedure; steps that are not due have none."),
            Returned::new("due", "bool", "Whether anything is due at all."),
            Returned::new("refusals", "list", "Why the run must not begin."),
            Returned::new("left_out", "list", "Steps that remain for other runs, by core."),
        ],
        examples: vec![Example {
            title: "What is due".into(),
            yaml: "- opsware_plan:\n    mesh: \"{{ mesh }}\"\n    versions: \"{{ all_versions }}\"\n    services: \"{{ all_services \
                   }}\"\n    hosts: \"{{ ansible_play_hosts_all }}\"\n    order: \"{{ component_order }}\"\n  register: plan\n"
                .into(),
        }],
        ..ModuleSpec::default()
    }
}

async fn run(call: Call, _host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mesh = arguments.dictionary("mesh").cloned().unwrap_or_default();
    let cores = cores(
        &mesh,
        arguments.list("versions"),
        arguments.list("services"),
    )?;
    let releases = Releases::of(&mesh)?;
    let ours = arguments.strings("hosts");
    let order = arguments.strings("order");
    let procedure = Procedure::read(arguments.text_or_empty("procedure"));
    let with_stage2 = arguments.flag("stage2");
    let mut refusals = procedure.refusals(cores.len(), releases.from.name());
    let mut states = Vec::new();
    let mut from = BTreeMap::new();
    for core in &cores {
        refusals.extend(halves(core, &ours));
        match stage::stage(
            core,
            &order,
            &|version| releases.is_start(version),
            &|version| releases.is_target(version),
        ) {
            Ok(stage) => {
                let mut state = state(core, stage, &ours, &releases);
                state.has_stage2 |= !with_stage2;
                states.push(state);
            }
            Err(wrong) => refusals.extend(
                wrong
                    .into_iter()
                    .map(|reason| format!("{}: {reason}", core.name)),
            ),
        }
        releases.note_starts(core, &mut from);
    }
    refusals.extend(mixed(&from));
    let plan = if refusals.is_empty() {
        procedure.plan(&states)
    } else {
        steps::Plan::default()
    };
    refusals.extend(plan.refusals);
    let steps: Object = procedure::STEPS
        .iter()
        .map(|id| {
            (
                (*id).to_owned(),
                plan.steps
                    .get(id)
                    .map(|names| json!(names))
                    .unwrap_or_else(|| json!([])),
            )
        })
        .collect();
    let stages: Object = states
        .iter()
        .map(|core| (core.name.clone(), Value::from(core.stage.word())))
        .collect();
    Ok(Outcome::unchanged()
        .with("stages", Value::Object(stages))
        .with("due", !plan.steps.is_empty())
        .with("steps", Value::Object(steps))
        .with("refusals", json!(refusals))
        .with("left_out", json!(plan.left_out)))
}

/// The releases of a mesh.
struct Releases {
    from: Release,
    target: Release,
}

impl Releases {
    fn of(mesh: &Object) -> Result<Self, Failure> {
        let read = |key: &str| {
            let text = mesh
                .get("version")
                .and_then(|version| version.get(key))
                .and_then(Value::as_str);
            text.and_then(Release::parse)
                .ok_or_else(|| Failure::new(format!("the mesh gives no release in version.{key}")))
        };
        Ok(Self {
            from: read("from")?,
            target: read("to")?,
        })
    }

    fn is_start(&self, version: &str) -> bool {
        Release::parse(version).is_some_and(|release| self.from.is_met_by(&release))
    }

    fn is_target(&self, version: &str) -> bool {
        Release::parse(version).is_some_and(|release| self.target.is_met_by(&release))
    }

    /// Notes which releases servers start from, for `6.5.1.x` stands for several.
    fn note_starts(&self, core: &Core, from: &mut BTreeMap<String, Vec<String>>) {
        for server in &core.servers {
            for (id, version) in &server.versions {
                let listed = core
                    .components
                    .iter()
                    .any(|(host, ids)| *host == server.host && ids.contains(id));
                if listed && self.is_start(version) {
                    let servers = from.entry(version.clone()).or_default();
                    if !servers.contains(&server.host) {
                        servers.push(server.host.clone());
                    }
                }
            }
        }
    }
}

/// PATH-7: one release to start from in the whole mesh.
fn mixed(from: &BTreeMap<String, Vec<String>>) -> Option<String> {
    if from.len() < 2 {
        return None;
    }
    let parts: Vec<String> = from
        .iter()
        .map(|(version, servers)| format!("{version} on {}", servers.join(", ")))
        .collect();
    Some(format!(
        "the mesh is of mixed releases: {}",
        parts.join("; ")
    ))
}

/// A limit may name whole cores only.
fn halves(core: &Core, ours: &[String]) -> Option<String> {
    let (inside, outside): (Vec<&str>, Vec<&str>) = core
        .components
        .iter()
        .map(|(host, _)| host.as_str())
        .partition(|host| ours.iter().any(|name| name == host));
    if inside.is_empty() || outside.is_empty() {
        return None;
    }
    Some(format!(
        "{}: the limit leaves out {}; a core can only be upgraded whole",
        core.name,
        outside.join(", ")
    ))
}

fn cores(mesh: &Object, versions: &[Value], services: &[Value]) -> Result<Vec<Core>, Failure> {
    let listed = mesh.get("cores").and_then(Value::as_object);
    let hosts = mesh.get("hosts").and_then(Value::as_object);
    let (Some(listed), Some(hosts)) = (listed, hosts) else {
        return Err(Failure::new("the mesh gives no cores or no hosts"));
    };
    Ok(listed
        .iter()
        .map(|(name, core)| {
            let names = words(core.get("hosts"));
            Core {
                name: name.clone(),
                is_source: core.get("source").and_then(Value::as_bool).unwrap_or(false),
                servers: names
                    .iter()
                    .filter_map(|host| server(host, versions, services))
                    .collect(),
                components: names
                    .iter()
                    .map(|host| {
                        (
                            host.clone(),
                            words(hosts.get(host).and_then(|host| host.get("components"))),
                        )
                    })
                    .collect(),
            }
        })
        .collect())
}

fn words(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}

/// What was read of one server; none if it was not.
fn server(host: &str, versions: &[Value], services: &[Value]) -> Option<Server> {
    let about = |result: &&Value| result.get("host").and_then(Value::as_str) == Some(host);
    let versions = versions.iter().find(about)?.get("versions")?.as_object()?;
    let running = services.iter().find(about)?.get("running");
    Some(Server {
        host: host.to_owned(),
        versions: versions
            .iter()
            .filter_map(|(id, version)| Some((id.clone(), version.as_str()?.to_owned())))
            .collect(),
        running: words(running),
    })
}

fn state(core: &Core, stage: stage::Stage, ours: &[String], releases: &Releases) -> CoreState {
    let repositories: Vec<&Server> = core
        .servers
        .iter()
        .filter(|server| {
            core.components
                .iter()
                .any(|(host, ids)| *host == server.host && ids.iter().any(|id| id == "word"))
        })
        .collect();
    let has = |server: &&&Server, id: &str| {
        server
            .versions
            .get(id)
            .is_some_and(|version| releases.is_target(version))
    };
    CoreState {
        name: core.name.clone(),
        is_source: core.is_source,
        stage,
        is_ours: core.components.iter().any(|(host, _)| ours.contains(host)),
        // A core without a software repository has nowhere to put either.
        has_content: repositories.is_empty()
            || repositories.iter().any(|server| has(&server, "content")),
        has_stage2: repositories.iter().all(|server| has(&server, "stage2")),
        running: core
            .servers
            .iter()
            .flat_map(|server| {
                server
                    .running
                    .iter()
                    .map(move |name| format!("{name} on {}", server.host))
            })
            .filter(|name| !name.starts_with("opswgw-cgw0"))
            .collect(),
    }
}
