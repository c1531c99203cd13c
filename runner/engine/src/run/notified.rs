//! Which handlers are meant by a name that a host notified.
//!
//! They are looked for when handlers run, not before: a role that is used again brings its handlers again, and of several
//! with one name the last is meant.

use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{EventKind, Name, Node, Value};
use sasrun_template::Scope;

use super::Run;
use super::handlers::Handler;
use super::play::{PlayRun, walks_alone};
use crate::variables::{Level, ScopeParts, TaskScope};

/// A name that a host notified.
#[derive(Debug, PartialEq)]
pub(super) struct Notified {
    name: String,
    host: Name,
}

impl PlayRun {
    /// Notes that a host notified; an error if nobody answers to the name.
    pub(crate) fn notify(&self, run: &Run, name: &str, host: &Name) -> Result<(), String> {
        if self.handlers_named(run, name, host).is_empty() {
            return Err(format!(
                "there is no handler \"{name}\" in this play or its roles"
            ));
        }
        let notified = Notified {
            name: name.to_owned(),
            host: Arc::clone(host),
        };
        let mut all = self.notified.borrow_mut();
        if !all.contains(&notified) {
            all.push(notified);
        }
        drop(all);
        run.dispatcher.emit(EventKind::HandlerNotified {
            handler: name.to_owned(),
            host: Arc::clone(host),
        });
        Ok(())
    }

    /// Looks for the handlers that these hosts notified; from then on they owe them.
    pub(crate) fn resolve_notified(&self, run: &Run, hosts: &[Name]) {
        let (meant, left): (Vec<_>, Vec<_>) = self
            .notified
            .take()
            .into_iter()
            .partition(|notified| hosts.contains(&notified.host));
        self.notified.replace(left);
        for Notified { name, host } in meant {
            let wanted = self.handlers_named(run, &name, &host);
            if wanted.is_empty() {
                run.warn(format!(
                    "{host} notified \"{name}\", and no handler answers to that any more"
                ));
            }
            let mut handlers = self.handlers.borrow_mut();
            for index in wanted {
                if let Some(handler) = handlers.get_mut(index) {
                    handler.is_owed_by(&host);
                }
            }
        }
    }

    /// The handler of that name, and of those that listen to it one of each name: the first in the
    /// last section that has one. Sections are the play's own handlers and those of each role.
    ///
    /// Last is what stands last in the play. Where each host walks alone, those that it came to itself go before those
    /// of others, who may be ahead of it in one run and behind in the next.
    fn handlers_named(&self, run: &Run, name: &str, host: &Name) -> Vec<usize> {
        let handlers = self.handlers.borrow();
        let mut order: Vec<(usize, &Handler)> = handlers.iter().enumerate().collect();
        order.sort_by_key(|(_, handler)| handler.place());
        let search = Search {
            run,
            play: self,
            host,
            name,
        };
        if walks_alone(self.play.strategy) {
            let own = order.iter().filter(|(_, handler)| handler.is_of(host));
            let wanted = search.among(&own.copied().collect::<Vec<_>>());
            if !wanted.is_empty() {
                return wanted;
            }
        }
        search.among(&order)
    }
}

/// A search for the handlers that a host means by a name.
struct Search<'a> {
    run: &'a Run,
    play: &'a PlayRun,
    host: &'a Name,
    name: &'a str,
}

impl Search<'_> {
    fn among(&self, handlers: &[(usize, &Handler)]) -> Vec<usize> {
        let sections: Vec<_> = handlers
            .chunk_by(|(_, one), (_, next)| one.section() == next.section())
            .collect();
        let handlers = || sections.iter().rev().copied().flatten();
        let by_name = handlers()
            .find(|(_, handler)| self.is_named(handler))
            .map(|(index, _)| *index);
        let mut wanted = Vec::from_iter(by_name);
        let mut heard = HashSet::new();
        for (index, handler) in handlers() {
            if !self.listens(handler) {
                continue;
            }
            let is_first = self
                .own_name(handler)
                .is_none_or(|own_name| heard.insert(own_name));
            if is_first && !wanted.contains(index) {
                wanted.push(*index);
            }
        }
        wanted
    }

    fn is_named(&self, handler: &Handler) -> bool {
        let Some(own) = self.own_name(handler) else {
            return false;
        };
        self.means(&own, handler)
    }

    /// Whether the notification says a text, or the handler's role and that text.
    fn means(&self, text: &str, handler: &Handler) -> bool {
        let Some(role) = self.name.strip_suffix(text) else {
            return false;
        };
        let own = handler.level().roles().next();
        let is_role = |role: &str| own.is_some_and(|own| own.names().any(|name| name == role));
        role.is_empty() || role.strip_suffix(" : ").is_some_and(is_role)
    }

    fn own_name(&self, handler: &Handler) -> Option<String> {
        let name = self.resolved(handler.name()?, handler.level())?;
        name.as_str().map(str::to_owned)
    }

    fn listens(&self, handler: &Handler) -> bool {
        let is_topic = |value: &Value| value.as_str().is_some_and(|t| self.means(t, handler));
        let mut topics = handler.topics().iter();
        topics.any(|node| match self.resolved(node, handler.level()) {
            Some(Value::List(topics)) => topics.iter().any(is_topic),
            Some(topic) => is_topic(&topic),
            None => false,
        })
    }

    fn resolved(&self, node: &Node, level: &Arc<Level>) -> Option<Value> {
        if let Some(text) = node.to_static_value() {
            return Some(text);
        }
        let scope: Arc<dyn Scope> = Arc::new(TaskScope::new(ScopeParts {
            shared: Arc::clone(&self.run.shared),
            play: self.play.facts(),
            play_variables: self
                .play
                .variables_of(self.run, self.host)
                .unwrap_or_else(|_| self.play.variables()),
            level: Some(Arc::clone(level)),
            task: None,
            host: Arc::clone(self.host),
        }));
        self.run.templates.resolve(node, &scope).ok()
    }
}
