//! The `for` loop and its variable `loop`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::statement::Flow;
use super::{Env, Session, Sink};
use crate::syntax::ForLoop;
use crate::values::{Eval, Fault, Val};

/// What `loop` is.
pub(crate) struct LoopState {
    /// Items that have, or had, their turn.
    items: RefCell<Vec<Val>>,
    /// Items that the condition was not asked about yet: what the body does may change its answer.
    ahead: RefCell<std::vec::IntoIter<Val>>,
    /// The loop with its condition, and where it is asked.
    condition: Option<(Arc<ForLoop>, Env)>,
    index: Cell<usize>,
    depth: usize,
    /// What `loop.changed` saw last.
    last: RefCell<Option<Vec<Val>>>,
    /// How `loop(items)` goes on, if the loop is recursive.
    again: Option<(Arc<ForLoop>, Env)>,
}

impl Env {
    pub(super) fn run_loop(&self, node: &Arc<ForLoop>, sink: &mut Sink) -> Eval<()> {
        let iterable = self.eval(&node.iterable)?;
        self.run_loop_over(node, &iterable, 0, sink)
    }

    fn run_loop_over(
        &self,
        node: &Arc<ForLoop>,
        iterable: &Val,
        depth: usize,
        sink: &mut Sink,
    ) -> Eval<()> {
        let items = self.session.iterate(iterable)?;
        let here = || (Arc::clone(node), self.clone());
        let state = Rc::new(LoopState {
            items: RefCell::default(),
            ahead: RefCell::new(items.into_iter()),
            condition: node.filter.is_some().then(here),
            index: Cell::new(0),
            depth,
            last: RefCell::default(),
            again: node.recursive.then(here),
        });
        let loop_name: Arc<str> = "loop".into();
        for index in 0.. {
            let Some(item) = state.item(index)? else {
                if index == 0 {
                    self.nested().run_all(&node.otherwise, sink)?;
                }
                break;
            };
            state.index.set(index);
            let inner = self.nested();
            inner.set(&loop_name, Val::Loop(Rc::clone(&state)));
            inner.assign(&node.target, item)?;
            if inner.run_all(&node.body, sink)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }
}

impl LoopState {
    /// The item of a turn; none after the last.
    fn item(&self, index: usize) -> Eval<Option<Val>> {
        while self.items.borrow().len() <= index {
            let next = self.ahead.borrow_mut().next();
            let Some(item) = next else { return Ok(None) };
            if self.is_wanted(&item)? {
                self.items.borrow_mut().push(item);
            }
        }
        Ok(self.items.borrow().get(index).cloned())
    }

    fn is_wanted(&self, item: &Val) -> Eval<bool> {
        let Some((node, env)) = &self.condition else {
            return Ok(true);
        };
        let Some(filter) = &node.filter else {
            return Ok(true);
        };
        let inner = env.nested();
        inner.assign(&node.target, item.clone())?;
        let keep = inner.eval(filter)?;
        env.session.truth(&keep)
    }

    /// How many turns there are, which asks the condition about all that is left.
    fn length(&self) -> Eval<usize> {
        loop {
            let count = self.items.borrow().len();
            if self.item(count)?.is_none() {
                return Ok(count);
            }
        }
    }

    pub(super) fn attribute(&self, session: &Session, name: &str) -> Eval<Option<Val>> {
        let index = self.index.get();
        Ok(Some(match name {
            "index" => Val::from(index + 1),
            "index0" => Val::from(index),
            "revindex" => Val::from(self.length()? - index),
            "revindex0" => Val::from(self.length()? - index - 1),
            "first" => Val::Bool(index == 0),
            "last" => Val::Bool(self.item(index + 1)?.is_none()),
            "length" => Val::from(self.length()?),
            "depth" => Val::from(self.depth + 1),
            "depth0" => Val::from(self.depth),
            "previtem" => match index.checked_sub(1) {
                Some(index) => {
                    let item = self.item(index)?.unwrap_or(Val::Null);
                    session.force(&item)?
                }
                None => Val::undefined("previtem", "there is no previous item"),
            },
            "nextitem" => match self.item(index + 1)? {
                Some(item) => session.force(&item)?,
                None => Val::undefined("nextitem", "there is no next item"),
            },
            _ => return Ok(None),
        }))
    }

    /// `loop.cycle(...)` and `loop.changed(...)`.
    pub(super) fn method(
        &self,
        session: &Session,
        name: &str,
        arguments: &[Val],
    ) -> Eval<Option<Val>> {
        Ok(match name {
            "cycle" if !arguments.is_empty() => {
                arguments.get(self.index.get() % arguments.len()).cloned()
            }
            "changed" => {
                let same = match &*self.last.borrow() {
                    Some(last) => {
                        session.equal(&Val::list(last.clone()), &Val::list(arguments.to_vec()))?
                    }
                    None => false,
                };
                *self.last.borrow_mut() = Some(arguments.to_vec());
                Some(Val::Bool(!same))
            }
            _ => None,
        })
    }

    /// `loop(items)` of a recursive loop.
    pub(super) fn recurse(&self, session: &Session, iterable: &Val) -> Eval {
        let Some((node, env)) = &self.again else {
            return Err(Fault::operation("the loop is not recursive"));
        };
        let mut sink = Sink::text();
        session.deeper(|| env.run_loop_over(node, iterable, self.depth + 1, &mut sink))?;
        Ok(Val::from(sink.into_text(session)?))
    }
}
