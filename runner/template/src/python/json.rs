//! JSON text as Python's `json.dumps` writes it.

use crate::eval::Session;
use crate::values::{Eval, Fault, Val, float_text};

/// How JSON is laid out.
pub(crate) struct Layout {
    /// Blanks per level; none for a single line.
    pub(crate) indent: Option<String>,
    pub(crate) sort_keys: bool,
    /// Whether letters beyond ASCII are written as escapes.
    pub(crate) ascii: bool,
    pub(crate) item_separator: String,
    pub(crate) key_separator: String,
}

/// Writes a value.
pub(crate) fn write(session: &Session, value: &Val, layout: &Layout) -> Eval<String> {
    let mut out = String::new();
    write_value(session, value, layout, 0, &mut out)?;
    Ok(out)
}

fn write_value(
    session: &Session,
    value: &Val,
    layout: &Layout,
    depth: usize,
    out: &mut String,
) -> Eval<()> {
    value.known()?;
    session.step()?;
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Val::Int(number) => out.push_str(&number.to_string()),
        Val::Float(number) if number.is_nan() => out.push_str("NaN"),
        Val::Float(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            });
        }
        Val::Float(number) => out.push_str(&float_text(*number)),
        Val::Text(text) => write_text(text, layout.ascii, out),
        Val::Pending(_) => {
            let value = session.force(value)?;
            write_value(session, &value, layout, depth, out)?;
        }
        Val::List(_) | Val::Seq(_) => {
            let items = session.iterate(value)?;
            if items.is_empty() {
                out.push_str("[]");
                return Ok(());
            }
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(layout, index, depth + 1, out);
                session.deeper(|| write_value(session, item, layout, depth + 1, out))?;
            }
            close(layout, depth, out);
            out.push(']');
        }
        _ if value.is_mapping() => {
            let mut entries = session.entries(value)?;
            if entries.is_empty() {
                out.push_str("{}");
                return Ok(());
            }
            if layout.sort_keys {
                entries.sort_by_key(|(key, _)| key.to_string());
            }
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                separate(layout, index, depth + 1, out);
                write_text(&key_text(key), layout.ascii, out);
                out.push_str(&layout.key_separator);
                session.deeper(|| write_value(session, item, layout, depth + 1, out))?;
            }
            close(layout, depth, out);
            out.push('}');
        }
        Val::Moment(moment) => {
            let text = moment.text().replace(' ', "T");
            write_text(&text, layout.ascii, out);
        }
        other => {
            return Err(Fault::operation(format!(
                "Object of type {} is not JSON serializable",
                other.type_name()
            )));
        }
    }
    Ok(())
}

fn key_text(key: &sasrun_model::Key) -> String {
    match key {
        sasrun_model::Key::Bool(value) => value.to_string(),
        sasrun_model::Key::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

fn separate(layout: &Layout, index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push_str(&layout.item_separator);
    }
    break_line(layout, depth, out);
}

fn close(layout: &Layout, depth: usize, out: &mut String) {
    break_line(layout, depth, out);
}

fn break_line(layout: &Layout, depth: usize, out: &mut String) {
    if let Some(indent) = &layout.indent {
        out.push('\n');
        for _ in 0..depth {
            out.push_str(indent);
        }
    }
}

fn write_text(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if ascii && (c as u32) > 0x7e => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
