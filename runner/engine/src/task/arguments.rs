//! From the arguments as written to a module's call.

use std::sync::Arc;

use sasrun_model::{Keyword, Name, Node, NodeKind, Value};
use sasrun_plugin::{ArgumentType, Arguments, Call, ModuleSpec, Object};
use sasrun_template::{Scope, TemplateError};

use super::HostRun;
use crate::looking::{Looking, unknowable};

/// Name under which the loader keeps a template that stands for all arguments.
const ALL_ARGUMENTS: &str = "_variable_params";

/// Why a call could not be made.
pub(super) enum CallError {
    Template(TemplateError),
    Arguments(Vec<sasrun_plugin::ArgumentError>),
}

impl From<TemplateError> for CallError {
    fn from(error: TemplateError) -> Self {
        CallError::Template(error)
    }
}

impl HostRun<'_> {
    /// Renders and checks the arguments of a module.
    pub(super) fn call(
        &self,
        spec: &ModuleSpec,
        scope: &Arc<dyn Scope>,
        check_mode: bool,
    ) -> Result<Call, CallError> {
        let mut raw = self.defaults(spec, scope)?;
        self.fill(spec, &self.task.arguments, scope, &mut raw)?;
        let arguments = Arguments::check(spec, &raw)
            .map_err(CallError::Arguments)?
            .into_object();
        self.register_secrets(spec, &arguments);
        let mut variables = Object::new();
        for name in &spec.variables {
            if let Some(value) = self.templates().variable(name, scope)? {
                variables.insert(name.clone(), serde_json::Value::from(&value));
            }
        }
        Ok(Call {
            module: spec.name.clone(),
            arguments,
            check_mode,
            diff: self.is_diff(scope)?,
            host: self.host.to_string(),
            variables,
        })
    }

    /// Arguments of `module_defaults`, the innermost level winning.
    fn defaults(&self, spec: &ModuleSpec, scope: &Arc<dyn Scope>) -> Result<Object, CallError> {
        let mut defaults = Object::new();
        let levels = self.level.keyword_at_all(Keyword::ModuleDefaults);
        for level in levels
            .into_iter()
            .chain(self.task.keywords.get(Keyword::ModuleDefaults))
        {
            let entries = level.entries().iter().filter(|entry| {
                let name = entry.key.as_str();
                name.is_some_and(|name| spec.answers_to(name))
            });
            // What stands for the name that was called wins over what stands for another one of it.
            let mut entries: Vec<_> = entries.collect();
            entries.sort_by_key(|entry| entry.key.as_str().is_some_and(is_action_over_module));
            for entry in entries {
                self.fill(spec, &entry.value, scope, &mut defaults)?;
            }
        }
        Ok(defaults)
    }

    fn fill(
        &self,
        spec: &ModuleSpec,
        written: &Node,
        scope: &Arc<dyn Scope>,
        into: &mut Object,
    ) -> Result<(), CallError> {
        if !matches!(written.kind, NodeKind::Map(_)) {
            // `args: "{{ dictionary }}"`.
            if let Value::Map(map) = self.templates().resolve(written, scope)? {
                into.extend(
                    map.iter()
                        .map(|(key, value)| (key.to_string(), value.into())),
                );
            }
            return Ok(());
        }
        for entry in written.entries() {
            if entry.key.as_str() == Some(ALL_ARGUMENTS) {
                if let Value::Map(map) = self.templates().resolve(&entry.value, scope)? {
                    into.extend(
                        map.iter()
                            .map(|(key, value)| (key.to_string(), value.into())),
                    );
                }
                continue;
            }
            let name = match self.templates().resolve(&entry.key, scope)? {
                Value::Text(name) => name,
                other if spec.answers_to("set_fact") => {
                    return Err(no_name(&self.templates().display(&other), &other));
                }
                _ => continue,
            };
            let value = match spec.argument(&name).map(|argument| argument.kind) {
                Some(ArgumentType::Expression | ArgumentType::ExpressionList) => {
                    unrendered(&entry.value)
                }
                _ => self.templates().resolve(&entry.value, scope)?,
            };
            if let Some(reason) = value.cannot_know() {
                return Err(unknowable(reason).into());
            }
            match value {
                Value::Omit => into.remove(&*name),
                value => into.insert(name.to_string(), without_omit(&value)),
            };
        }
        Ok(())
    }

    /// Sets the variables of a task that sets some, also those whose value cannot be known, so
    /// that what depends on them cannot be known either.
    pub(super) fn set_as_far_as_known(&self, scope: &Arc<dyn Scope>) {
        for entry in self.task.arguments.entries() {
            let Some(name) = entry.key.as_str().filter(|name| *name != "cacheable") else {
                continue;
            };
            let value = match self.templates().resolve(&entry.value, scope) {
                Ok(value) => Some(value),
                Err(error) => error
                    .cannot_know()
                    .map(|reason| Value::CannotKnow(reason.clone())),
            };
            if let Some(value) = value {
                self.set_variable(name.into(), value);
            }
        }
    }

    fn register_secrets(&self, spec: &ModuleSpec, arguments: &Object) {
        for argument in spec.arguments.iter().filter(|argument| argument.secret) {
            if let Some(serde_json::Value::String(text)) = arguments.get(&argument.name) {
                self.run.secrets.register(text);
            }
        }
    }

    /// Variables of the environment, the innermost level winning.
    pub(super) fn environment(
        &self,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let mut all: indexmap::IndexMap<String, String> = indexmap::IndexMap::new();
        let levels = self.level.keyword_at_all(Keyword::Environment);
        for node in levels
            .into_iter()
            .chain(self.task.keywords.get(Keyword::Environment))
        {
            let written = match &node.kind {
                NodeKind::List(items) => items.iter().collect(),
                _ => vec![node],
            };
            for node in written {
                let value = match node.kind {
                    // The environment of hosts is known only once facts are.
                    NodeKind::Map(_) if self.gathers() => self.known_entries(node, scope)?,
                    _ => self.templates().resolve(node, scope)?,
                };
                let maps = match &value {
                    Value::List(maps) => maps.to_vec(),
                    one => vec![one.clone()],
                };
                for map in maps.iter().filter_map(Value::as_map) {
                    let texts = map
                        .iter()
                        .map(|(key, v)| (key.to_string(), self.templates().display(v)));
                    all.extend(texts);
                }
            }
        }
        Ok(all.into_iter().collect())
    }

    /// Entries of a mapping that do not look at the host's own environment.
    fn known_entries(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Value, TemplateError> {
        let mut known = sasrun_model::Map::new();
        for entry in node.entries() {
            let Some(key) = entry.key.as_str() else {
                continue;
            };
            match self.templates().resolve(&entry.value, scope) {
                Err(error) if error.to_string().contains("ansible_env") => {}
                value => {
                    known.insert(key.into(), value?);
                }
            }
        }
        Ok(Value::map(known))
    }

    fn gathers(&self) -> bool {
        matches!(&self.task.action, sasrun_model::Action::Module(name) if &**name == "ansible.builtin.setup")
    }

    /// The host that the task is delegated to.
    pub(crate) fn delegate(&self, scope: &Arc<dyn Scope>) -> Result<Option<Name>, TemplateError> {
        let value = self.keyword(Keyword::DelegateTo, scope)?;
        Ok(value
            .and_then(|value| value.as_str().map(Name::from))
            .filter(|name| !name.is_empty()))
    }
}

/// A key that is no text where each names a variable.
fn no_name(shown: &str, key: &Value) -> CallError {
    let kind = match key {
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Bool(_) => "bool",
        Value::Null => "NoneType",
        other => other.kind_name(),
    };
    CallError::Arguments(vec![sasrun_plugin::ArgumentError {
        argument: shown.to_owned(),
        message: format!(
            "Invalid variable name '{shown}' of type '{kind}'. Variables must be named by text."
        ),
        details: None,
    }])
}

/// Whether a name is that of an action that calls a module of another name.
fn is_action_over_module(name: &str) -> bool {
    name.rsplit('.').next() == Some("gather_facts")
}

/// Text that the module asks the engine to evaluate later, as it was written.
pub(crate) fn unrendered(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Text(text) => Value::Text(Arc::clone(&text.text)),
        NodeKind::List(items) => Value::list(items.iter().map(unrendered).collect()),
        NodeKind::Map(entries) => {
            let key = |entry: &sasrun_model::Entry| {
                sasrun_model::Key::from_value(&unrendered(&entry.key))
            };
            let entries = entries
                .iter()
                .filter_map(|entry| Some((key(entry)?, unrendered(&entry.value))));
            Value::map(entries.collect())
        }
        _ => node.to_static_value().unwrap_or_default(),
    }
}

/// Leaves out entries of nested mappings and lists whose value is `omit`.
fn without_omit(value: &Value) -> serde_json::Value {
    match value {
        Value::Map(map) => serde_json::Value::Object(
            map.iter()
                .filter(|(_, value)| !matches!(value, Value::Omit))
                .map(|(key, value)| (key.to_string(), without_omit(value)))
                .collect(),
        ),
        Value::List(items) => items
            .iter()
            .filter(|item| !matches!(item, Value::Omit))
            .map(without_omit)
            .collect(),
        other => other.into(),
    }
}
