//! One call from outside: what it has resolved so far, and how much more it may do.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indexmap::IndexMap;
use sasrun_model::{Key, Name, Node, NodeKind};

use super::{Env, Sink};
use crate::cache::ProgramCache;
use crate::error::Problem;
use crate::extensions::Extensions;
use crate::options::RenderOptions;
use crate::scope::{Binding, Scope};
use crate::syntax::Reading;
use crate::values::{Eval, Fault, KeyedSource, Pending, PendingState, Val};
use crate::world::World;

/// Steps of evaluation that one call may take.
const MAX_STEPS: u64 = 100_000_000;
/// How deep evaluation may nest; bounded by the stack of a runtime's thread.
const MAX_DEPTH: u32 = 220;

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) world: Arc<dyn World>,
    pub(crate) extensions: Extensions,
    pub(crate) programs: ProgramCache,
    /// How often the world was asked.
    pub(crate) asked: AtomicU64,
}

/// One call from outside.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    /// What each scope's variables were found to be. A scope is known by its address, so it is kept alive beside them.
    found: RefCell<HashMap<usize, Found>>,
    resolving: RefCell<Vec<(usize, Name)>>,
    steps: Cell<u64>,
    depth: Cell<u32>,
    /// Itself, for what must outlive a borrow.
    me: Weak<Session>,
}

struct Found {
    _scope: Arc<dyn Scope>,
    variables: HashMap<Name, Option<Val>>,
}

fn address(scope: &Arc<dyn Scope>) -> usize {
    Arc::as_ptr(scope).cast::<()>() as usize
}

impl Session {
    pub(crate) fn new(shared: &Arc<Shared>) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            shared: Arc::clone(shared),
            found: RefCell::default(),
            resolving: RefCell::default(),
            steps: Cell::new(0),
            depth: Cell::new(0),
            me: Weak::clone(me),
        })
    }

    pub(crate) fn me(&self) -> Option<Rc<Self>> {
        self.me.upgrade()
    }

    pub(crate) fn world(&self) -> &dyn World {
        self.count_asked();
        &*self.shared.world
    }

    /// Counts that something but variables was asked.
    pub(crate) fn count_asked(&self) {
        self.shared.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one step of work.
    pub(crate) fn step(&self) -> Eval<()> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS {
            return Err(Fault::problem(Problem::TooMuch));
        }
        Ok(())
    }

    /// Counts one level of nesting for as long as the work takes.
    pub(crate) fn deeper<T>(&self, work: impl FnOnce() -> Eval<T>) -> Eval<T> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(Fault::operation("template nests too deeply"));
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }

    /// Finds a variable of a scope and resolves it.
    pub(crate) fn variable(
        self: &Rc<Self>,
        scope: &Arc<dyn Scope>,
        name: &str,
    ) -> Eval<Option<Val>> {
        let place = address(scope);
        if let Some(found) = self.found.borrow().get(&place)
            && let Some(value) = found.variables.get(name)
        {
            return Ok(value.clone());
        }
        let name: Name = name.into();
        let value = match scope.get(&name) {
            None => None,
            Some(binding) => Some(self.resolve_variable(scope, place, &name, binding)?),
        };
        self.remember(scope, &name, value.clone());
        Ok(value)
    }

    /// Notes what a variable is for the rest of this call.
    pub(crate) fn remember(&self, scope: &Arc<dyn Scope>, name: &Name, value: Option<Val>) {
        self.found
            .borrow_mut()
            .entry(address(scope))
            .or_insert_with(|| Found {
                _scope: Arc::clone(scope),
                variables: HashMap::new(),
            })
            .variables
            .insert(Arc::clone(name), value);
    }

    fn resolve_variable(
        self: &Rc<Self>,
        scope: &Arc<dyn Scope>,
        place: usize,
        name: &Name,
        binding: Binding,
    ) -> Eval {
        let Binding::Written(node) = binding else {
            return self.bound(scope, binding);
        };
        {
            let mut resolving = self.resolving.borrow_mut();
            if let Some(first) = resolving
                .iter()
                .position(|(at, other)| *at == place && other == name)
            {
                let mut chain: Vec<Name> = resolving[first..]
                    .iter()
                    .map(|(_, name)| Arc::clone(name))
                    .collect();
                chain.push(Arc::clone(name));
                return Err(Fault::problem(Problem::Cycle(chain)));
            }
            resolving.push((place, Arc::clone(name)));
        }
        let result = self.deeper(|| self.written(&node, scope));
        self.resolving.borrow_mut().pop();
        result.or_else(|fault| fault.through(name).into_value())
    }

    /// The value of a binding that was found in a scope.
    pub(crate) fn bound(self: &Rc<Self>, scope: &Arc<dyn Scope>, binding: Binding) -> Eval {
        Ok(match binding {
            Binding::Data(value) => Val::from_data(&value),
            Binding::Written(node) => self.written(&node, scope)?,
            Binding::Lazy(map) => Val::keyed(KeyedSource::Lazy(map, Arc::clone(scope))),
            Binding::Scope(scope) => Val::keyed(KeyedSource::Scope(scope)),
        })
    }

    /// The value of what the user wrote. Containers are not looked into.
    pub(crate) fn written(self: &Rc<Self>, node: &Arc<Node>, scope: &Arc<dyn Scope>) -> Eval {
        if let Some(value) = self.shared.programs.static_value(node) {
            return Ok(Val::from_data(&value));
        }
        self.part(&Pending {
            root: Arc::clone(node),
            path: Vec::new(),
            scope: Arc::clone(scope),
            state: RefCell::new(PendingState::Waiting),
        })
    }

    /// The value of a part of what the user wrote.
    fn part(self: &Rc<Self>, pending: &Pending) -> Eval {
        let Some(node) = pending.node() else {
            return Ok(Val::Null);
        };
        match &node.kind {
            NodeKind::Text(text) if text.is_template => {
                self.render_value(&text.text, &pending.scope)
            }
            NodeKind::List(items) => Ok(Val::list(
                (0..items.len()).map(|index| pending.child(index)).collect(),
            )),
            NodeKind::Map(entries) => {
                let mut dict = IndexMap::with_capacity(entries.len());
                for (index, entry) in entries.iter().enumerate() {
                    let key = match &entry.key.kind {
                        NodeKind::Text(text) => Some(Key::Text(Arc::clone(&text.text))),
                        _ => entry
                            .key
                            .to_static_value()
                            .and_then(|value| Key::from_value(&value)),
                    };
                    let key =
                        key.ok_or_else(|| Fault::operation("a key must be text or a number"))?;
                    dict.insert(key, pending.child(index));
                }
                Ok(Val::dict(dict))
            }
            _ => Ok(node
                .to_static_value()
                .map_or(Val::Null, |value| Val::from_data(&value))),
        }
    }

    /// Renders text of a YAML value: a lone expression keeps its type.
    pub(crate) fn render_value(self: &Rc<Self>, text: &Arc<str>, scope: &Arc<dyn Scope>) -> Eval {
        let program = self
            .shared
            .programs
            .program(text, &Reading::Value, &self.shared.extensions)
            .map_err(|problem| Fault::problem(Problem::Syntax(problem)))?;
        let env = Env::new(self, scope, &program, RenderOptions::default());
        let mut sink = Sink::native();
        env.run(&mut sink)?;
        let value = sink.finish();
        Ok(match value {
            Val::Text(text) if program.trailing_newlines > 0 => {
                let present = text.len() - text.trim_end_matches('\n').len();
                let missing = program.trailing_newlines.saturating_sub(present);
                if missing == 0 {
                    Val::Text(text)
                } else {
                    Val::from(format!("{text}{}", "\n".repeat(missing)))
                }
            }
            value => value,
        })
    }

    /// Resolves a value that is not yet resolved; gives every other as it is.
    pub(crate) fn force(&self, value: &Val) -> Eval {
        let Val::Pending(pending) = value else {
            return Ok(value.clone());
        };
        match &*pending.state.borrow() {
            PendingState::Done(value) => return Ok(value.clone()),
            PendingState::Working => {
                let chain = self.resolving.borrow();
                return Err(Fault::problem(Problem::Cycle(
                    chain.iter().map(|(_, name)| Arc::clone(name)).collect(),
                )));
            }
            PendingState::Waiting => {}
        }
        *pending.state.borrow_mut() = PendingState::Working;
        let result = match self.me() {
            Some(me) => self.deeper(|| me.part(pending)).or_else(Fault::into_value),
            None => Ok(Val::Null),
        };
        *pending.state.borrow_mut() = match &result {
            Ok(value) => PendingState::Done(value.clone()),
            Err(_) => PendingState::Waiting,
        };
        result
    }
}
