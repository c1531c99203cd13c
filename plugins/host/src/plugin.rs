//! A plugin as the rest of the program sees it: modules, filters, tests and inventory sources.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sasrun_plugin::wire::{Application, Ask, Description, Nothing, Reply};
use sasrun_plugin::{
    Answer, Call, FilterError, InventoryProblem, InventoryRequest, InventoryResult,
    InventorySource, ModuleSpec, Step,
};
use serde_json::Value;

use crate::discover::sha256;
use crate::process::PluginProcess;
use crate::{Limits, PluginError, PluginFile};

/// A plugin that was started.
#[derive(Clone)]
pub struct Plugin {
    pub name: String,
    pub version: String,
    /// The file it came from, with its hash.
    pub file: PluginFile,
    pub modules: Vec<RemoteModule>,
    pub filters: Vec<RemoteFilter>,
    pub tests: Vec<RemoteTest>,
    pub inventory_sources: Vec<RemoteSource>,
}

impl Plugin {
    /// Starts a plugin and asks what it offers. `self_exe` is this program, which as
    /// `SELF plugin-host FILE` calls [`crate::serve`].
    ///
    /// Blocks until the plugin has answered or its limit passed.
    ///
    /// # Errors
    /// The plugin cannot be started, is of another version, or does not keep to the protocol.
    pub fn start(file: PluginFile, self_exe: &Path) -> Result<Self, PluginError> {
        Self::start_within(file, self_exe, Limits::default())
    }

    /// As [`start`](Self::start), with limits of one's own.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_within(
        file: PluginFile,
        self_exe: &Path,
        limits: Limits,
    ) -> Result<Self, PluginError> {
        let process = PluginProcess::start(&file, self_exe, &limits)?;
        let asked = process.ask_blocking(Ask::Describe(Nothing {}), limits.greeting)?;
        let description = match asked {
            Reply::Description(description) => description,
            Reply::Error(message) => {
                return Err(PluginError::Refused {
                    path: file.path,
                    message,
                });
            }
            other => return Err(process.unfitting(&other)),
        };
        let source = Arc::new(Source {
            file: file.clone(),
            self_exe: self_exe.to_owned(),
            limits,
            process: Mutex::new(Some(Arc::new(process))),
        });
        Ok(Self::described(description, file, &source))
    }

    fn described(description: Description, file: PluginFile, source: &Arc<Source>) -> Self {
        let function = |name: String| RemoteFunction {
            name,
            source: Arc::clone(source),
        };
        Self {
            name: description.name,
            version: description.version,
            file,
            modules: description
                .modules
                .into_iter()
                .map(|spec| RemoteModule {
                    spec: Arc::new(spec),
                    source: Arc::clone(source),
                })
                .collect(),
            filters: description
                .filters
                .into_iter()
                .map(|name| RemoteFilter(function(name)))
                .collect(),
            tests: description
                .tests
                .into_iter()
                .map(|name| RemoteTest(function(name)))
                .collect(),
            inventory_sources: description
                .inventory_sources
                .into_iter()
                .map(|name| RemoteSource(function(name)))
                .collect(),
        }
    }
}

/// Where processes of one plugin come from.
struct Source {
    file: PluginFile,
    self_exe: PathBuf,
    limits: Limits,
    process: Mutex<Option<Arc<PluginProcess>>>,
}

impl Source {
    /// A process that can take on something new: the present one, or a new one if it crashed or
    /// hung. Those who are with the old one stay with it.
    fn process(&self) -> Result<Arc<PluginProcess>, PluginError> {
        let mut current = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = current.as_ref().filter(|process| process.usable()) {
            return Ok(Arc::clone(process));
        }
        if sha256(&self.file.path)? != self.file.sha256 {
            return Err(PluginError::Changed {
                path: self.file.path.clone(),
            });
        }
        let process = PluginProcess::start(&self.file, &self.self_exe, &self.limits)?;
        Ok(Arc::clone(current.insert(Arc::new(process))))
    }

    /// Lets go of a process that hung, so that it ends with the last conversation in it.
    fn let_go(&self) {
        let mut current = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|process| !process.usable()) {
            *current = None;
        }
    }
}

/// A module that lives in a plugin.
#[derive(Clone)]
pub struct RemoteModule {
    spec: Arc<ModuleSpec>,
    source: Arc<Source>,
}

impl RemoteModule {
    /// Describes the module.
    pub fn spec(&self) -> &ModuleSpec {
        &self.spec
    }

    /// Begins one conversation. Nothing happens until its first [`RemoteConversation::next`].
    pub fn start(&self, call: Call) -> RemoteConversation {
        RemoteConversation {
            source: Arc::clone(&self.source),
            stage: Stage::Fresh(Box::new(call)),
        }
    }
}

/// One conversation with a plugin's module. Dropping it cancels it.
pub struct RemoteConversation {
    source: Arc<Source>,
    stage: Stage,
}

enum Stage {
    Fresh(Box<Call>),
    Going {
        process: Arc<PluginProcess>,
        id: u64,
    },
    Over,
}

impl RemoteConversation {
    /// Goes on until the module asks again or is done; the first time without an answer.
    ///
    /// # Errors
    /// The plugin crashed, hung or broke the protocol. The conversation is over then.
    pub async fn next(&mut self, answer: Option<Answer>) -> Result<Step, PluginError> {
        let over = || PluginError::Refused {
            path: self.source.file.path.clone(),
            message: "the conversation is already over".into(),
        };
        // Whatever ends this call early frees the conversation by dropping the guard.
        let (going, ask) = match (std::mem::replace(&mut self.stage, Stage::Over), answer) {
            (Stage::Fresh(call), _) => {
                let process = self.source.process()?;
                let id = process.new_id();
                (Going { process, id }, Ask::Start(*call))
            }
            (Stage::Going { process, id }, Some(answer)) => {
                (Going { process, id }, Ask::Answer(answer))
            }
            (Stage::Going { process, id }, None) => {
                process.free(id);
                return Err(over());
            }
            (Stage::Over, _) => return Err(over()),
        };
        let asked = going.process.ask(going.id, ask, self.source.limits.step);
        let reply = asked.await.inspect_err(|_| self.source.let_go())?;
        match reply {
            Reply::Step(step @ Step::Ask { .. }) => {
                self.stage = going.into_stage();
                Ok(step)
            }
            Reply::Step(step) => {
                going.forget();
                Ok(step)
            }
            Reply::Error(message) => {
                going.forget();
                Err(PluginError::Refused {
                    path: self.source.file.path.clone(),
                    message,
                })
            }
            other => Err(going.process.unfitting(&other)),
        }
    }
}

impl Drop for RemoteConversation {
    fn drop(&mut self) {
        if let Stage::Going { process, id } = &self.stage {
            process.free(*id);
        }
    }
}

/// A conversation in the middle of a step; dropping it frees the conversation.
struct Going {
    process: Arc<PluginProcess>,
    id: u64,
}

impl Going {
    fn into_stage(self) -> Stage {
        let (process, id) = (Arc::clone(&self.process), self.id);
        self.forget();
        Stage::Going { process, id }
    }

    /// Lets it go without freeing the conversation.
    fn forget(mut self) {
        self.id = 0;
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        if self.id != 0 {
            self.process.free(self.id);
        }
    }
}

/// A filter, test or inventory source by its name.
#[derive(Clone)]
struct RemoteFunction {
    name: String,
    source: Arc<Source>,
}

impl RemoteFunction {
    fn ask(&self, ask: Ask) -> Result<Reply, PluginError> {
        let process = self.source.process()?;
        let asked = process.ask_blocking(ask, self.source.limits.apply);
        asked.inspect_err(|_| self.source.let_go())
    }

    fn apply(
        &self,
        form: fn(Application) -> Ask,
        value: &Value,
        arguments: &[Value],
    ) -> Result<Value, FilterError> {
        let application = Application {
            name: self.name.clone(),
            value: value.clone(),
            arguments: arguments.to_vec(),
        };
        match self.ask(form(application)) {
            Ok(Reply::Value(value)) => Ok(value),
            Ok(Reply::Error(message)) => Err(FilterError { message }),
            Ok(_) => Err(FilterError {
                message: format!("the plugin's reply to {} is no value", self.name),
            }),
            Err(error) => Err(FilterError {
                message: error.to_string(),
            }),
        }
    }
}

/// A filter that lives in a plugin.
#[derive(Clone)]
pub struct RemoteFilter(RemoteFunction);

impl RemoteFilter {
    /// Name of the filter.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Applies it. Blocks until the plugin has answered or its limit passed.
    ///
    /// # Errors
    /// The filter says no, or the plugin failed.
    pub fn apply(&self, value: &Value, arguments: &[Value]) -> Result<Value, FilterError> {
        self.0.apply(Ask::Filter, value, arguments)
    }
}

/// A test that lives in a plugin.
#[derive(Clone)]
pub struct RemoteTest(RemoteFunction);

impl RemoteTest {
    /// Name of the test.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Applies it. Blocks until the plugin has answered or its limit passed.
    ///
    /// # Errors
    /// The test says no, its answer is neither true nor false, or the plugin failed.
    pub fn apply(&self, value: &Value, arguments: &[Value]) -> Result<bool, FilterError> {
        match self.0.apply(Ask::Test, value, arguments)? {
            Value::Bool(answer) => Ok(answer),
            other => Err(FilterError {
                message: format!(
                    "the test {} answered {other}, not true or false",
                    self.0.name
                ),
            }),
        }
    }
}

/// An inventory source that lives in a plugin.
#[derive(Clone)]
pub struct RemoteSource(RemoteFunction);

impl InventorySource for RemoteSource {
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Reads one document; a plugin that fails is a problem of the document.
    fn read(&self, request: &InventoryRequest) -> InventoryResult {
        let problem = |message: String| InventoryResult {
            problems: vec![InventoryProblem::at(&request.document, message)],
            ..InventoryResult::default()
        };
        match self.0.ask(Ask::Inventory(request.clone())) {
            Ok(Reply::Inventory(result)) => result,
            Ok(Reply::Error(message)) => problem(message),
            Ok(_) => problem(format!(
                "the plugin's reply to {} is no inventory",
                self.0.name
            )),
            Err(error) => problem(error.to_string()),
        }
    }
}
