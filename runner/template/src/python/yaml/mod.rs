//! YAML text as PyYAML writes it.

mod emitter;
mod scalar;

use sasrun_model::Key;

use self::emitter::Emitter;
use self::scalar::is_plain_text;
use crate::eval::Session;
use crate::values::{Eval, Fault, Val, float_text};

/// When containers are written in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Always,
    Never,
    /// Those that hold no others.
    Leaves,
}

/// How YAML is laid out.
pub(crate) struct Layout {
    pub(crate) indent: usize,
    pub(crate) width: usize,
    pub(crate) sort_keys: bool,
    pub(crate) flow: Flow,
    pub(crate) unicode: bool,
    pub(crate) explicit_start: bool,
    pub(crate) explicit_end: bool,
}

/// What is to be written, with numbers and words already in letters.
pub(crate) enum Item {
    Scalar {
        text: String,
        /// Whether it may stand without quotes and still be read as what it is.
        plain: bool,
    },
    List {
        items: Vec<Item>,
        flow: bool,
    },
    Map {
        entries: Vec<(Item, Item)>,
        flow: bool,
    },
}

/// Writes a value.
pub(crate) fn write(session: &Session, value: &Val, layout: &Layout) -> Eval<String> {
    let item = item_of(session, value, layout)?;
    Ok(Emitter::new(layout).document(&item))
}

fn word(text: impl Into<String>) -> Item {
    Item::Scalar {
        text: text.into(),
        plain: true,
    }
}

fn text_item(text: &str) -> Item {
    Item::Scalar {
        text: text.to_owned(),
        plain: is_plain_text(text),
    }
}

fn float_item(number: f64) -> Item {
    word(if number.is_nan() {
        ".nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        let text = float_text(number);
        if text.contains('.') {
            text
        } else {
            text.replacen('e', ".0e", 1)
        }
    })
}

fn key_item(key: &Key) -> Item {
    match key {
        Key::Text(text) => text_item(text),
        Key::Bool(value) => word(value.to_string()),
        Key::Int(number) => word(number.to_string()),
        Key::Null => word("null"),
    }
}

fn item_of(session: &Session, value: &Val, layout: &Layout) -> Eval<Item> {
    value.known()?;
    session.step()?;
    Ok(match value {
        Val::Null => word("null"),
        Val::Bool(value) => word(value.to_string()),
        Val::Int(number) => word(number.to_string()),
        Val::Float(number) => float_item(*number),
        Val::Text(text) => text_item(text),
        Val::Moment(moment) => word(moment.text()),
        Val::Pending(_) => return item_of(session, &session.force(value)?, layout),
        Val::List(_) | Val::Seq(_) => {
            let mut items = Vec::new();
            for item in session.iterate(value)? {
                items.push(session.deeper(|| item_of(session, &item, layout))?);
            }
            let flow = is_flow(layout, items.iter());
            Item::List { items, flow }
        }
        _ if value.is_mapping() => {
            let mut pairs = session.entries(value)?;
            if layout.sort_keys {
                pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            let mut entries = Vec::new();
            for (key, item) in pairs {
                entries.push((
                    key_item(&key),
                    session.deeper(|| item_of(session, &item, layout))?,
                ));
            }
            let flow = is_flow(layout, entries.iter().map(|(_, item)| item));
            Item::Map { entries, flow }
        }
        other => {
            return Err(Fault::operation(format!(
                "object of type '{}' cannot be written as YAML",
                other.type_name()
            )));
        }
    })
}

fn is_flow<'i>(layout: &Layout, mut items: impl Iterator<Item = &'i Item>) -> bool {
    match layout.flow {
        Flow::Always => true,
        Flow::Never => false,
        Flow::Leaves => items.all(|item| matches!(item, Item::Scalar { .. })),
    }
}
