//! The rules between a spec and the arguments given.

use serde_json::Value;

use super::coerce::{coerce, shown, truth};
use super::{ArgumentError, Arguments, closest};
use crate::{ArgumentSpec, ArgumentType, ModuleSpec, Object};

impl Arguments {
    /// Validates arguments whose values are known: types, aliases, defaults, choices and rules
    /// between arguments, in dictionaries inside as well.
    ///
    /// # Errors
    /// Everything that is wrong, not just the first thing.
    pub fn check(spec: &ModuleSpec, raw: &Object) -> Result<Arguments, Vec<ArgumentError>> {
        let given = raw.iter().map(|(name, value)| (name.as_str(), Some(value)));
        let mut check = Check::default();
        let object = check.module(spec, given);
        if check.errors.is_empty() {
            Ok(Arguments(object))
        } else {
            Err(check.errors)
        }
    }
}

/// Says what is wrong already while some values are still templates, which are given as `None`:
/// unknown and missing arguments, wrong literal values.
pub fn check_shape<'a>(
    spec: &ModuleSpec,
    given: impl IntoIterator<Item = (&'a str, Option<&'a Value>)>,
) -> Vec<ArgumentError> {
    let mut check = Check::default();
    check.module(spec, given);
    check.errors
}

/// A value on its way: `None` is one that only the run will tell.
type Given = indexmap::IndexMap<String, Option<Value>>;

#[derive(Default)]
struct Check {
    errors: Vec<ArgumentError>,
}

impl Check {
    fn module<'a>(
        &mut self,
        spec: &ModuleSpec,
        raw: impl IntoIterator<Item = (&'a str, Option<&'a Value>)>,
    ) -> Object {
        let mut given = Given::new();
        for (name, value) in raw {
            match spec.argument(name) {
                Some(argument) if value != Some(&Value::Null) => {
                    // The canonical name wins over its aliases.
                    if name == argument.name || !given.contains_key(&argument.name) {
                        given.insert(argument.name.clone(), value.cloned());
                    }
                }
                Some(_) => {}
                None if spec.open => {
                    given.insert(name.to_owned(), value.cloned());
                }
                None => self.unknown(&spec.name, name, &spec.arguments),
            }
        }
        self.exclusive(spec, &given);
        self.arguments("", &spec.arguments, &mut given);
        self.rules(spec, &given);
        known(given)
    }

    /// Defaults, required ones, types, choices and what is inside.
    fn arguments(&mut self, prefix: &str, specs: &[ArgumentSpec], given: &mut Given) {
        let mut missing = Vec::new();
        for argument in specs {
            let path = format!("{prefix}{}", argument.name);
            let Some(value) = given.get_mut(&argument.name) else {
                if let Some(default) = &argument.default {
                    given.insert(argument.name.clone(), Some(default.clone()));
                } else if argument.required {
                    missing.push(argument.name.as_str());
                }
                continue;
            };
            if let Some(known) = value {
                *value = Some(self.value(&path, argument, known));
            }
        }
        for name in &missing {
            let within = match prefix.trim_end_matches('.') {
                "" => String::new(),
                outer => format!(" found in {}", outer.replace('.', " -> ")),
            };
            self.report(
                format!("{prefix}{name}"),
                format!("missing required arguments: {name}{within}"),
            );
        }
    }

    /// Returns the value in its right type; the value as it is when it has none.
    fn value(&mut self, path: &str, argument: &ArgumentSpec, value: &Value) -> Value {
        let value = match coerce(argument.kind, &of_choices(argument, value)) {
            Ok(value) => value,
            Err(mismatch) => {
                self.errors.push(ArgumentError {
                    argument: path.to_owned(),
                    message: format!("argument '{path}' {mismatch}"),
                    details: Some(mismatch.reason),
                });
                return value.clone();
            }
        };
        self.choices(path, argument, &value);
        if argument.suboptions.is_empty() {
            return value;
        }
        match value {
            Value::Object(inner) => Value::Object(self.inside(path, argument, &inner)),
            Value::Array(items) => items
                .iter()
                .map(|item| match coerce(ArgumentType::Dictionary, item) {
                    Ok(Value::Object(inner)) => Value::Object(self.inside(path, argument, &inner)),
                    _ => {
                        let message =
                            format!("value of '{path}' must be of type dict or list of dicts");
                        self.report(path.to_owned(), message);
                        item.clone()
                    }
                })
                .collect(),
            other => other,
        }
    }

    fn inside(&mut self, path: &str, argument: &ArgumentSpec, inner: &Object) -> Object {
        let prefix = format!("{path}.");
        let mut given = Given::new();
        for (name, value) in inner {
            let known = argument
                .suboptions
                .iter()
                .find(|option| option.name == *name || option.aliases.contains(name));
            match known {
                Some(option) if !value.is_null() => {
                    given.insert(option.name.clone(), Some(value.clone()));
                }
                Some(_) => {}
                None => self.unknown(path, &format!("{prefix}{name}"), &argument.suboptions),
            }
        }
        self.arguments(&prefix, &argument.suboptions, &mut given);
        known(given)
    }

    fn choices(&mut self, path: &str, argument: &ArgumentSpec, value: &Value) {
        if argument.choices.is_empty() {
            return;
        }
        let wrong = |value: &Value| !argument.choices.iter().any(|choice| same(choice, value));
        let got: Vec<String> = match value {
            Value::Array(items) => items.iter().filter(|item| wrong(item)).map(shown).collect(),
            single if wrong(single) => vec![shown(single)],
            _ => Vec::new(),
        };
        let Some(first) = got.first() else { return };
        let choices: Vec<String> = argument.choices.iter().map(shown).collect();
        let hint = closest(first, choices.iter().map(String::as_str))
            .map(|near| format!("; did you mean '{near}'?"))
            .unwrap_or_default();
        let one = if value.is_array() {
            "one or more of"
        } else {
            "one of"
        };
        self.report(
            path.to_owned(),
            format!(
                "value of {path} must be {one}: {}, got: {}{hint}",
                choices.join(", "),
                got.join(", ")
            ),
        );
    }

    fn unknown(&mut self, owner: &str, name: &str, specs: &[ArgumentSpec]) {
        let last = name.rsplit('.').next().unwrap_or(name);
        let all = || {
            specs.iter().flat_map(|argument| {
                std::iter::once(argument.name.as_str())
                    .chain(argument.aliases.iter().map(String::as_str))
            })
        };
        let hint = closest(last, all())
            .map(|near| format!(" Did you mean '{near}'?"))
            .unwrap_or_default();
        let mut names: Vec<&str> = specs
            .iter()
            .map(|argument| argument.name.as_str())
            .filter(|name| !name.starts_with('_'))
            .collect();
        names.sort_unstable();
        self.report(
            name.to_owned(),
            format!(
                "Unsupported parameters for ({owner}) module: {name}.{hint} Supported parameters \
                 include: {}.",
                names.join(", ")
            ),
        );
    }

    /// Whatever is a template may still turn out to be left out, so only known values count.
    fn exclusive(&mut self, spec: &ModuleSpec, given: &Given) {
        for set in &spec.mutually_exclusive {
            let found: Vec<&str> = set
                .iter()
                .map(String::as_str)
                .filter(|name| matches!(given.get(*name), Some(Some(_))))
                .collect();
            if found.len() > 1 {
                self.report(
                    String::new(),
                    format!("parameters are mutually exclusive: {}", set.join("|")),
                );
            }
        }
    }

    fn rules(&mut self, spec: &ModuleSpec, given: &Given) {
        let has = |name: &String| given.contains_key(name);
        for set in &spec.required_one_of {
            if !set.iter().any(has) {
                let message = format!("one of the following is required: {}", set.join(", "));
                self.report(String::new(), message);
            }
        }
        for set in &spec.required_together {
            if set.iter().any(has) && !set.iter().all(has) {
                let message = format!("parameters are required together: {}", set.join(", "));
                self.report(String::new(), message);
            }
        }
        for (name, value, needed) in &spec.required_if {
            let holds = matches!(given.get(name), Some(Some(actual)) if same(value, actual));
            let missing: Vec<&str> = needed
                .iter()
                .filter(|needed| holds && !has(needed))
                .map(String::as_str)
                .collect();
            if !missing.is_empty() {
                self.report(
                    name.clone(),
                    format!(
                        "{name} is {} but all of the following are missing: {}",
                        shown(value),
                        missing.join(", ")
                    ),
                );
            }
        }
    }

    fn report(&mut self, argument: String, message: String) {
        self.errors.push(ArgumentError {
            argument,
            message,
            details: None,
        });
    }
}

fn known(given: Given) -> Object {
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Compares a value of the spec with one given, where `yes` and `true` are the same.
fn same(wanted: &Value, given: &Value) -> bool {
    wanted == given || shown(wanted) == shown(given) && !given.is_boolean()
}

/// YAML reads `no` as false. Where the choices have one word for that truth, it was meant.
fn of_choices(argument: &ArgumentSpec, value: &Value) -> Value {
    let Value::Bool(flag) = value else {
        return value.clone();
    };
    let mut words = argument
        .choices
        .iter()
        .filter(|choice| choice.is_string() && truth(choice) == Some(*flag));
    match (words.next(), words.next()) {
        (Some(word), None) => word.clone(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec() -> ModuleSpec {
        let option = ArgumentSpec::required("port", ArgumentType::Integer, "");
        ModuleSpec {
            name: "service".into(),
            arguments: vec![
                ArgumentSpec::required("name", ArgumentType::String, "").alias(&["svc"]),
                ArgumentSpec::optional("state", ArgumentType::String, "")
                    .choices(&["started", "stopped", "no"])
                    .defaults_to("started"),
                ArgumentSpec::optional("enabled", ArgumentType::Boolean, ""),
                ArgumentSpec::optional("masked", ArgumentType::Boolean, ""),
                ArgumentSpec::optional("reason", ArgumentType::String, ""),
                ArgumentSpec {
                    suboptions: vec![option],
                    ..ArgumentSpec::optional("listen", ArgumentType::List, "")
                },
            ],
            mutually_exclusive: vec![vec!["enabled".into(), "masked".into()]],
            required_if: vec![("state".into(), json!("stopped"), vec!["reason".into()])],
            ..ModuleSpec::default()
        }
    }

    fn check(raw: Value) -> Result<Value, Vec<String>> {
        Arguments::check(&spec(), raw.as_object().unwrap())
            .map(|arguments| Value::Object(arguments.into_object()))
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn good_arguments_come_out_canonical_and_complete() {
        assert_eq!(
            check(
                json!({"svc": "web", "enabled": "yes", "masked": null, "listen": [{"port": "80"}]})
            ),
            Ok(json!({
                "name": "web", "enabled": true, "listen": [{"port": 80}], "state": "started"
            }))
        );
        assert_eq!(
            check(json!({"name": "web", "state": false})).unwrap()["state"],
            "no"
        );
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let problems = check(json!({
            "nmae": "web", "state": "startd", "enabled": "perhaps", "masked": 1, "listen": [{}]
        }))
        .unwrap_err();
        for part in [
            "Did you mean 'name'?",
            "missing required arguments: name",
            "value of state must be one of: started, stopped, no, got: startd; did you mean 'started'?",
            "argument 'enabled' is of type str",
            "parameters are mutually exclusive: enabled|masked",
            "missing required arguments: port found in listen",
        ] {
            assert!(
                problems.iter().any(|line| line.contains(part)),
                "{part}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_rule_may_need_more_arguments() {
        let problems = check(json!({"name": "web", "state": "stopped"})).unwrap_err();
        assert_eq!(
            problems,
            ["state is stopped but all of the following are missing: reason"]
        );
    }

    #[test]
    fn templates_may_be_anything_but_names_must_be_right() {
        let no = json!("perhaps");
        let given = [
            ("name", None),
            ("state", None),
            ("enabled", None),
            ("masked", Some(&no)),
            ("ports", None),
        ];
        let problems = check_shape(&spec(), given);
        let about: Vec<&str> = problems
            .iter()
            .map(|problem| problem.argument.as_str())
            .collect();
        assert_eq!(about, ["ports", "masked"]);
    }
}
