//! `debconf`: answers to the questions that packages of Debian ask.

use sasrun_plugin::{
    Arguments, Call, Command, Diff, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object,
};
use serde_json::Value;

use crate::answers::succeeded;
use crate::changing::{fields, outcome};
use crate::describe::{core, example, needed, raw, returns, set, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        required_together: vec![set(&["question", "vtype", "value"])],
        returns: returns(&[
            ("current", "dict", "Answers as they are now."),
            ("previous", "dict", "Answers as they were."),
        ]),
        examples: vec![example(
            "Choose a locale",
            "ansible.builtin.debconf:\n  name: locales\n  question: locales/default_environment_locale\n  value: C.UTF-8\n  vtype: select",
        )],
        ..core(
            "debconf",
            "Keeps answers to the questions that packages of Debian ask.",
            vec![
                needed(text("name", "The package.")).alias(&["pkg"]),
                text("question", "The question.").alias(&["selection", "setting"]),
                text("vtype", "Kind of the question.").choices(&[
                    "boolean",
                    "error",
                    "multiselect",
                    "note",
                    "password",
                    "seen",
                    "select",
                    "string",
                    "text",
                    "title",
                ]),
                raw("value", "The answer.").alias(&["answer"]),
                switch("unseen", "Lets the question be asked all the same."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let word = Host::quote(name);
    let kind = arguments.text_or_empty("vtype");
    let secret = kind == "password";
    let mut script = format!("debconf-show {word}");
    if let Some(question) = arguments.text("question").filter(|_| secret) {
        script.push_str(&format!(
            " && echo '@@' && {{ echo GET {} | debconf-communicate 2>/dev/null || :; }}",
            Host::quote(question)
        ));
    }
    let read = Command {
        script,
        sensitive: secret,
        ..Command::default()
    };
    let shown = succeeded(host.read_command(read).await?, "debconf-show")?.stdout;
    let (shown, password) = shown.split_once("@@\n").unwrap_or((&shown, ""));
    let known = known(shown);
    let Some(question) = arguments.text("question") else {
        return Ok(outcome(
            false,
            fields([("msg", "".into()), ("current", known.into())]),
        ));
    };
    let value = arguments.value("value").unwrap_or(&Value::Null);
    if kind == "multiselect"
        && let Value::Array(items) = value
        && let Some(item) = items.iter().find(|item| !item.is_string())
    {
        return Err(Failure::new(format!(
            "Invalid value provided for 'multiselect': {item} is no text"
        )));
    }
    let wanted = wanted(kind, value);
    let existing = match kind {
        // A zero before the value; another number stands before the reason that there is none.
        "password" => password
            .trim_end_matches('\n')
            .strip_prefix('0')
            .map(|text| text.trim_start_matches(' ').to_owned()),
        _ => known
            .get(question)
            .and_then(Value::as_str)
            .map(str::to_owned),
    };
    let is_right = existing.as_ref().is_some_and(|existing| match kind {
        "boolean" => existing.to_lowercase() == wanted,
        // The order of a list has no meaning; text is taken as it is written.
        "multiselect" if value.is_array() => sorted(existing) == sorted(&wanted),
        _ => *existing == wanted,
    });
    if is_right {
        return Ok(outcome(
            false,
            fields([("msg", "".into()), ("current", known.into())]),
        ));
    }
    let side = |value: &str| -> Object {
        let value = if secret { "********" } else { value };
        [(question.to_owned(), Value::from(value))]
            .into_iter()
            .collect()
    };
    let (before, after) = (side(existing.as_deref().unwrap_or_default()), side(&wanted));
    let diff = Diff {
        before: crate::files::edit::shown(before.clone()),
        after: crate::files::edit::shown(after.clone()),
        ..Diff::default()
    };
    let result = fields([
        ("msg", "".into()),
        ("current", after.into()),
        ("previous", before.into()),
    ]);
    host.will_change(format!("answer {question}"), Some(diff), result.clone())
        .await?;
    let unseen = if arguments.flag("unseen") { " -u" } else { "" };
    let set = Command {
        script: format!("debconf-set-selections{unseen}"),
        stdin: Some(format!("{name} {question} {kind} {wanted}\n")),
        ..Command::default()
    };
    let output = host.run(set).await?;
    if !output.succeeded() {
        return Err(Failure::new(output.stderr.trim().to_owned()).with("rc", output.rc));
    }
    Ok(outcome(true, result))
}

fn wanted(kind: &str, value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) if kind == "boolean" => text.to_lowercase(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| wanted("", item)).collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut items: Vec<&str> = text.split(',').map(str::trim).collect();
    items.sort_unstable();
    items
}

fn known(shown: &str) -> Object {
    shown
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(question, value)| {
            (
                question.trim_start_matches('*').trim().to_owned(),
                value.trim().into(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_read_and_written() {
        assert_eq!(
            known("* tzdata/Areas: Etc\n  x/y: \n")["tzdata/Areas"],
            "Etc"
        );
        assert_eq!(wanted("boolean", &json!(true)), "true");
        assert_eq!(wanted("multiselect", &json!(["a", "b"])), "a, b");
        assert_eq!(sorted("b, a"), ["a", "b"]);
    }
}
