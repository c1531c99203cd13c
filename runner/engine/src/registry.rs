//! All modules of a run. To the engine there is one kind.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use sasrun_plugin::{Answer, Call, Conversation, Module, ModuleSpec, Step};

/// A kind of task, wherever its code lives.
pub trait TaskModule: Send + Sync {
    /// Its description.
    fn spec(&self) -> &ModuleSpec;

    /// Begins a conversation.
    fn start(&self, call: Call) -> Box<dyn Talk>;
}

/// One conversation, wherever its other side lives. Dropping it cancels it.
pub trait Talk: Send {
    /// Goes on to the next step; a module that died or talks nonsense gives a failed step.
    fn next(&mut self, answer: Option<Answer>) -> BoxFuture<'_, Step>;
}

/// A module in this process.
pub struct InProcess(pub Box<dyn Module>);

impl TaskModule for InProcess {
    fn spec(&self) -> &ModuleSpec {
        self.0.spec()
    }

    fn start(&self, call: Call) -> Box<dyn Talk> {
        Box::new(InProcessTalk(self.0.start(call)))
    }
}

struct InProcessTalk(Box<dyn Conversation>);

impl Talk for InProcessTalk {
    fn next(&mut self, answer: Option<Answer>) -> BoxFuture<'_, Step> {
        Box::pin(ready(self.0.next(answer)))
    }
}

/// Modules by every name they answer to. The first that brings a name keeps it.
#[derive(Default, Clone)]
pub struct Registry {
    modules: Vec<Arc<dyn TaskModule>>,
    by_name: HashMap<String, usize>,
}

impl Registry {
    /// Adds a module.
    pub fn add(&mut self, module: Arc<dyn TaskModule>) {
        let index = self.modules.len();
        for name in names_of(module.spec()) {
            self.by_name.entry(name).or_insert(index);
        }
        self.modules.push(module);
    }

    /// Finds a module by any of its names.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn TaskModule>> {
        self.modules.get(*self.by_name.get(name)?)
    }

    /// All modules, in the order they were added.
    pub fn modules(&self) -> &[Arc<dyn TaskModule>] {
        &self.modules
    }

    /// Every name that finds a module.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

fn names_of(spec: &ModuleSpec) -> Vec<String> {
    let mut names = vec![spec.name.clone()];
    names.extend(spec.aliases.iter().cloned());
    if let Some(short) = spec.name.strip_prefix("ansible.builtin.") {
        names.push(short.to_owned());
        names.push(format!("ansible.legacy.{short}"));
    } else if let Some((_, short)) = spec.name.rsplit_once('.') {
        names.push(short.to_owned());
    }
    names
}
