//! What the loader asks about modules, answered by the registry.

use std::sync::Arc;

use sasrun_engine::Registry;
use sasrun_model::{ArgumentProblem, ModuleCatalogue, ModuleEntry, Name, Node, NodeKind};
use sasrun_plugin::{ArgumentSpec, ArgumentType, check_shape, free_form_arguments};

/// The modules of a registry, as the loader sees them.
pub(crate) struct Catalogue(pub Arc<Registry>);

impl ModuleCatalogue for Catalogue {
    fn find(&self, name: &str) -> Option<ModuleEntry> {
        let spec = self.0.find(name)?.spec();
        Some(ModuleEntry {
            name: spec.name.as_str().into(),
            takes_free_form: spec.free_form.is_some(),
        })
    }

    fn names(&self) -> Vec<Name> {
        self.0.names().map(Name::from).collect()
    }

    fn split_free_form(&self, name: &str, text: &str) -> Option<Vec<(String, String)>> {
        let spec = self.0.find(name)?.spec();
        let split = free_form_arguments(spec, text).ok()?;
        let as_text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        Some(
            split
                .into_iter()
                .map(|(key, value)| (key, as_text(value)))
                .collect(),
        )
    }

    fn check_arguments(&self, name: &str, arguments: &Node) -> Vec<ArgumentProblem> {
        let Some(module) = self.0.find(name) else {
            return Vec::new();
        };
        let spec = module.spec();
        let Some(given) = shape(arguments) else {
            return Vec::new();
        };
        let borrowed = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_ref()));
        check_shape(spec, borrowed)
            .into_iter()
            .map(|problem| ArgumentProblem {
                // A name that the module knows was given a value that it cannot take.
                is_value: spec.argument(&problem.argument).is_some()
                    && given.iter().any(|(name, _)| *name == problem.argument),
                argument: Some(problem.argument).filter(|name| !name.is_empty()),
                message: problem.message,
                hint: None,
            })
            .collect()
    }

    fn expression_arguments(&self, name: &str) -> Vec<String> {
        let Some(module) = self.0.find(name) else {
            return Vec::new();
        };
        let is_expression = |argument: &&ArgumentSpec| {
            matches!(
                argument.kind,
                ArgumentType::Expression | ArgumentType::ExpressionList
            )
        };
        let names = |argument: &ArgumentSpec| {
            std::iter::once(argument.name.clone())
                .chain(argument.aliases.iter().cloned())
                .collect::<Vec<_>>()
        };
        let arguments = module.spec().arguments.iter();
        arguments.filter(is_expression).flat_map(names).collect()
    }
}

/// Arguments as far as they are known before templates are rendered. None when not even their
/// names are.
fn shape(arguments: &Node) -> Option<Vec<(String, Option<serde_json::Value>)>> {
    let NodeKind::Map(entries) = &arguments.kind else {
        return None;
    };
    entries
        .iter()
        .map(|entry| {
            let name = entry.key.to_static_value()?.as_str()?.to_owned();
            let value = entry.value.to_static_value().map(|value| (&value).into());
            Some((name, value))
        })
        .collect()
}
