//! `sasrun lint`: reads playbooks and roles as a run would, every file of a role included, and says
//! all that is wrong with them. Nothing is contacted.

use std::fs;
use std::path::{Path, PathBuf};

use sasrun_model::{Diagnostic, Severity};
use sasrun_report::render_diagnostics;

use crate::args::LintArguments;
use crate::sources::Sources;
use crate::{exit_code, output};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &LintArguments) -> anyhow::Result<u8> {
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() {
        &here[..]
    } else {
        &arguments.paths[..]
    };
    let mut subjects = Vec::new();
    for path in paths {
        let found = subjects_at(path);
        if found.is_empty() {
            output::error_line(&format!(
                "sasrun: {}: there is no playbook and no role here",
                path.display()
            ));
            return Ok(exit_code::INPUT);
        }
        subjects.extend(found);
    }
    let playbooks: Vec<PathBuf> = subjects
        .iter()
        .filter(|subject| !subject.is_role)
        .map(|subject| subject.path.clone())
        .collect();
    let sources = Sources::open(&arguments.source, &playbooks)?;
    let mut found: Vec<Diagnostic> = Vec::new();
    for subject in &subjects {
        let loaded = if subject.is_role {
            let (place, text) = play_of(&subject.path);
            sources.loader.load_playbook_text(&place, &text)
        } else {
            sources.loader.load_playbook(&subject.path)
        };
        for problem in loaded.err().unwrap_or_default() {
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    // A warning of one playbook may be an error of another.
    let warnings = sources.loader.take_warnings();
    let is_new = |warning: &Diagnostic| {
        let same = |one: &Diagnostic| one.place == warning.place && one.code == warning.code;
        !found.iter().any(same)
    };
    let warnings: Vec<Diagnostic> = warnings.into_iter().filter(is_new).collect();
    found.extend(warnings);
    tell(&sources, &subjects, &found);
    let is_wrong = found.iter().any(|one| one.severity == Severity::Error);
    Ok(if is_wrong { exit_code::INPUT } else { 0 })
}

fn tell(sources: &Sources, subjects: &[Subject], found: &[Diagnostic]) {
    if !found.is_empty() {
        let style = output::style("auto", output::is_terminal());
        let text = render_diagnostics(found, style);
        output::line(&sources.mask.apply(text.trim_end()));
        output::line("");
    }
    let roles = subjects.iter().filter(|subject| subject.is_role).count();
    let errors = found
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    let read = [
        (subjects.len() - roles, "playbook"),
        (roles, "role"),
        (sources.loader.sources().files().len(), "file"),
    ];
    let read = read.into_iter().filter(|(count, _)| *count > 0);
    let read: Vec<String> = read.map(|(count, what)| counted(count, what)).collect();
    output::line(&format!(
        "{}, {}; {} read.",
        counted(errors, "error"),
        counted(found.len() - errors, "warning"),
        read.join(", ")
    ));
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// What is read as a whole.
struct Subject {
    path: PathBuf,
    is_role: bool,
}

/// The playbooks and roles that a path names or holds.
fn subjects_at(path: &Path) -> Vec<Subject> {
    let subject = |path: PathBuf, is_role: bool| Subject { path, is_role };
    if path.is_file() {
        return vec![subject(path.to_owned(), false)];
    }
    if is_role(path) {
        return vec![subject(path.to_owned(), true)];
    }
    let mut found = Vec::new();
    for folder in [path.to_owned(), path.join("playbooks")] {
        let books = listed(&folder).into_iter().filter(|file| is_playbook(file));
        found.extend(books.map(|file| subject(file, false)));
        let roles = listed(&folder.join("roles"))
            .into_iter()
            .filter(|role| is_role(role));
        found.extend(roles.map(|role| subject(role, true)));
    }
    found
}

fn is_role(folder: &Path) -> bool {
    let has = |part: &str| folder.join(part).is_dir();
    // A collection has a `meta/` too.
    has("tasks") || has("handlers") || has("defaults") || folder.join("meta/main.yml").is_file()
}

/// Whether a file holds plays: a list of mappings that name hosts or import a playbook.
fn is_playbook(file: &Path) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    if !matches!(ending, Some("yml" | "yaml")) {
        return false;
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| {
        let key = line.strip_prefix("- ").or_else(|| line.strip_prefix("  "));
        let key = key.and_then(|rest| rest.split(':').next());
        matches!(
            key.map(str::trim_end),
            Some("hosts" | "import_playbook" | "ansible.builtin.import_playbook")
        )
    })
}

/// What a folder holds, in order; nothing where it cannot be read.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// A play that uses a role, and each of its task files on its own: those that no task names surely
/// are chosen when it runs. Which are, depends on conditions.
fn play_of(role: &Path) -> (PathBuf, String) {
    let role = std::path::absolute(role).unwrap_or_else(|_| role.to_owned());
    let name = role.display().to_string();
    let tasks: Vec<serde_json::Value> = listed(&role.join("tasks"))
        .iter()
        .filter(|file| {
            let ending = file.extension().and_then(|ending| ending.to_str());
            matches!(ending, Some("yml" | "yaml"))
        })
        .filter_map(|file| file.file_stem()?.to_str().map(str::to_owned))
        .filter(|stem| stem != "main")
        .map(|stem| {
            serde_json::json!({
                "ansible.builtin.import_role": {"name": name, "tasks_from": stem, "allow_duplicates": true},
                "when": "true",
            })
        })
        .collect();
    let play = serde_json::json!([{
        "hosts": "all", "gather_facts": false, "roles": [{"role": name}], "tasks": tasks,
    }]);
    let folder = role.parent().unwrap_or(&role);
    // JSON is YAML.
    (folder.join("lint.yml"), play.to_string())
}
