//! A playbook's file: plays, and playbooks that it imports.

use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Block, Entry, Node, NodeKind, Play, Span, Step, Variables};

use super::action::short;
use super::keywords::{self, key_text};
use super::{Around, Reader};
use crate::codes;
use crate::files::{Holds, ReadFile, ReadText, directory_of, join};
use crate::problem::Problem;

impl Reader<'_, '_> {
    /// Plays of the playbook that was asked for.
    pub(super) fn plays_of(&mut self, path: &Path, asked_at: Span) -> Vec<Play> {
        let name = file_name(path);
        self.plays(path, &name, asked_at)
    }

    fn plays(&mut self, path: &Path, prefix: &str, asked_at: Span) -> Vec<Play> {
        if self.is_circle(path, asked_at) {
            return Vec::new();
        }
        let Some(read) = self.session.documents(path, asked_at, Holds::Templates) else {
            return Vec::new();
        };
        self.plays_read(&read, path, prefix)
    }

    /// Plays of a text that stands in no file.
    pub(super) fn plays_of_text(&mut self, name: &Path, text: &str) -> Vec<Play> {
        let text = ReadText {
            text: text.to_owned(),
            is_secret: false,
        };
        let read = self.session.compose(name, &text, Holds::Templates);
        for problem in &read.problems {
            self.session.add(problem.clone());
        }
        self.plays_read(&read, name, &file_name(name))
    }

    fn plays_read(&mut self, read: &ReadFile, path: &Path, prefix: &str) -> Vec<Play> {
        let Some(document) = read.documents.first() else {
            if read.problems.is_empty() {
                self.empty(read.file, "this playbook has no plays");
            }
            return Vec::new();
        };
        self.open_files.push(path.to_owned());
        let outer = std::mem::replace(&mut self.playbook_directory, directory_of(path));
        let mut plays = Vec::new();
        match &document.kind {
            NodeKind::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    let around = Around {
                        path: format!("{prefix}/{index}"),
                        directory: directory_of(path),
                        role: None,
                        catches: false,
                        is_handler: false,
                        is_conditional: false,
                        has_defaults: false,
                        collections: Vec::new(),
                    };
                    self.entry(item, &around, &mut plays);
                }
            }
            NodeKind::List(_) | NodeKind::Null => {
                self.empty(read.file, "this playbook has no plays")
            }
            _ => {
                let problem = Problem::error(
                    codes::SHAPE,
                    document.span,
                    format!(
                        "a playbook is a list of plays, not {}",
                        document.kind_name()
                    ),
                );
                self.session.add(problem.hint("each play begins with `- `"));
            }
        }
        self.playbook_directory = outer;
        self.open_files.pop();
        plays
    }

    fn empty(&mut self, file: sasrun_model::FileId, message: &str) {
        let span = Span {
            file,
            line: 1,
            column: 1,
        };
        self.session
            .add(Problem::error(codes::SHAPE, span, message));
    }

    fn entry(&mut self, item: &Node, around: &Around, plays: &mut Vec<Play>) {
        let NodeKind::Map(entries) = &item.kind else {
            self.session
                .wrong_kind(item, "a playbook", "a mapping for each play");
            return;
        };
        let import = entries.iter().find(|entry| {
            let key = entry.key.as_str().unwrap_or_default();
            short(key) == "import_playbook"
        });
        match import {
            Some(import) => plays.extend(self.imported(entries, import, around)),
            None => plays.extend(self.play(item, entries, around)),
        }
    }

    fn imported(&mut self, entries: &[Entry], import: &Entry, around: &Around) -> Vec<Play> {
        let mut frame = Block {
            path: around.path.as_str().into(),
            span: import.key.span,
            ..Block::default()
        };
        for entry in entries {
            let name = key_text(&entry.key);
            match name.as_str() {
                "name" => {}
                "when" => frame.when = self.conditions("when", &entry.value),
                "tags" => frame.tags = keywords::tags(&entry.value),
                "vars" => frame.variables = self.vars(&entry.value),
                _ if entry.key == import.key => {}
                _ => {
                    let allowed: &[&[&'static str]] =
                        &[&["import_playbook", "name", "when", "tags", "vars"]];
                    let of = "an `import_playbook`";
                    self.unknown_keyword(codes::PLAY_KEY, of, &entry.key, allowed);
                }
            }
        }
        self.play_variables = Variables::new();
        let named = self.known(&import.value, &frame.variables);
        let file = named.as_str().unwrap_or_default().trim();
        if file.is_empty() || !named.is_static() {
            let message =
                "an `import_playbook` names a file, which must be known when files are loaded";
            self.session
                .add(Problem::error(codes::INCLUDE, import.value.span, message));
            return Vec::new();
        }
        let path = join(&around.directory, file);
        let prefix = format!("{}:{}", around.path, file_name(&path));
        let mut plays = self.plays(&path, &prefix, import.value.span);
        for play in &mut plays {
            frame_play(play, &frame);
        }
        plays
    }
}

/// Lays what an import says around a play.
fn frame_play(play: &mut Play, frame: &Block) {
    play.tags.extend(frame.tags.iter().cloned());
    let mut variables = std::mem::take(&mut play.variables);
    overlay(&mut variables, &frame.variables);
    play.variables = variables;
    if frame.when.is_empty() {
        return;
    }
    let sections = [
        ("pre_tasks", &mut play.pre_tasks),
        ("roles", &mut play.roles),
        ("tasks", &mut play.tasks),
        ("post_tasks", &mut play.post_tasks),
    ];
    for (name, section) in sections {
        if section.is_empty() {
            continue;
        }
        let block = Block {
            path: format!("{}/{name}", play.path).into(),
            span: frame.span,
            when: frame.when.clone(),
            block: std::mem::take(section),
            ..Block::default()
        };
        section.push(Step::Block(Arc::new(block)));
    }
}

fn overlay(variables: &mut Variables, more: &Variables) {
    for (name, value) in more {
        variables.insert(Arc::clone(name), Arc::clone(value));
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
