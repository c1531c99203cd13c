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
    items: Rc<Vec<Val>>,
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
        let mut items = self.session.iterate(iterable)?;
        if let Some(filter) = &node.filter {
            let mut kept = Vec::new();
            for item in items {
                let inner = self.nested();
                inner.assign(&node.target, item.clone())?;
                let keep = inner.eval(filter)?;
                if self.session.truth(&keep)? {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            self.nested().run_all(&node.otherwise, sink)?;
            return Ok(());
        }
        let items = Rc::new(items);
        let state = Rc::new(LoopState {
            items: Rc::clone(&items),
            index: Cell::new(0),
            depth,
            last: RefCell::default(),
            again: node.recursive.then(|| (Arc::clone(node), self.clone())),
        });
        let loop_name: Arc<str> = "loop".into();
        for (index, item) in items.iter().enumerate() {
            state.index.set(index);
            let inner = self.nested();
            inner.set(&loop_name, Val::Loop(Rc::clone(&state)));
            inner.assign(&node.target, item.clone())?;
            if inner.run_all(&node.body, sink)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }
}

impl LoopState {
    pub(super) fn attribute(&self, session: &Session, name: &str) -> Eval<Option<Val>> {
        let index = self.index.get();
        let length = self.items.len();
        Ok(Some(match name {
            "index" => Val::from(index + 1),
            "index0" => Val::from(index),
            "revindex" => Val::from(length - index),
            "revindex0" => Val::from(length - index - 1),
            "first" => Val::Bool(index == 0),
            "last" => Val::Bool(index + 1 == length),
            "length" => Val::from(length),
            "depth" => Val::from(self.depth + 1),
            "depth0" => Val::from(self.depth),
            "previtem" => match index.checked_sub(1).and_then(|index| self.items.get(index)) {
                Some(item) => session.force(item)?,
                None => Val::undefined("previtem", "there is no previous item"),
            },
            "nextitem" => match self.items.get(index + 1) {
                Some(item) => session.force(item)?,
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
