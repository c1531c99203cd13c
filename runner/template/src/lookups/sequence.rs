//! The lookup `sequence`: `start=1 end=5 stride=2 format=host%02x`, or the short `1-5/2:host%02d`.

use super::{Lookup, LookupCall, lookup};
use crate::error::Problem;
use crate::python::percent;
use crate::values::{Eval, Fault, Val};

pub(super) const LOOKUPS: &[Lookup] = &[lookup("sequence", sequence)];

/// Numbers one term may make.
const MAX_COUNT: i64 = 1_000_000;

struct Shape {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

fn sequence(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut terms = call.term_texts()?;
    if terms.is_empty() {
        terms.push(String::new());
    }
    let mut numbers = Vec::new();
    for term in terms {
        let mut shape = Shape {
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".to_owned(),
        };
        if !read_short(&term, &mut shape) {
            for word in term.split_whitespace() {
                let (key, value) = word
                    .split_once('=')
                    .ok_or_else(|| call.fail(format!("cannot read '{term}'")))?;
                set(call, &mut shape, key, value)?;
            }
        }
        for (key, value) in &call.options {
            set(call, &mut shape, key, &call.session().text_of(value)?)?;
        }
        write(call, &shape, &mut numbers)?;
    }
    Ok(numbers)
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => {
            i64::from_str_radix(text.trim_start_matches("0o"), 8).ok()
        }
        None => text.parse().ok(),
    }
}

/// Reads `[start-]end[/stride][:format]`; false if it is something else.
fn read_short(term: &str, shape: &mut Shape) -> bool {
    let (range, format) = match term.split_once(':') {
        Some((range, format)) => (range, Some(format)),
        None => (term, None),
    };
    let (range, stride) = match range.split_once('/') {
        Some((range, stride)) => (range, number(stride)),
        None => (range, Some(1)),
    };
    let (start, end) = match range.get(1..).and_then(|rest| rest.find('-')) {
        Some(at) => (number(&range[..=at]), number(&range[at + 2..])),
        None => (Some(1), number(range)),
    };
    let (Some(start), Some(end), Some(stride)) = (start, end, stride) else {
        return false;
    };
    shape.start = start;
    shape.end = Some(end);
    shape.stride = stride;
    if let Some(format) = format {
        shape.format = format.to_owned();
    }
    true
}

fn set(call: &LookupCall<'_>, shape: &mut Shape, key: &str, value: &str) -> Eval<()> {
    if key == "format" {
        shape.format = value.to_owned();
        return Ok(());
    }
    let value =
        number(value).ok_or_else(|| call.fail(format!("can't parse {key}={value} as integer")))?;
    match key {
        "start" => shape.start = value,
        "end" => shape.end = Some(value),
        "count" => shape.count = Some(value),
        "stride" => shape.stride = value,
        other => return Err(call.fail(format!("unrecognized argument '{other}'"))),
    }
    Ok(())
}

fn write(call: &LookupCall<'_>, shape: &Shape, numbers: &mut Vec<Val>) -> Eval<()> {
    let end = match (shape.end, shape.count) {
        (Some(_), Some(_)) => {
            return Err(call.fail("can't specify both count and end in with_sequence"));
        }
        (None, None) => return Err(call.fail("must specify count or end in with_sequence")),
        (Some(end), None) => end,
        (None, Some(0)) => return Ok(()),
        (None, Some(count)) => shape
            .stride
            .saturating_mul(count.saturating_sub(1))
            .saturating_add(shape.start),
    };
    if shape.stride == 0 {
        return Ok(());
    }
    if (shape.stride > 0 && end < shape.start) || (shape.stride < 0 && end > shape.start) {
        return Err(
            call.fail("to count backwards make stride negative, to count forward make it positive")
        );
    }
    let count = end.abs_diff(shape.start) / shape.stride.unsigned_abs() + 1;
    if i64::try_from(count).unwrap_or(i64::MAX) > MAX_COUNT {
        return Err(Fault::problem(Problem::TooMuch));
    }
    let mut at = shape.start;
    for _ in 0..count {
        let text = percent::format(call.session(), &shape.format, &Val::Int(at))?;
        numbers.push(Val::from(text));
        at = at.saturating_add(shape.stride);
    }
    Ok(())
}
