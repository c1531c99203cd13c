//! Values as text, the way Python writes them (`str` and `repr`).

use super::{Eval, Fault, SeqKind, Val};
use crate::error::Problem;
use crate::eval::Session;

/// More text than this in one value is refused.
const MAX_TEXT_BYTES: usize = 256 << 20;

impl Session {
    /// The value as text, as it stands in the result of a template.
    pub(crate) fn text_of(&self, value: &Val) -> Eval<String> {
        match value {
            Val::Text(text) => Ok(text.to_string()),
            _ => {
                let mut out = String::new();
                self.write_text(value, &mut out)?;
                Ok(out)
            }
        }
    }

    /// Appends the value as text.
    pub(crate) fn write_text(&self, value: &Val, out: &mut String) -> Eval<()> {
        match value {
            Val::Text(text) => out.push_str(text),
            Val::Pending(_) => {
                let value = self.force(value)?;
                self.write_text(&value, out)?;
            }
            Val::Module(module) => out.push_str(&module.text),
            Val::Moment(moment) => out.push_str(&moment.text()),
            Val::Interval(micros) => out.push_str(&crate::python::moment::interval_text(*micros)),
            _ => self.write_repr(value, out)?,
        }
        if out.len() > MAX_TEXT_BYTES {
            return Err(Fault::problem(Problem::TooMuch));
        }
        Ok(())
    }

    /// The value as Python would show it inside a container.
    pub(crate) fn repr_of(&self, value: &Val) -> Eval<String> {
        let mut out = String::new();
        self.write_repr(value, &mut out)?;
        Ok(out)
    }

    fn write_repr(&self, value: &Val, out: &mut String) -> Eval<()> {
        value.known()?;
        self.step()?;
        match value {
            Val::Null => out.push_str("None"),
            Val::Bool(true) => out.push_str("True"),
            Val::Bool(false) => out.push_str("False"),
            Val::Int(number) => out.push_str(&number.to_string()),
            Val::Float(number) => out.push_str(&float_text(*number)),
            Val::Text(text) => out.push_str(&quoted(text)),
            Val::Omit => out.push_str("<<Omit>>"),
            Val::List(_) | Val::Seq(_) => self.write_sequence(value, out)?,
            Val::Map(_) | Val::Dict(_) | Val::Keyed(_) | Val::Namespace(_) => {
                self.write_mapping(value, out)?;
            }
            Val::Pending(_) => {
                let value = self.force(value)?;
                self.write_repr(&value, out)?;
            }
            Val::Moment(moment) => out.push_str(&moment.repr()),
            other => {
                out.push('<');
                out.push_str(other.type_name());
                out.push('>');
            }
        }
        Ok(())
    }

    fn write_sequence(&self, value: &Val, out: &mut String) -> Eval<()> {
        let is_tuple = matches!(value, Val::Seq(seq) if seq.kind != SeqKind::List);
        let items = self.iterate(value)?;
        out.push(if is_tuple { '(' } else { '[' });
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.write_repr(item, out)?;
        }
        if is_tuple && items.len() == 1 {
            out.push(',');
        }
        out.push(if is_tuple { ')' } else { ']' });
        Ok(())
    }

    fn write_mapping(&self, value: &Val, out: &mut String) -> Eval<()> {
        out.push('{');
        for (index, (key, item)) in self.entries(value)?.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.write_repr(&Val::from_key(key), out)?;
            out.push_str(": ");
            self.write_repr(item, out)?;
        }
        out.push('}');
        Ok(())
    }
}

/// A number with a fraction as Python writes it.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let text = number.to_string();
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

/// Text in quotes as Python shows it.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                out.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
