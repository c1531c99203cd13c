//! Events to values: anchors, tags, merge keys and duplicate keys.

use std::collections::HashMap;
use std::sync::Arc;

use sasrun_model::{Entry, FileId, Node, NodeKind, Span, Text, Value};

use super::events::{Event, EventKind, Events, Mark, ParserError, Properties, Style};
use super::{Unseal, bounds, explain, merge, scalar};
use crate::problem::Problem;
use crate::{VaultError, codes};

/// What text holds: its documents, as far as they could be read, and what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Composed {
    pub(crate) documents: Vec<Node>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads all documents of a text.
pub(crate) fn compose(text: &str, file: FileId, unseal: &Unseal<'_>) -> Composed {
    let Some(events) = Events::new(text) else {
        return Composed::default();
    };
    let mut composer = Composer {
        events,
        file,
        unseal,
        anchors: HashMap::new(),
        open_anchors: Vec::new(),
        values: 0,
        last: LastScalar::default(),
        problems: Vec::new(),
    };
    let mut documents = Vec::new();
    if let Err(stop) = composer.stream(&mut documents) {
        let problem = match stop {
            Stop::Syntax(error) => explain::explain(text, file, &error, composer.last),
            Stop::Problem(problem) => *problem,
        };
        composer.problems.push(problem);
        documents.clear();
    }
    if let Some(second) = documents.get(1) {
        let message = "a second document begins here, and a file holds one";
        let problem = Problem::error(codes::SYNTAX, second.span, message);
        composer
            .problems
            .push(problem.hint("take out the line `---` before it"));
        documents.truncate(1);
    }
    Composed {
        documents,
        problems: composer.problems,
    }
}

/// Why reading cannot go on.
enum Stop {
    Syntax(ParserError),
    Problem(Box<Problem>),
}

impl From<ParserError> for Stop {
    fn from(error: ParserError) -> Self {
        Stop::Syntax(error)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Problem(Box::new(problem))
    }
}

/// The scalar read last, to find the cause of an error after it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastScalar {
    pub(super) start: Mark,
    pub(super) end: Mark,
    pub(super) is_quoted: bool,
}

struct Composer<'t, 'u> {
    events: Events<'t>,
    file: FileId,
    unseal: &'u Unseal<'u>,
    anchors: HashMap<String, (Node, usize)>,
    /// Anchors of containers that are not yet read to their end.
    open_anchors: Vec<String>,
    values: usize,
    last: LastScalar,
    problems: Vec<Problem>,
}

impl Composer<'_, '_> {
    fn stream(&mut self, documents: &mut Vec<Node>) -> Result<(), Stop> {
        loop {
            let event = self.events.next()?;
            match event.kind {
                EventKind::StreamStart | EventKind::DocumentEnd => {}
                EventKind::DocumentStart => self.anchors.clear(),
                EventKind::StreamEnd => return Ok(()),
                _ => documents.push(self.node(event, 0)?),
            }
        }
    }

    fn span(&self, mark: Mark) -> Span {
        Span {
            file: self.file,
            line: mark.line + 1,
            column: mark.column + 1,
        }
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, Stop> {
        let span = self.span(event.start);
        self.count(1, span)?;
        if depth > bounds::DEPTH {
            let message = format!("more than {} levels inside each other", bounds::DEPTH);
            return Err(Problem::error(codes::TOO_LARGE, span, message).into());
        }
        match event.kind {
            EventKind::Alias(name) => self.alias(&name, span),
            EventKind::Scalar {
                properties,
                text,
                style,
            } => {
                self.last = LastScalar {
                    start: event.start,
                    end: event.end,
                    is_quoted: style == Style::Quoted,
                };
                let kind = self.scalar(properties.tag.as_deref(), text, style, span);
                Ok(self.anchored(properties.anchor, Node { span, kind }, 1))
            }
            EventKind::SequenceStart(properties) => self.sequence(properties, span, depth),
            EventKind::MappingStart(properties) => self.mapping(properties, span, depth),
            // The parser gives no other event here.
            _ => Ok(Node {
                span,
                kind: NodeKind::Null,
            }),
        }
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), Stop> {
        self.values = self.values.saturating_add(values);
        if self.values > bounds::VALUES {
            let message = format!("more than {} values, aliases written out", bounds::VALUES);
            return Err(Problem::error(codes::TOO_LARGE, span, message).into());
        }
        Ok(())
    }

    fn alias(&mut self, name: &str, span: Span) -> Result<Node, Stop> {
        let Some(size) = self.anchors.get(name).map(|(_, size)| *size) else {
            let is_open = self.open_anchors.iter().any(|open| open == name);
            let message = match is_open {
                true => format!("the alias `*{name}` stands inside its own anchor"),
                false => format!("the alias `*{name}` has no anchor before it"),
            };
            let names = self.anchors.keys().map(String::as_str);
            let near = crate::closest(name, names).map(|near| format!("*{near}"));
            let problem = Problem::error(codes::ALIAS, span, message).meant(near.as_deref());
            let problem = match problem.hint {
                None => problem.hint("write a value that begins with `*` in quotes"),
                Some(_) => problem,
            };
            return Err(problem.into());
        };
        // Counted before it is written out, so that a bomb is not.
        self.count(size, span)?;
        let node = self.anchors.get(name).map(|(node, _)| node.clone());
        Ok(node.unwrap_or(Node {
            span,
            kind: NodeKind::Null,
        }))
    }

    fn anchored(&mut self, anchor: Option<String>, node: Node, size: usize) -> Node {
        if let Some(name) = anchor {
            self.anchors.insert(name, (node.clone(), size));
        }
        node
    }

    fn sequence(&mut self, properties: Properties, span: Span, depth: usize) -> Result<Node, Stop> {
        let before = self.values;
        self.open_anchors.extend(properties.anchor.clone());
        let mut items = Vec::new();
        loop {
            let event = self.events.next()?;
            if matches!(event.kind, EventKind::SequenceEnd) {
                break;
            }
            items.push(self.node(event, depth + 1)?);
        }
        let kind = match properties.tag.as_deref() {
            None => NodeKind::List(items),
            Some("!unsafe") => data(NodeKind::List(items), span),
            Some(tag) if is_core(tag, "seq") || is_core(tag, "omap") || is_core(tag, "pairs") => {
                NodeKind::List(items)
            }
            Some(tag) => {
                self.unknown_tag(tag, span);
                NodeKind::List(items)
            }
        };
        Ok(self.close(properties.anchor, Node { span, kind }, before))
    }

    fn mapping(&mut self, properties: Properties, span: Span, depth: usize) -> Result<Node, Stop> {
        let before = self.values;
        self.open_anchors.extend(properties.anchor.clone());
        let mut entries = merge::Entries::default();
        loop {
            let event = self.events.next()?;
            if matches!(event.kind, EventKind::MappingEnd) {
                break;
            }
            let is_merge = matches!(&event.kind, EventKind::Scalar { text, style: Style::Plain, properties }
                if text == "<<" && properties.tag.is_none());
            let key = self.node(event, depth + 1)?;
            if matches!(key.kind, NodeKind::List(_) | NodeKind::Map(_)) {
                return Err(explain::container_as_key(&key).into());
            }
            let event = self.events.next()?;
            let value = self.node(event, depth + 1)?;
            if is_merge {
                entries.merge(value).map_err(Stop::from)?;
            } else {
                entries.add(Entry { key, value }, &mut self.problems);
            }
        }
        let kind = NodeKind::Map(entries.into_vec());
        let kind = match properties.tag.as_deref() {
            None => kind,
            Some("!unsafe") => data(kind, span),
            Some(tag) if is_core(tag, "map") || is_core(tag, "set") => kind,
            Some(tag) => {
                self.unknown_tag(tag, span);
                kind
            }
        };
        Ok(self.close(properties.anchor, Node { span, kind }, before))
    }

    fn close(&mut self, anchor: Option<String>, node: Node, values_before: usize) -> Node {
        if anchor.is_some() {
            self.open_anchors.pop();
        }
        let size = self.values - values_before + 1;
        self.anchored(anchor, node, size)
    }

    fn scalar(&mut self, tag: Option<&str>, text: String, style: Style, span: Span) -> NodeKind {
        match tag {
            None | Some("!") if style == Style::Plain => scalar::resolve(&text),
            None | Some("!") => NodeKind::Text(Text::written(text)),
            Some("!unsafe") => NodeKind::Data(Value::text(text)),
            Some("!vault" | "!vault-encrypted") => self.unsealed(&text, span),
            Some(tag) => self.tagged(tag, text, span),
        }
    }

    fn unsealed(&mut self, text: &str, span: Span) -> NodeKind {
        match (self.unseal)(text) {
            Ok(secret) => NodeKind::Data(Value::text(secret)),
            // Only what looks at the value fails: others may not need it.
            Err(why) => {
                self.problems
                    .push(Problem::warning(codes::VAULT, span, why.to_string()));
                let reason = match &why {
                    VaultError::NoSecret => "Attempting to decrypt but no vault secrets found",
                    VaultError::WrongSecret => {
                        "Decryption failed (no vault secrets were found that could decrypt)"
                    }
                    VaultError::Malformed { detail } => detail,
                    VaultError::NotText => "the encrypted value is not UTF-8 text",
                };
                let reason = reason.replace(['\'', '\\'], "");
                NodeKind::Text(Text::written(format!("{{{{ undef(hint='{reason}') }}}}")))
            }
        }
    }

    fn tagged(&mut self, tag: &str, text: String, span: Span) -> NodeKind {
        let name = tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag);
        let kind = match name {
            "str" | "timestamp" | "binary" | "value" => Some(NodeKind::Text(Text::written(&*text))),
            "null" => Some(NodeKind::Null),
            "bool" => scalar::boolean(&text).map(NodeKind::Bool),
            "int" => scalar::integer(&text).map(NodeKind::Int),
            "float" => scalar::float(&text)
                .or_else(|| text.parse().ok())
                .map(NodeKind::Float),
            _ => {
                self.unknown_tag(tag, span);
                return NodeKind::Text(Text::written(text));
            }
        };
        kind.unwrap_or_else(|| {
            let message = format!("`{text}` is not what its tag `!!{name}` says");
            self.problems
                .push(Problem::error(codes::TAG, span, message));
            NodeKind::Null
        })
    }

    fn unknown_tag(&mut self, tag: &str, span: Span) {
        let known = ["!vault", "!unsafe"];
        let problem = Problem::error(codes::TAG, span, format!("the tag `{tag}` is not known"))
            .meant(crate::closest(tag, known));
        let problem = match problem.hint {
            None => problem.hint("write a value that begins with `!` in quotes"),
            Some(_) => problem,
        };
        self.problems.push(problem);
    }
}

fn is_core(tag: &str, name: &str) -> bool {
    tag.strip_prefix("tag:yaml.org,2002:") == Some(name)
}

/// What is written is data, templates or not.
fn data(kind: NodeKind, span: Span) -> NodeKind {
    fn plain(node: &Node) -> Node {
        let kind = match &node.kind {
            NodeKind::Text(text) => NodeKind::Data(Value::Text(Arc::clone(&text.text))),
            NodeKind::List(items) => NodeKind::List(items.iter().map(plain).collect()),
            NodeKind::Map(entries) => NodeKind::Map(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: plain(&entry.key),
                        value: plain(&entry.value),
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            span: node.span,
            kind,
        }
    }
    let node = plain(&Node { span, kind });
    node.to_static_value().map_or(node.kind, NodeKind::Data)
}
