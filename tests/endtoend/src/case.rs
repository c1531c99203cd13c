//! Cases as data: a playbook, how it is run, and what must come of it.
//!
//! In playbooks of cases `say: WORDS` stands for a shell task that appends the host's name and the
//! words to the trace, which is what most cases judge by.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Site;

/// Three hosts of the controller's own, in two groups.
const INVENTORY: &str = "\
all:
  vars:
    ansible_connection: local
    trace: TRACE
  children:
    red:
      hosts: {h1: {}, h2: {}}
    blue:
      hosts: {h3: {}}
";

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What must hold, in a sentence.
    pub title: String,
    pub playbook: String,
    /// Other files of the site.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub exit: i32,
    /// Lines of the trace, in order.
    pub trace: Option<String>,
    /// Lines of the trace, in any order.
    pub trace_unordered: Option<String>,
    /// Text that must be said.
    #[serde(default)]
    pub says: Vec<String>,
    /// Text that must not be said, nor stand in the journal or the file of events.
    #[serde(default)]
    pub says_not: Vec<String>,
    /// Shortest and longest time that the run may take, in seconds.
    pub takes: Option<(f64, f64)>,
}

/// Runs all cases of a file; names all that do not hold.
#[track_caller]
pub fn check_all(yaml: &str) {
    let cases: Vec<Case> = serde_yaml::from_str(yaml).unwrap();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            case.failure()
                .map(|why| format!("## {}\n{why}", case.title))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases do not hold\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

impl Case {
    /// Runs the case; says what does not hold.
    fn failure(&self) -> Option<String> {
        let site = Site::new();
        let trace = site.path("trace");
        site.file(
            "hosts.yml",
            &INVENTORY.replace("TRACE", &trace.display().to_string()),
        );
        site.file("play.yml", &with_says(&self.playbook));
        for (name, text) in &self.files {
            site.file(name, &with_says(text));
        }
        let mut arguments = vec!["play.yml", "-i", "hosts.yml"];
        arguments.extend(self.args.iter().map(String::as_str));
        let ended = site.playbook(&arguments);
        let mut wrong = Vec::new();
        if ended.code != Some(self.exit) {
            wrong.push(format!("exit {:?}, not {}", ended.code, self.exit));
        }
        let found = site.read("trace");
        let found: Vec<&str> = found.lines().collect();
        if let Some(expected) = &self.trace {
            let expected: Vec<&str> = expected.lines().collect();
            if found != expected {
                wrong.push(format!("trace {found:#?}\nexpected {expected:#?}"));
            }
        }
        if let Some(expected) = &self.trace_unordered {
            let mut found = found.clone();
            let mut expected: Vec<&str> = expected.lines().collect();
            found.sort_unstable();
            expected.sort_unstable();
            if found != expected {
                wrong.push(format!("trace {found:#?}\nexpected {expected:#?}"));
            }
        }
        let missing = self.says.iter().filter(|text| !ended.has_said(text));
        wrong.extend(missing.map(|text| format!("nothing says {text:?}")));
        let written = format!("{}{}", site.read("events.jsonl"), journals(&site));
        for text in &self.says_not {
            if ended.has_said(text) || written.contains(text.as_str()) {
                wrong.push(format!("{text:?} was said or written"));
            }
        }
        if let Some((least, most)) = self.takes {
            let took = ended.took.as_secs_f64();
            if took < least || took > most {
                wrong.push(format!("took {took:.2} s"));
            }
        }
        if ended.has_said("panicked at") {
            wrong.push("it panicked".to_owned());
        }
        (!wrong.is_empty()).then(|| format!("{}\n{}", wrong.join("\n"), ended.said()))
    }
}

/// Text of all journals of the site.
fn journals(site: &Site) -> String {
    let mut text = String::new();
    let mut folders = vec![site.path("state")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
    text
}

/// Writes `say: WORDS` out.
fn with_says(text: &str) -> String {
    let mut written = String::new();
    for line in text.lines() {
        let said = line
            .trim_start_matches([' ', '-'])
            .strip_prefix("say: ")
            .map(|words| (line.len() - words.len() - "say: ".len(), words));
        match said {
            Some((indent, words)) => {
                let indent = line.get(..indent).unwrap_or_default();
                written.push_str(&format!(
                    "{indent}shell: echo {{{{ inventory_hostname }}}} {words} >> {{{{ trace }}}}"
                ));
            }
            None => written.push_str(line),
        }
        written.push('\n');
    }
    written
}
