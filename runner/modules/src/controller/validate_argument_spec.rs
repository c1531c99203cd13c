//! `validate_argument_spec`: checks variables against a description, as roles do at their start.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, ControllerRequest, Failure,
    FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::Value;

use crate::describe::{core, dictionary, example, needed, raw, returns};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("argument_errors", "list", "What is wrong."),
            (
                "argument_spec_data",
                "dict",
                "The description, if something is wrong.",
            ),
            ("validate_args_context", "dict", "What the check was about."),
        ]),
        examples: vec![example(
            "Check variables",
            "ansible.builtin.validate_argument_spec:\n  argument_spec:\n    port:\n      type: int\n      required: true",
        )],
        ..core(
            "validate_argument_spec",
            "Checks variables against a description.",
            vec![
                needed(dictionary(
                    "argument_spec",
                    "For each name its `type`, `required`, `choices`, `elements`, `options`.",
                )),
                dictionary("provided_arguments", "Values that win over variables."),
                raw(
                    "validate_args_context",
                    "What the check is about, for the result.",
                ),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let description = arguments
        .dictionary("argument_spec")
        .cloned()
        .unwrap_or_default();
    let mut given = arguments
        .dictionary("provided_arguments")
        .cloned()
        .unwrap_or_default();
    for (name, about) in &description {
        let aliases = about
            .get("aliases")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for name in std::iter::once(name.as_str()).chain(aliases.filter_map(Value::as_str)) {
            if given.contains_key(name) {
                continue;
            }
            let expression = name.to_owned();
            match host
                .controller(ControllerRequest::Evaluate { expression })
                .await
            {
                Ok(value) => {
                    given.insert(name.to_owned(), value);
                }
                Err(failure) if failure.msg.contains(&format!("'{name}' is undefined")) => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    let context = arguments
        .value("validate_args_context")
        .cloned()
        .unwrap_or_else(|| Value::Object(Object::new()));
    let errors = check(&description, &given);
    if errors.is_empty() {
        return Ok(Outcome::unchanged()
            .with("msg", "The arg spec validation passed")
            .with("validate_args_context", context));
    }
    Err(Failure::new(format!(
        "Validation of arguments failed:\n{}",
        errors.join("\n")
    ))
    .with("argument_errors", errors)
    .with("argument_spec_data", description)
    .with("validate_args_context", context))
}

/// Returns all that is wrong, missing ones in one sentence.
fn check(description: &Object, given: &Object) -> Vec<String> {
    let spec = ModuleSpec {
        arguments: all(description),
        ..ModuleSpec::default()
    };
    let errors = Arguments::check(&spec, given).err().unwrap_or_default();
    let (mut missing, mut messages) = (Vec::new(), Vec::new());
    for error in errors {
        match error.message.strip_prefix("missing required arguments: ") {
            // A variable that is null is there, of no type but that of anything.
            Some(name) if given.get(name).is_some_and(Value::is_null) => {
                messages.extend(null_for(name, &spec));
            }
            Some(name) if !name.contains(" found in ") => missing.push(name.to_owned()),
            _ => messages.push(without_module(error.message)),
        }
    }
    if !missing.is_empty() {
        missing.sort();
        messages.insert(
            0,
            format!("missing required arguments: {}", missing.join(", ")),
        );
    }
    for (name, about) in description {
        if let (Some(Value::Array(items)), Some(kind)) = (given.get(name), text(about, "elements"))
        {
            messages.extend(elements(name, kind, items));
        }
    }
    messages
}

/// A message about an argument that nobody knows, without the module that there is none of.
fn without_module(message: String) -> String {
    match message.strip_prefix("Unsupported parameters for (") {
        Some(rest) => match rest.split_once(") module: ") {
            Some((_, what)) => what.to_owned(),
            None => message,
        },
        None => message,
    }
}

/// What is wrong with null as a required argument.
fn null_for(name: &str, spec: &ModuleSpec) -> Option<String> {
    let (kind, reason) = match spec.argument(name)?.kind {
        ArgumentType::Integer => ("int", "\"None\" cannot be converted to an int"),
        ArgumentType::Float => ("float", "\"None\" cannot be converted to a float"),
        ArgumentType::List | ArgumentType::StringList => {
            ("list", "<class 'NoneType'> cannot be converted to a list")
        }
        ArgumentType::Dictionary => ("dict", "<class 'NoneType'> cannot be converted to a dict"),
        ArgumentType::Boolean => ("bool", "The value 'None' is not a valid boolean."),
        _ => return None,
    };
    Some(format!(
        "argument '{name}' is of type NoneType and we were unable to convert to {kind}: {reason}"
    ))
}

/// Checks the elements of a list one by one.
fn elements(name: &str, kind: &str, items: &[Value]) -> Vec<String> {
    if matches!(kind, "dict" | "str" | "raw") {
        return Vec::new();
    }
    let spec = ModuleSpec {
        arguments: vec![ArgumentSpec {
            name: "element".into(),
            kind: type_of(kind, None),
            ..ArgumentSpec::default()
        }],
        ..ModuleSpec::default()
    };
    items
        .iter()
        .filter_map(|item| {
            let given = crate::changing::fields([("element", item.clone())]);
            let error = Arguments::check(&spec, &given).err()?.into_iter().next()?;
            let rest = error
                .message
                .strip_prefix("argument 'element' ")
                .unwrap_or(&error.message)
                .to_owned();
            Some(format!("Elements value for option '{name}' {rest}"))
        })
        .collect()
}

fn all(description: &Object) -> Vec<ArgumentSpec> {
    description
        .iter()
        .map(|(name, about)| {
            let list = |key: &str| {
                about
                    .get(key)
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default()
            };
            ArgumentSpec {
                name: name.clone(),
                kind: type_of(
                    text(about, "type").unwrap_or("str"),
                    text(about, "elements"),
                ),
                required: about
                    .get("required")
                    .and_then(sasrun_plugin::truth)
                    .unwrap_or(false),
                default: about
                    .get("default")
                    .filter(|value| !value.is_null())
                    .cloned(),
                choices: list("choices"),
                aliases: list("aliases")
                    .iter()
                    .filter_map(|alias| alias.as_str().map(str::to_owned))
                    .collect(),
                suboptions: about
                    .get("options")
                    .and_then(Value::as_object)
                    .map(all)
                    .unwrap_or_default(),
                ..ArgumentSpec::default()
            }
        })
        .collect()
}

fn text<'a>(about: &'a Value, key: &str) -> Option<&'a str> {
    about.get(key)?.as_str()
}

fn type_of(kind: &str, elements: Option<&str>) -> ArgumentType {
    match (kind, elements) {
        ("list", Some("str")) => ArgumentType::StringList,
        ("list", _) => ArgumentType::List,
        ("int", _) => ArgumentType::Integer,
        ("float", _) => ArgumentType::Float,
        ("bool", _) => ArgumentType::Boolean,
        ("dict", _) => ArgumentType::Dictionary,
        ("path", _) => ArgumentType::Path,
        ("bytes", _) => ArgumentType::Bytes,
        ("str", _) => ArgumentType::String,
        _ => ArgumentType::Raw,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn all_that_is_wrong_is_told() {
        let description = json!({
            "b": {"required": true}, "a": {"required": true, "type": "int"},
            "port": {"type": "int"}, "list": {"type": "list", "elements": "int"},
            "inner": {"type": "dict", "options": {"x": {"required": true}}},
            "any": {"required": true, "type": "raw"}, "whole": {"required": true, "type": "int"},
        });
        let given = json!({
            "port": "many", "list": [1, "two"], "inner": {}, "any": null, "whole": null,
        });
        let errors = check(description.as_object().unwrap(), given.as_object().unwrap());
        assert_eq!(errors[0], "missing required arguments: a, b");
        assert!(
            errors
                .iter()
                .any(|error| error.starts_with("argument 'port' is of type")),
            "{errors:?}"
        );
        assert!(
            errors
                .iter()
                .any(|error| error == "missing required arguments: x found in inner"),
            "{errors:?}"
        );
        let of_null = "argument 'whole' is of type NoneType and we were unable to convert to int: \
                       \"None\" cannot be converted to an int";
        assert!(errors.iter().any(|error| error == of_null), "{errors:?}");
        assert!(
            !errors
                .iter()
                .any(|error| error.ends_with(": any") || error.contains("'any'")),
            "{errors:?}"
        );
        assert!(
            errors
                .iter()
                .any(|error| error.starts_with("Elements value for option 'list'")),
            "{errors:?}"
        );
    }
}
