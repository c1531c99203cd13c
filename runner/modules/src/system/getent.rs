//! `getent`: looks into the databases of names.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::describe::{choice, core, example, needed, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "ansible_facts",
            "dict",
            "`getent_DATABASE`: the entries by key, each a list of its other fields.",
        )]),
        examples: vec![example(
            "Look for a user",
            "ansible.builtin.getent:\n  database: passwd\n  key: root",
        )],
        ..core(
            "getent",
            "Looks into the databases of names.",
            vec![
                needed(text("database", "Such as `passwd`, `group`, `hosts`.")),
                text("key", "Entry to look for; none answers all.").defaults_to(""),
                text("service", "Source to ask, such as `files`."),
                text("split", "Character between fields, where it is not known."),
                choice("fail_key", "Fails if the entry is not there.").defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let database = arguments.text_or_empty("database");
    let key = arguments.text_or_empty("key");
    let mut script = String::from("getent");
    if let Some(service) = arguments.text("service") {
        script.push_str(&format!(" -s {}", Host::quote(service)));
    }
    script.push_str(&format!(" {}", Host::quote(database)));
    if !key.is_empty() {
        script.push_str(&format!(" {}", Host::quote(key)));
    }
    let output = host.read_script(script).await?;
    let by_colon = ["passwd", "shadow", "group", "gshadow"].contains(&database);
    let split = arguments.text("split").or(by_colon.then_some(":"));
    let mut entries = Object::new();
    match output.rc {
        0 => read(&output.stdout, split, &mut entries),
        1 => return Err(Failure::new("Missing arguments, or database unknown.")),
        2 if arguments.flag("fail_key") => {
            let msg = "One or more supplied key could not be found in the database.";
            return Err(Failure::new(msg));
        }
        2 => {
            entries.insert(key.to_owned(), Value::Null);
        }
        3 => return Err(Failure::new("Enumeration not supported on this database.")),
        _ => {
            return Err(
                Failure::new(format!("getent failed: {}", output.stderr.trim()))
                    .with("rc", output.rc),
            );
        }
    }
    let mut facts = Object::new();
    facts.insert(format!("getent_{database}"), Value::Object(entries));
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

/// Reads entries; several with one key become a list of entries.
fn read(text: &str, split: Option<&str>, entries: &mut Object) {
    let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = match split {
            Some(split) => line.split(split).collect(),
            None => line.split_whitespace().collect(),
        };
        let Some((key, rest)) = fields.split_first() else {
            continue;
        };
        let rest = json!(rest);
        let count = counts.entry((*key).to_owned()).or_default();
        *count += 1;
        match entries.get_mut(*key) {
            Some(Value::Array(list)) if *count > 2 => list.push(rest),
            Some(first) => *first = json!([first.clone(), rest]),
            None => {
                entries.insert((*key).to_owned(), rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_with_one_key_become_a_list() {
        let mut entries = Object::new();
        read(
            "::1 localhost\n::1 ip6\n::1 x\n127.0.0.1 a b\n",
            None,
            &mut entries,
        );
        assert_eq!(entries["::1"], json!([["localhost"], ["ip6"], ["x"]]));
        assert_eq!(entries["127.0.0.1"], json!(["a", "b"]));
    }
}
