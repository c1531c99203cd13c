//! Plugins found and started, and what they offer put where it belongs.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use futures::future::{BoxFuture, ready};
use sasrun_engine::{InProcess, Registry, Talk, TaskModule};
use sasrun_load::{InventorySources, SourceGroup, SourceHost, SourceInventory, SourceProblem};
use sasrun_model::{Name, Node, NodeKind, Value};
use sasrun_plugin::{
    Answer, Call, CheckSupport, Failure, InventoryRequest, InventorySource, Marked, MarkedEntry,
    MarkedValue, ModuleSpec, Repetition, Step,
};
use sasrun_plugin_host::{
    Plugin, PluginError, PluginFile, RemoteConversation, RemoteModule, RemoteSource, discover,
};
use sasrun_template::{ExtensionError, ExtensionFunction, Extensions};

use crate::vault_filters;

/// Everything that modules, templates and inventories may use.
pub(crate) struct Loaded {
    pub registry: Arc<Registry>,
    pub extensions: Extensions,
    pub sources: Arc<PluginSources>,
    /// SHA-256 of each plugin by its path.
    pub hashes: BTreeMap<String, String>,
    /// What is wrong with plugins that could not be started.
    pub broken: Vec<PluginError>,
}

/// Folders in which plugins are looked for, the nearest first: those named, beside playbooks,
/// beside inventories, the site's, those installed with the binary.
pub(crate) fn folders(named: &[PathBuf], beside: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = named.to_vec();
    folders.extend(beside.iter().map(|folder| folder.join("plugins")));
    folders.extend(
        std::env::var_os("SASRUN_PLUGINS")
            .into_iter()
            .flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>()),
    );
    folders.push(PathBuf::from("/etc/sasrun/plugins"));
    folders.extend(installed());
    let mut seen = HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

/// `lib/sasrun/plugins` beside the folder of the binary, where `make install` puts them.
fn installed() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?.canonicalize().ok()?;
    Some(binary.parent()?.parent()?.join("lib/sasrun/plugins"))
}

/// Starts all plugins of the folders, side by side, and joins them with the built-in modules.
///
/// One that cannot be used costs what it would have brought, and nothing else.
///
/// # Errors
/// A folder or file could be changed by others, or cannot be read.
pub(crate) fn load(folders: &[PathBuf]) -> anyhow::Result<Loaded> {
    let mut registry = Registry::default();
    for module in sasrun_modules::builtin() {
        registry.add(Arc::new(InProcess(module)));
    }
    let mut extensions = Extensions::default();
    vault_filters::extend(&mut extensions);
    let mut sources = Vec::new();
    let mut broken = Vec::new();
    let own = std::env::current_exe().context("where is this program?")?;
    let files = discover(folders)?;
    let hashes = files
        .iter()
        .map(|file| (file.path.display().to_string(), file.sha256.clone()))
        .collect();
    let mut stand_ins = Vec::new();
    for (path, started) in start_all(files, &own) {
        match started {
            Ok(plugin) => {
                for module in plugin.modules {
                    registry.add(Arc::new(Remote(module)));
                }
                extend(&mut extensions, plugin.filters, plugin.tests);
                sources.extend(plugin.inventory_sources);
            }
            Err(error) => {
                stand_ins.extend(Broken::of(&path, &error));
                broken.push(error);
            }
        }
    }
    for stand_in in stand_ins {
        registry.add(Arc::new(stand_in));
    }
    Ok(Loaded {
        registry: Arc::new(registry),
        extensions,
        sources: Arc::new(PluginSources {
            sources,
            folders: folders.to_vec(),
        }),
        hashes,
        broken,
    })
}

type Started = (PathBuf, Result<Plugin, PluginError>);

/// Starts plugins in threads of their own, for each may take its time to answer.
fn start_all(files: Vec<PluginFile>, own: &Path) -> Vec<Started> {
    std::thread::scope(|scope| {
        let starting: Vec<_> = files
            .into_iter()
            .map(|file| {
                let path = file.path.clone();
                (path, scope.spawn(move || Plugin::start(file, own)))
            })
            .collect();
        starting
            .into_iter()
            .map(|(path, thread)| {
                let started = thread.join().unwrap_or_else(|_| {
                    Err(PluginError::Unusable {
                        path: path.clone(),
                        reason: "starting it failed inside sasrun".into(),
                    })
                });
                (path, started)
            })
            .collect()
    })
}

fn extend(
    extensions: &mut Extensions,
    filters: Vec<sasrun_plugin_host::RemoteFilter>,
    tests: Vec<sasrun_plugin_host::RemoteTest>,
) {
    for filter in filters {
        let name = Name::from(filter.name());
        let function: ExtensionFunction = Arc::new(move |values, _| {
            let (value, arguments) = split(values);
            let result = filter.apply(&value, &arguments);
            result
                .map(Value::from)
                .map_err(|error| ExtensionError::new(error.message))
        });
        extensions.filters.insert(name, function);
    }
    for test in tests {
        let name = Name::from(test.name());
        let function: ExtensionFunction = Arc::new(move |values, _| {
            let (value, arguments) = split(values);
            let result = test.apply(&value, &arguments);
            result
                .map(Value::Bool)
                .map_err(|error| ExtensionError::new(error.message))
        });
        extensions.tests.insert(name, function);
    }
}

fn split(values: &[Value]) -> (serde_json::Value, Vec<serde_json::Value>) {
    let mut json = values.iter().map(serde_json::Value::from);
    (json.next().unwrap_or_default(), json.collect())
}

/// A module of a plugin, as the engine takes it.
struct Remote(RemoteModule);

impl TaskModule for Remote {
    fn spec(&self) -> &ModuleSpec {
        self.0.spec()
    }

    fn start(&self, call: Call) -> Box<dyn Talk> {
        Box::new(RemoteTalk(self.0.start(call)))
    }
}

struct RemoteTalk(RemoteConversation);

impl Talk for RemoteTalk {
    fn next(&mut self, answer: Option<Answer>) -> BoxFuture<'_, Step> {
        Box::pin(async move {
            match self.0.next(answer).await {
                Ok(step) => step,
                Err(error) => Step::Failed {
                    failure: Failure::new(error.to_string()),
                },
            }
        })
    }
}

/// Stands where the module named as a broken plugin's file would be, so that a task with it fails
/// with the plugin's error and the others go on.
struct Broken {
    spec: ModuleSpec,
    error: String,
}

impl Broken {
    fn of(path: &Path, error: &PluginError) -> Option<Self> {
        let stem = path.file_stem()?.to_str()?;
        let is_library = path.extension().is_some_and(|extension| extension == "so");
        let name = if is_library {
            stem.strip_prefix("lib").unwrap_or(stem)
        } else {
            stem
        };
        Some(Self {
            spec: ModuleSpec {
                name: name.to_owned(),
                summary: format!("Cannot be used: {error}."),
                open: true,
                free_form: Some("_raw_params".into()),
                check_mode: CheckSupport::ReadsOnly,
                repetition: Repetition::Read,
                controller_only: true,
                ..ModuleSpec::default()
            },
            error: format!("the plugin cannot be used: {error}"),
        })
    }
}

impl TaskModule for Broken {
    fn spec(&self) -> &ModuleSpec {
        &self.spec
    }

    fn start(&self, _: Call) -> Box<dyn Talk> {
        Box::new(BrokenTalk(self.error.clone()))
    }
}

struct BrokenTalk(String);

impl Talk for BrokenTalk {
    fn next(&mut self, _: Option<Answer>) -> BoxFuture<'_, Step> {
        let failure = Failure::new(self.0.clone());
        Box::pin(ready(Step::Failed { failure }))
    }
}

/// Inventory forms of all plugins.
pub(crate) struct PluginSources {
    sources: Vec<RemoteSource>,
    folders: Vec<PathBuf>,
}

impl InventorySources for PluginSources {
    fn names(&self) -> Vec<Name> {
        self.sources
            .iter()
            .map(|source| Name::from(source.name()))
            .collect()
    }

    fn places(&self) -> Vec<String> {
        let shown = |folder: &PathBuf| folder.display().to_string();
        self.folders.iter().map(shown).collect()
    }

    fn read(&self, name: &str, path: &Path, document: &Node) -> Option<SourceInventory> {
        let source = self.sources.iter().find(|source| source.name() == name)?;
        let result = source.read(&InventoryRequest {
            source: name.to_owned(),
            path: path.display().to_string(),
            document: marked(document),
        });
        let groups = result.groups.into_iter().map(|(name, group)| SourceGroup {
            name,
            hosts: group.hosts,
            children: group.children,
            variables: group.variables,
        });
        let hosts = result.hosts.into_iter().map(|(name, host)| SourceHost {
            name,
            variables: host.variables,
        });
        let problems = result.problems.into_iter().map(|problem| SourceProblem {
            line: problem.line,
            column: problem.column,
            message: problem.message,
            hint: problem.hint,
        });
        Some(SourceInventory {
            groups: groups.collect(),
            hosts: hosts.collect(),
            is_complete: result.complete,
            problems: problems.collect(),
        })
    }
}

/// A written value with its places, as sources get it.
fn marked(node: &Node) -> Marked {
    let value = match &node.kind {
        NodeKind::Null => MarkedValue::Null,
        NodeKind::Bool(value) => MarkedValue::Bool(*value),
        NodeKind::Int(value) => MarkedValue::Int(*value),
        NodeKind::Float(value) => MarkedValue::Float(*value),
        NodeKind::Text(text) => MarkedValue::Text(text.text.to_string()),
        NodeKind::List(items) => MarkedValue::List(items.iter().map(marked).collect()),
        NodeKind::Map(entries) => MarkedValue::Map(
            entries
                .iter()
                .map(|entry| MarkedEntry {
                    key: marked(&entry.key),
                    value: marked(&entry.value),
                })
                .collect(),
        ),
        NodeKind::Data(value) => marked_data(value),
    };
    Marked {
        line: node.span.line,
        column: node.span.column,
        value,
    }
}

fn marked_data(value: &Value) -> MarkedValue {
    match value {
        Value::Bool(value) => MarkedValue::Bool(*value),
        Value::Int(value) => MarkedValue::Int(*value),
        Value::Float(value) => MarkedValue::Float(*value),
        Value::Text(text) => MarkedValue::Text(text.to_string()),
        _ => MarkedValue::Null,
    }
}
