//! Ansible's INI form: sections of hosts, of groups and of variables.

use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Node, NodeKind, Span, Text};

use super::build::Builder;
use super::literal::literal;
use crate::key_values;
use crate::problem::Problem;
use crate::session::Session;
use crate::{closest, codes};

/// What the lines of a section are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Section {
    Hosts(String),
    Vars(String),
    Children(String),
    /// After a header that is wrong: its lines are passed over.
    Unknown,
}

impl Session<'_> {
    pub(super) fn ini_inventory(&mut self, path: &Path, text: &str, builder: &mut Builder) {
        let file = self.loader.add_source(path, text.into());
        let mut section = Section::Hosts("ungrouped".to_owned());
        // Groups may be used before they are there.
        let mut used: Vec<(String, Span)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let span = Span {
                file,
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                column: column_of(line, trimmed),
            };
            let is_header = trimmed.starts_with('[') && !is_host_with_range(trimmed);
            if is_header {
                section = self.ini_header(trimmed, span, builder, &mut used);
                continue;
            }
            match &section {
                Section::Hosts(group) => self.ini_host(&group.clone(), trimmed, span, builder),
                Section::Vars(group) => self.ini_variable(&group.clone(), trimmed, span, builder),
                Section::Children(group) => {
                    let child = without_comment(trimmed).to_owned();
                    used.push((child.clone(), span));
                    self.add_child(builder, &group.clone(), &child, span);
                }
                Section::Unknown => {}
            }
        }
        self.unknown_groups(used, text, builder);
    }

    /// Groups that sections name must have a section of hosts or children somewhere.
    fn unknown_groups(&mut self, used: Vec<(String, Span)>, text: &str, builder: &Builder) {
        let defined: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                let inner = line.trim().strip_prefix('[')?.split_once(']')?.0;
                match inner.split_once(':') {
                    None => Some(inner.trim()),
                    Some((name, "children")) => Some(name.trim()),
                    Some(_) => None,
                }
            })
            .collect();
        for (name, span) in used {
            let is_known =
                defined.contains(&name.as_str()) || matches!(name.as_str(), "all" | "ungrouped");
            if is_known {
                continue;
            }
            // It may be a group of another source that was read before.
            let others: Vec<&str> = builder
                .group_names()
                .filter(|other| *other != name)
                .collect();
            let message = format!("there is no group `{name}`");
            let near = closest(&name, others.into_iter().chain(defined.iter().copied()));
            self.add(Problem::error(codes::UNKNOWN_GROUP, span, message).meant(near));
        }
    }

    fn ini_header(
        &mut self,
        line: &str,
        span: Span,
        builder: &mut Builder,
        used: &mut Vec<(String, Span)>,
    ) -> Section {
        let inner = without_comment(line)
            .strip_prefix('[')
            .and_then(|open| open.trim_end().strip_suffix(']'));
        let Some(inner) = inner.map(str::trim).filter(|inner| !inner.is_empty()) else {
            let message = "this is not the head of a section";
            self.add(
                Problem::error(codes::INVENTORY, span, message)
                    .hint("write `[group]`, `[group:vars]` or `[group:children]`"),
            );
            return Section::Unknown;
        };
        match inner.split_once(':') {
            None => {
                builder.add_group(inner);
                Section::Hosts(inner.to_owned())
            }
            Some((group, "vars")) => {
                if !builder.has_group(group) {
                    used.push((group.to_owned(), span));
                    builder.add_group(group);
                }
                Section::Vars(group.to_owned())
            }
            Some((group, "children")) => {
                builder.add_group(group);
                Section::Children(group.to_owned())
            }
            Some((_, kind)) => {
                let message = format!("a section has no kind `{kind}`");
                let near = closest(kind, ["vars", "children"]);
                self.add(
                    Problem::error(codes::INVENTORY, span, message)
                        .hint("write `[group]`, `[group:vars]` or `[group:children]`")
                        .meant(near),
                );
                Section::Unknown
            }
        }
    }

    fn ini_host(&mut self, group: &str, line: &str, span: Span, builder: &mut Builder) {
        let Some(words) = key_values::words(without_comment(line)) else {
            let message = "a quote or template mark is not closed";
            self.add(Problem::error(codes::INVENTORY, span, message));
            return;
        };
        let mut words = words.iter();
        let Some(pattern) = words.next() else { return };
        if pattern.contains('=') || pattern.ends_with(':') {
            let message = format!("`{pattern}` cannot be the name of a host");
            self.add(
                Problem::error(codes::INVENTORY, span, message)
                    .hint("variables of a group stand under `[group:vars]`"),
            );
            return;
        }
        let hosts = self.add_hosts(builder, group, &key_values::unquoted(pattern), span);
        for word in words {
            let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty())
            else {
                let message = format!("`{word}` is not `name=value`");
                self.add(Problem::error(codes::INVENTORY, span, message));
                continue;
            };
            let value = value.trim();
            let inner = key_values::unquoted(value);
            let node = self.ini_value(&inner, span);
            let node = Arc::new(node);
            for host in &hosts {
                builder.set_host_variable(host, name, Arc::clone(&node));
            }
        }
    }

    fn ini_variable(&mut self, group: &str, line: &str, span: Span, builder: &mut Builder) {
        let Some((name, value)) = line.split_once('=') else {
            let message = format!("`{line}` is not `name=value`");
            self.add(Problem::error(codes::INVENTORY, span, message));
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            let message = "a name is missing before `=`";
            self.add(Problem::error(codes::INVENTORY, span, message));
            return;
        }
        let node = self.ini_value(value, span);
        builder.set_group_variable(group, name, Arc::new(node));
    }

    /// A value as Python would read it; what is no literal is text.
    fn ini_value(&mut self, text: &str, span: Span) -> Node {
        let read = literal(text, span.file);
        let kind = read.unwrap_or_else(|| NodeKind::Text(Text::written(text)));
        let node = Node { span, kind };
        self.check_ini_template(&node);
        node
    }

    fn check_ini_template(&mut self, node: &Node) {
        if let (NodeKind::Text(text), Some(syntax)) = (&node.kind, &self.loader.syntax)
            && text.is_template
            && let Err(found) = syntax.check_template(&text.text)
        {
            let message = format!("this template cannot be parsed: {}", found.message);
            self.add(Problem::error(codes::TEMPLATE, node.span, message));
        }
    }
}

fn column_of(line: &str, trimmed: &str) -> u32 {
    let indent = line.find(trimmed).unwrap_or(0);
    u32::try_from(indent + 1).unwrap_or(1)
}

/// A line such as `[a:c].example.com x=1`: a range, not a head.
fn is_host_with_range(line: &str) -> bool {
    line.split_once(']').is_some_and(|(_, after)| {
        let after = after.trim_start();
        !after.is_empty() && !after.starts_with(['#', ';'])
    })
}

/// A line without the comment at its end.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return line[..at].trim_end(),
            _ => {}
        }
        before = c;
    }
    line
}
