//! Values while a template is evaluated: Python's, plus *undefined*, *cannot know* and *not yet resolved*.
//!
//! Data of the model is shared, not copied. Lists and mappings that a template makes can be changed in place, as in
//! Python. Everything that looks into a value goes through [`crate::eval::Session`], which resolves what is pending.

mod compare;
mod convert;
mod fault;
mod text;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use sasrun_model::{Key, Map, Node, NodeKind, Value};

pub(crate) use compare::order_values;
pub(crate) use fault::{Eval, Fault, FaultKind, Undefined};
pub(crate) use text::float_text;

use crate::eval::{GlobalFunction, LoopState, MacroValue, SuperCall};
use crate::python::moment::Moment;
use crate::scope::{LazyMap, Scope};

/// A value during evaluation. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Val {
    Undefined(Rc<Undefined>),
    Unknown(Unknown),
    Omit,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    /// A list of the model; never changed.
    List(Arc<Vec<Value>>),
    /// A mapping of the model; never changed.
    Map(Arc<Map>),
    /// A list or tuple made during evaluation.
    Seq(Rc<Seq>),
    /// A mapping made during evaluation.
    Dict(Rc<Dict>),
    /// A mapping whose entries are made when they are looked at.
    Keyed(Rc<Keyed>),
    /// A written value that has not been looked at. Stands only inside containers.
    Pending(Rc<Pending>),
    Function(Function),
    Loop(Rc<LoopState>),
    Namespace(Rc<Dict>),
    Module(Rc<Module>),
    Moment(Rc<Moment>),
    /// A length of time, in microseconds.
    Interval(i64),
    Cycler(Rc<Cycler>),
    Joiner(Rc<Joiner>),
}

/// A value that cannot be known.
#[derive(Clone)]
pub(crate) struct Unknown {
    pub(crate) reason: Arc<str>,
    /// Whether it was reached through another unknown value, so that not even its existence is known.
    pub(crate) derived: bool,
}

/// What kind of sequence was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeqKind {
    List,
    Tuple,
    /// A pair of the filter `groupby`, with the names `grouper` and `list`.
    Group,
}

pub(crate) struct Seq {
    pub(crate) items: RefCell<Vec<Val>>,
    pub(crate) kind: SeqKind,
}

#[derive(Default)]
pub(crate) struct Dict {
    pub(crate) entries: RefCell<IndexMap<Key, Val>>,
}

/// A mapping seen through a trait of the caller.
pub(crate) struct Keyed {
    pub(crate) source: KeyedSource,
    pub(crate) found: RefCell<IndexMap<Key, Val>>,
}

pub(crate) enum KeyedSource {
    /// Entries are rendered in the scope that looked the mapping up.
    Lazy(Arc<dyn LazyMap>, Arc<dyn Scope>),
    /// Variables of a scope, rendered in it.
    Scope(Arc<dyn Scope>),
}

/// A part of a written value, and the scope it is to be rendered in.
pub(crate) struct Pending {
    pub(crate) root: Arc<Node>,
    pub(crate) path: Vec<u32>,
    pub(crate) scope: Arc<dyn Scope>,
    pub(crate) state: RefCell<PendingState>,
}

pub(crate) enum PendingState {
    Waiting,
    Working,
    Done(Val),
}

impl Pending {
    /// The node that it stands for.
    pub(crate) fn node(&self) -> Option<&Node> {
        let mut node: &Node = &self.root;
        for index in &self.path {
            let index = *index as usize;
            node = match &node.kind {
                NodeKind::List(items) => items.get(index)?,
                NodeKind::Map(entries) => &entries.get(index)?.value,
                _ => return None,
            };
        }
        Some(node)
    }

    pub(crate) fn child(&self, index: usize) -> Val {
        let mut path = self.path.clone();
        path.push(u32::try_from(index).unwrap_or(u32::MAX));
        Val::Pending(Rc::new(Pending {
            root: Arc::clone(&self.root),
            path,
            scope: Arc::clone(&self.scope),
            state: RefCell::new(PendingState::Waiting),
        }))
    }
}

/// What can be called.
#[derive(Clone)]
pub(crate) enum Function {
    Global(&'static GlobalFunction),
    /// A method of a value, with the method's name.
    Bound(Rc<(Val, Arc<str>)>),
    Macro(Rc<MacroValue>),
    Super(Rc<SuperCall>),
}

/// An imported template.
pub(crate) struct Module {
    pub(crate) exports: IndexMap<Arc<str>, Val>,
    pub(crate) text: String,
}

/// What `cycler()` gives.
pub(crate) struct Cycler {
    pub(crate) items: Vec<Val>,
    pub(crate) at: Cell<usize>,
}

/// What `joiner()` gives.
pub(crate) struct Joiner {
    pub(crate) separator: Val,
    pub(crate) used: Cell<bool>,
}

impl Val {
    pub(crate) fn list(items: Vec<Val>) -> Self {
        Val::seq(items, SeqKind::List)
    }

    pub(crate) fn tuple(items: Vec<Val>) -> Self {
        Val::seq(items, SeqKind::Tuple)
    }

    pub(crate) fn seq(items: Vec<Val>, kind: SeqKind) -> Self {
        Val::Seq(Rc::new(Seq {
            items: RefCell::new(items),
            kind,
        }))
    }

    pub(crate) fn dict(entries: IndexMap<Key, Val>) -> Self {
        Val::Dict(Rc::new(Dict {
            entries: RefCell::new(entries),
        }))
    }

    pub(crate) fn keyed(source: KeyedSource) -> Self {
        Val::Keyed(Rc::new(Keyed {
            source,
            found: RefCell::default(),
        }))
    }

    pub(crate) fn undefined(name: impl Into<String>, message: impl Into<String>) -> Self {
        Val::Undefined(Rc::new(Undefined {
            name: name.into(),
            message: message.into(),
            at: None,
            through: Vec::new(),
        }))
    }

    pub(crate) fn from_data(value: &Value) -> Self {
        match value {
            Value::Null => Val::Null,
            Value::Bool(value) => Val::Bool(*value),
            Value::Int(value) => Val::Int(*value),
            Value::Float(value) => Val::Float(*value),
            Value::Text(text) => Val::Text(Arc::clone(text)),
            Value::List(items) => Val::List(Arc::clone(items)),
            Value::Map(map) => Val::Map(Arc::clone(map)),
            Value::Omit => Val::Omit,
            Value::CannotKnow(reason) => Val::Unknown(Unknown {
                reason: Arc::clone(reason),
                derived: false,
            }),
        }
    }

    pub(crate) fn from_key(key: &Key) -> Self {
        Val::from_data(&key.to_value())
    }

    /// Name of its kind, as Python calls it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Val::Undefined(_) => "Undefined",
            Val::Unknown(_) => "unknown",
            Val::Omit => "Omit",
            Val::Null => "NoneType",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Float(_) => "float",
            Val::Text(_) => "str",
            Val::List(_) => "list",
            Val::Seq(seq) if seq.kind == SeqKind::List => "list",
            Val::Seq(_) => "tuple",
            Val::Map(_) | Val::Dict(_) | Val::Keyed(_) => "dict",
            Val::Pending(_) => "pending",
            Val::Function(_) => "function",
            Val::Loop(_) => "LoopContext",
            Val::Namespace(_) => "Namespace",
            Val::Module(_) => "TemplateModule",
            Val::Moment(_) => "datetime",
            Val::Interval(_) => "timedelta",
            Val::Cycler(_) => "Cycler",
            Val::Joiner(_) => "Joiner",
        }
    }

    /// Fails if it is undefined or cannot be known.
    pub(crate) fn known(&self) -> Eval<()> {
        match self {
            Val::Undefined(undefined) => Err(Fault::undefined(undefined)),
            Val::Unknown(unknown) => Err(Fault::unknown(&unknown.reason)),
            _ => Ok(()),
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Val::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_mapping(&self) -> bool {
        matches!(self, Val::Map(_) | Val::Dict(_) | Val::Keyed(_))
    }

    pub(crate) fn is_sequence(&self) -> bool {
        matches!(self, Val::List(_) | Val::Seq(_))
    }

    /// A number, with booleans counted as Python does.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Val::Bool(value) => Some(f64::from(u8::from(*value))),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Python's own conversion rounds too"
            )]
            Val::Int(value) => Some(*value as f64),
            Val::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number, with booleans counted as Python does.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Val::Bool(value) => Some(i64::from(*value)),
            Val::Int(value) => Some(*value),
            _ => None,
        }
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Val::Text(text.into())
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Val::Text(text.into())
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Val::Bool(value)
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Val::Int(value)
    }
}

impl From<usize> for Val {
    fn from(value: usize) -> Self {
        Val::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
