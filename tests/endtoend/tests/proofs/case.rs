//! One case: a task, what it needs, and what it must come to.

use serde::Deserialize;
use serde_json::Value;

use super::Told;
use super::root::Kind;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The module, by its full name.
    pub module: String,
    /// What is proved, in a few words; no two cases have the same.
    pub title: String,
    /// Where it can run; both when empty.
    #[serde(default)]
    pub on: Vec<String>,
    /// Programs without which it cannot.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Shell text that prepares the root.
    #[serde(default)]
    pub before: String,
    /// Arguments of the module.
    pub with: Value,
    /// Shell text that succeeds once it is done.
    #[serde(default)]
    pub after: String,
    /// Whether the first run changes anything.
    #[serde(default = "yes")]
    pub changes: bool,
    /// Whether check mode says that it cannot know.
    #[serde(default)]
    pub cannot_know: bool,
    /// Whether each run changes something again, by the nature of the module.
    #[serde(default)]
    pub again: bool,
}

fn yes() -> bool {
    true
}

impl Case {
    pub fn is_for(&self, kind: Kind) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == kind.name())
    }

    /// Judges the run in check mode and the first that does it.
    pub fn judge_first(&self, checked: &Told, done: &Told) -> Vec<String> {
        let status = |told: &Told| {
            told.get(&self.title)
                .map_or("nothing", |outcome| {
                    outcome["status"].as_str().unwrap_or("nothing")
                })
                .to_owned()
        };
        let (foretold, came) = (status(checked), status(done));
        let wanted = if self.changes { "changed" } else { "ok" };
        let mut wrong = Vec::new();
        if came != wanted {
            wrong.push(format!(
                "{}: it came to {came}, not {wanted}: {}",
                self.title,
                self.said(done)
            ));
        }
        let hoped = if self.cannot_know {
            "cannot_know"
        } else {
            wanted
        };
        if foretold != hoped {
            wrong.push(format!(
                "{}: check mode said {foretold}, not {hoped}: {}",
                self.title,
                self.said(checked)
            ));
        }
        wrong
    }

    /// Judges the second run.
    pub fn judge_again(&self, again: &Told) -> Option<String> {
        let status = again.get(&self.title)?["status"].as_str()?;
        (!matches!(status, "ok" | "skipped")).then(|| {
            format!(
                "{}: the second run came to {status}: {}",
                self.title,
                self.said(again)
            )
        })
    }

    fn said(&self, told: &Told) -> String {
        let said = told
            .get(&self.title)
            .map(|outcome| outcome["result"].to_string())
            .unwrap_or_default();
        said.chars().take(400).collect()
    }
}

/// Writes the playbook of all cases.
pub fn playbook(cases: &[Case]) -> String {
    let tasks: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut task = serde_json::Map::new();
            task.insert("name".into(), case.title.as_str().into());
            task.insert(case.module.clone(), case.with.clone());
            task.insert("ignore_errors".into(), true.into());
            Value::Object(task)
        })
        .collect();
    let play = serde_json::json!([{
        "hosts": "localhost", "connection": "local", "gather_facts": false, "tasks": tasks,
    }]);
    // JSON is YAML.
    play.to_string()
}
