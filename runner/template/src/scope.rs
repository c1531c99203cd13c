//! Where templates find variables.

use std::sync::Arc;

use indexmap::IndexMap;
use sasrun_model::{Key, Name, Node, Value};

/// Variables as they are seen from one place of a play.
pub trait Scope: Send + Sync {
    /// Finds a variable.
    fn get(&self, name: &str) -> Option<Binding>;
    /// Names of all variables, for `vars`, `varnames` and suggestions.
    fn names(&self) -> Vec<Name>;
}

/// What a name stands for.
#[derive(Clone)]
pub enum Binding {
    /// As the user wrote it: perhaps a template, rendered when it is looked at, in the scope it was found in. What one
    /// call finds is kept for the rest of that call only.
    Written(Arc<Node>),
    /// Data, never rendered.
    Data(Value),
    /// A mapping whose entries are made when they are looked at, such as `hostvars`.
    Lazy(Arc<dyn LazyMap>),
    /// Another scope, seen as a mapping: one host of `hostvars`, or `vars`. Its templates are rendered in it.
    Scope(Arc<dyn Scope>),
}

/// A mapping whose entries are made when they are looked at.
pub trait LazyMap: Send + Sync {
    /// Finds an entry. A written value is rendered in the scope that looked the mapping up.
    fn get(&self, key: &Key) -> Option<Binding>;
    /// All keys.
    fn keys(&self) -> Vec<Key>;
}

/// A scope made of a plain table.
#[derive(Default, Clone)]
pub struct VariableScope {
    variables: IndexMap<Name, Binding>,
}

impl VariableScope {
    /// An empty scope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    pub fn insert(&mut self, name: impl Into<Name>, binding: Binding) {
        self.variables.insert(name.into(), binding);
    }
}

impl FromIterator<(Name, Binding)> for VariableScope {
    fn from_iter<I: IntoIterator<Item = (Name, Binding)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}

impl Scope for VariableScope {
    fn get(&self, name: &str) -> Option<Binding> {
        self.variables.get(name).cloned()
    }

    fn names(&self) -> Vec<Name> {
        self.variables.keys().cloned().collect()
    }
}

/// Some variables in front of another scope, such as a loop's item. Templates behind it see the variables in front.
pub struct LayeredScope {
    front: VariableScope,
    behind: Arc<dyn Scope>,
}

impl LayeredScope {
    /// Puts variables in front of a scope.
    pub fn new(front: VariableScope, behind: Arc<dyn Scope>) -> Self {
        Self { front, behind }
    }
}

impl Scope for LayeredScope {
    fn get(&self, name: &str) -> Option<Binding> {
        self.front.get(name).or_else(|| self.behind.get(name))
    }

    fn names(&self) -> Vec<Name> {
        let mut names = self.behind.names();
        for name in self.front.names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
