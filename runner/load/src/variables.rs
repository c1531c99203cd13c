//! Variables from files and flags.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{Name, Node, NodeKind, Span, Variables};

use crate::codes;
use crate::files::{Holds, ReadText};
use crate::key_values::{self, Word};
use crate::problem::Problem;
use crate::session::Session;

/// Name under which extra variables appear in places.
const FLAG: &str = "--extra-vars";

/// Which keys a mapping of variables may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Names that templates can use.
    Variables,
    /// Any text: files and inventories hold more than variables.
    AnyText,
}

impl Session<'_> {
    /// Reads a file of variables. None when it cannot be read; the problem is noted.
    pub(crate) fn variables_file(&mut self, path: &Path, asked_at: Span) -> Option<Variables> {
        let read = self.documents(path, asked_at, Holds::Variables)?;
        let mut variables = Variables::new();
        if let Some(document) = read.documents.first() {
            self.variables_of(
                document,
                "a file of variables",
                Names::AnyText,
                &mut variables,
            );
        }
        Some(variables)
    }

    /// Reads a file of variables for a look at its names; what is wrong with it is told when it is
    /// used.
    pub(crate) fn variables_quietly(&self, path: &Path) -> Option<Variables> {
        let mut aside = Session::new(self.loader);
        let variables = aside.variables_file(path, Span::default())?;
        (!aside.problems.has_errors()).then_some(variables)
    }

    /// Adds the entries of a mapping as variables, checking their names.
    pub(crate) fn variables_of(
        &mut self,
        node: &Node,
        of: &str,
        names: Names,
        variables: &mut Variables,
    ) {
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::Data(value) if value.as_map().is_some() => {
                for (key, value) in value.as_map().into_iter().flatten() {
                    let node = Node::data(value.clone());
                    variables.insert(key.to_string().into(), Arc::new(node));
                }
            }
            NodeKind::Map(entries) => {
                for entry in entries {
                    let name = match (&entry.key.kind, names) {
                        (NodeKind::Text(text), Names::AnyText) => Some(Arc::clone(&text.text)),
                        (_, Names::AnyText) => {
                            self.useless_name(&entry.key);
                            None
                        }
                        (_, Names::Variables) => self.variable_name(&entry.key),
                    };
                    if let Some(name) = name {
                        variables.insert(name, Arc::new(entry.value.clone()));
                    }
                }
            }
            _ => self.wrong_kind(node, of, "a mapping of names to values"),
        }
    }

    /// Tells of a key that no template can reach.
    fn useless_name(&mut self, key: &Node) {
        let message = format!("{} cannot be the name of a variable", key.kind_name());
        self.add(
            Problem::warning(codes::NAME, key.span, message)
                .hint("words such as `yes` and `on` are booleans: write them in quotes"),
        );
    }

    /// The variable that a key names. None, with a problem, when it cannot name one.
    pub(crate) fn variable_name(&mut self, key: &Node) -> Option<Name> {
        let name: Option<Name> = match &key.kind {
            NodeKind::Text(text) => Some(Arc::clone(&text.text)),
            _ => None,
        };
        match name {
            Some(name) if is_variable_name(&name) => Some(name),
            Some(name) => {
                let message = format!("`{name}` cannot be the name of a variable");
                self.add(
                    Problem::error(codes::NAME, key.span, message)
                        .hint("use letters, digits and `_`, and begin with a letter"),
                );
                None
            }
            None => {
                let message = format!("{} cannot be the name of a variable", key.kind_name());
                self.add(
                    Problem::error(codes::NAME, key.span, message)
                        .hint("words such as `yes` and `on` are booleans: write them in quotes"),
                );
                None
            }
        }
    }

    /// Reads one argument of extra variables.
    pub(crate) fn extra_variables(&mut self, argument: &str, variables: &mut Variables) {
        let trimmed = argument.trim();
        if let Some(path) = trimmed.strip_prefix('@') {
            let path = PathBuf::from(path);
            variables.extend(
                self.variables_file(&path, Span::default())
                    .unwrap_or_default(),
            );
            return;
        }
        if trimmed.starts_with(['{', '[']) {
            let text = ReadText {
                text: trimmed.to_owned(),
                is_secret: false,
            };
            let read = self.compose(Path::new(FLAG), &text, Holds::Templates);
            for problem in read.problems {
                self.add(problem);
            }
            if let Some(document) = read.documents.first() {
                self.variables_of(document, "--extra-vars", Names::Variables, variables);
            }
            return;
        }
        self.extra_pairs(argument, variables);
    }

    fn extra_pairs(&mut self, argument: &str, variables: &mut Variables) {
        let file = self.loader.add_source(Path::new(FLAG), argument.into());
        let span = Span {
            file,
            line: 1,
            column: 1,
        };
        let Some(words) = key_values::split(argument) else {
            let message = "a quote or template mark is not closed";
            self.add(Problem::error(codes::EXTRA_VARIABLES, span, message));
            return;
        };
        for word in words {
            match word {
                Word::Pair(name, value) => {
                    let key = Node::text(span, name);
                    if let Some(name) = self.variable_name(&key) {
                        variables.insert(name, Arc::new(Node::text(span, value)));
                    }
                }
                Word::Other(text) => {
                    let message = format!("`{text}` is not `name=value`");
                    self.add(
                        Problem::error(codes::EXTRA_VARIABLES, span, message)
                            .hint("a file is given as `@file`"),
                    );
                }
            }
        }
    }
}

/// Whether a text can name a variable.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}
