//! Methods that can be called on values.

use crate::eval::{Arguments, Env};
use crate::values::{Eval, Fault, Val};

use super::{dict_methods, list_methods, text_methods};

const TEXT: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];
const LIST: &[&str] = &[
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
];
const TUPLE: &[&str] = &["count", "index"];
pub(crate) const DICT: &[&str] = &[
    "clear",
    "copy",
    "fromkeys",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];
const MOMENT: &[&str] = &[
    "date",
    "isoformat",
    "strftime",
    "time",
    "timestamp",
    "weekday",
    "isoweekday",
];
const CHANGING: &[&str] = &[
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Whether a method of this name changes what it is called on.
pub(crate) fn changes(name: &str) -> bool {
    CHANGING.contains(&name)
}

/// Whether a value has a method.
pub(crate) fn exists(value: &Val, name: &str) -> bool {
    match value {
        Val::Text(_) => TEXT.contains(&name),
        Val::Map(_) | Val::Dict(_) | Val::Keyed(_) => DICT.contains(&name),
        Val::Moment(_) => MOMENT.contains(&name),
        Val::Interval(_) => name == "total_seconds",
        Val::Cycler(_) => matches!(name, "next" | "reset"),
        Val::Int(_) => name == "bit_length",
        Val::Float(_) => name == "is_integer",
        Val::List(_) | Val::Seq(_) => {
            if value.type_name() == "list" {
                LIST.contains(&name)
            } else {
                TUPLE.contains(&name)
            }
        }
        _ => false,
    }
}

/// Calls a method.
pub(crate) fn call(env: &Env, subject: &Val, name: &str, arguments: Arguments) -> Eval {
    match subject {
        Val::Text(text) => text_methods::call(env, text, name, arguments),
        Val::Map(_) | Val::Dict(_) | Val::Keyed(_) => {
            dict_methods::call(env, subject, name, arguments)
        }
        Val::List(_) | Val::Seq(_) => list_methods::call(env, subject, name, arguments),
        Val::Moment(moment) => moment.method(env, name, &arguments),
        #[expect(clippy::cast_precision_loss, reason = "Python's own result is a float")]
        Val::Interval(micros) => Ok(Val::Float(*micros as f64 / 1e6)),
        Val::Cycler(cycler) => {
            let at = cycler.at.get();
            if name == "reset" || cycler.items.is_empty() {
                cycler.at.set(0);
                return Ok(Val::Null);
            }
            cycler.at.set((at + 1) % cycler.items.len());
            Ok(cycler.items.get(at).cloned().unwrap_or(Val::Null))
        }
        Val::Int(number) => Ok(Val::Int(i64::from(
            64 - number.unsigned_abs().leading_zeros(),
        ))),
        Val::Float(number) => Ok(Val::Bool(number.fract() == 0.0)),
        other => Err(Fault::operation(format!(
            "object of type '{}' has no method '{name}'",
            other.type_name()
        ))),
    }
}
