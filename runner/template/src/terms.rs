//! Terms of `with_…` loops. `with_first_found` leaves out what is undefined among its own: what it
//! tries is often named after facts that not every host has.

use std::rc::Rc;
use std::sync::Arc;

use sasrun_model::{Key, Map, Node, NodeKind, Value};

use crate::eval::Session;
use crate::scope::Scope;
use crate::values::{Eval, Fault, Val};

/// Whether a lookup takes terms with undefined parts.
pub(crate) fn may_be_undefined(lookup: &str) -> bool {
    let short = lookup.rsplit('.').next().unwrap_or_default();
    short == "first_found"
}

/// A value as written, without what is undefined in it; None if it is undefined itself.
pub(crate) fn defined(
    session: &Rc<Session>,
    node: &Node,
    scope: &Arc<dyn Scope>,
) -> Eval<Option<Value>> {
    match &node.kind {
        NodeKind::Text(text) if text.is_template => {
            let value = session
                .render_value(&text.text, scope)
                .or_else(Fault::into_value)?;
            without_undefined(session, &value)
        }
        NodeKind::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.extend(session.deeper(|| defined(session, item, scope))?);
            }
            Ok(Some(list_of(list)))
        }
        NodeKind::Map(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for entry in entries {
                let key = entry.key.to_static_value();
                let key = key.as_ref().and_then(Key::from_value).or_else(|| {
                    let text = entry.key.as_str()?;
                    Some(Key::Text(text.into()))
                });
                let value = session.deeper(|| defined(session, &entry.value, scope))?;
                if let (Some(key), Some(value)) = (key, value) {
                    map.insert(key, value);
                }
            }
            Ok(Some(Value::map(map)))
        }
        _ => Ok(Some(node.to_static_value().unwrap_or_default())),
    }
}

fn without_undefined(session: &Rc<Session>, value: &Val) -> Eval<Option<Value>> {
    let value = session.force(value)?;
    if matches!(value, Val::Undefined(_)) {
        return Ok(None);
    }
    if value.is_sequence() {
        let mut list = Vec::new();
        for item in session.iterate(&value)? {
            list.extend(session.deeper(|| without_undefined(session, &item))?);
        }
        return Ok(Some(list_of(list)));
    }
    if value.is_mapping() {
        let mut map = Map::new();
        for key in session.keys(&value) {
            let Some(entry) = session.entry(&value, &key)? else {
                continue;
            };
            if let Some(entry) = session.deeper(|| without_undefined(session, &entry))? {
                map.insert(key, entry);
            }
        }
        return Ok(Some(Value::map(map)));
    }
    session.to_data(&value).map(Some)
}

fn list_of(items: Vec<Value>) -> Value {
    let items = items.into_iter().filter(|item| *item != Value::Omit);
    Value::list(items.collect())
}
