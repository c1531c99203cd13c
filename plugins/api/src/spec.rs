//! The description of a module: one source for validation, `sasrun doc` and the reference pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A module's description.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleSpec {
    /// Canonical name, such as `ansible.builtin.copy` or `gateway_tunnel`.
    pub name: String,
    /// Other names under which playbooks may call it.
    pub aliases: Vec<String>,
    /// One sentence.
    pub summary: String,
    /// Paragraphs of explanation.
    pub description: Vec<String>,
    pub arguments: Vec<ArgumentSpec>,
    /// Whether text after the module's name is taken as this argument (`_raw_params` of Ansible).
    pub free_form: Option<String>,
    /// Whether arguments that the spec does not name are taken as they are (`set_fact`).
    pub open: bool,
    pub check_mode: CheckSupport,
    /// Whether it can show differences.
    pub diff: bool,
    /// Whether the field `diff` of its result is a list even when there is one difference.
    pub lists_diff: bool,
    /// What may be done with it again when its end is not known.
    pub repetition: Repetition,
    /// Whether all that must not be done twice it does as jobs, so that its host knows how far it came.
    pub jobs_only: bool,
    /// Whether it runs once on the controller's side alone and needs no connection.
    pub controller_only: bool,
    /// Whether one run of it, for the first of the hosts that walk together, stands for all of them (`pause`).
    pub once_for_all: bool,
    /// Variables of the host that it wants resolved in its call.
    pub variables: Vec<String>,
    /// Sets of arguments of which at most one may be given.
    pub mutually_exclusive: Vec<Vec<String>>,
    /// Sets of arguments of which at least one must be given.
    pub required_one_of: Vec<Vec<String>>,
    /// Sets of arguments that must be given together.
    pub required_together: Vec<Vec<String>>,
    /// `(argument, value, needed)`: with that value the others are needed.
    pub required_if: Vec<(String, Value, Vec<String>)>,
    pub returns: Vec<Returned>,
    pub examples: Vec<Example>,
}

/// How a module behaves in check mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSupport {
    /// Predicts exactly.
    #[default]
    Full,
    /// Cannot know without doing it, in some cases or all.
    CannotKnow,
    /// Only reads, so it runs in check mode as ever.
    ReadsOnly,
}

/// What may be done with a step that was begun and whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repetition {
    /// It only reads.
    Read,
    /// Doing it again comes to the same.
    #[default]
    Repeat,
    /// It must not be done twice.
    Once,
}

/// Type of an argument's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentType {
    #[default]
    String,
    Path,
    Boolean,
    Integer,
    Float,
    List,
    Dictionary,
    /// A list whose elements are strings; a string is split at commas.
    StringList,
    /// A size such as `10M`, in bytes.
    Bytes,
    /// Permission bits: octal text or number, or symbolic as for chmod.
    Mode,
    /// Anything.
    Raw,
    /// Text that is evaluated by the engine when the module asks, not before.
    Expression,
    /// A list of such texts; one text is a list of one.
    ExpressionList,
}

/// Description of one argument.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ArgumentSpec {
    pub name: String,
    pub aliases: Vec<String>,
    #[serde(rename = "type")]
    pub kind: ArgumentType,
    pub required: bool,
    pub default: Option<Value>,
    pub choices: Vec<Value>,
    /// Whether its value is never shown.
    pub secret: bool,
    /// Whether its value is left out where the arguments of a call are told, as the content of a
    /// file is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// Arguments inside, for a dictionary or a list of dictionaries.
    pub suboptions: Vec<ArgumentSpec>,
    /// One or two sentences.
    pub description: String,
}

impl ArgumentSpec {
    /// An optional argument.
    pub fn optional(name: &str, kind: ArgumentType, description: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            description: description.into(),
            ..Self::default()
        }
    }

    /// A required argument.
    pub fn required(name: &str, kind: ArgumentType, description: &str) -> Self {
        Self {
            required: true,
            ..Self::optional(name, kind, description)
        }
    }

    /// Adds other names of the argument.
    #[must_use]
    pub fn alias(mut self, names: &[&str]) -> Self {
        self.aliases
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Sets the value it has when absent.
    #[must_use]
    pub fn defaults_to(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Sets the values it may have.
    #[must_use]
    pub fn choices(mut self, values: &[&str]) -> Self {
        self.choices = values.iter().map(|value| Value::from(*value)).collect();
        self
    }

    /// Marks the value as one that is never shown.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Leaves the value out where the arguments of a call are told.
    #[must_use]
    pub fn untold(mut self) -> Self {
        self.untold = true;
        self
    }
}

/// Description of a result field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Returned {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub description: String,
}

impl Returned {
    /// Describes one field of the result.
    pub fn new(name: &str, kind: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            description: description.into(),
        }
    }
}

/// An example of use, as YAML of a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Example {
    pub title: String,
    pub yaml: String,
}

impl ModuleSpec {
    /// Tells whether `name` calls this module; the collection's prefix may be left out.
    pub fn answers_to(&self, name: &str) -> bool {
        let short = |full: &str| full.rsplit('.').next().map(str::to_owned);
        self.name == name
            || self.aliases.iter().any(|alias| alias == name)
            || (!name.contains('.') && short(&self.name).as_deref() == Some(name))
    }

    /// Finds an argument by its name or an alias.
    pub fn argument(&self, name: &str) -> Option<&ArgumentSpec> {
        self.arguments
            .iter()
            .find(|argument| argument.name == name || argument.aliases.iter().any(|a| a == name))
    }
}
