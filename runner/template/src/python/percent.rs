//! `'%05d %s' % (1, x)`.

use sasrun_model::Key;

use super::spec::{Spec, digits};
use crate::eval::Session;
use crate::values::{Eval, Fault, SeqKind, Val};

/// Formats as Python's `%` does.
pub(crate) fn format(session: &Session, format: &str, arguments: &Val) -> Eval<String> {
    let is_tuple = matches!(arguments, Val::Seq(seq) if seq.kind != SeqKind::List);
    let values = if is_tuple {
        session.iterate(arguments)?
    } else {
        vec![arguments.clone()]
    };
    let chars: Vec<char> = format.chars().collect();
    let mut out = String::with_capacity(format.len());
    let mut next = 0;
    let mut used_names = false;
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.get(at) == Some(&'%') {
            out.push('%');
            at += 1;
            continue;
        }
        let mut take = || {
            let value = values.get(next).cloned();
            next += 1;
            value.ok_or_else(|| Fault::operation("not enough arguments for format string"))
        };
        let name = name(&chars, &mut at);
        let spec = spec(&chars, &mut at, &mut take)?;
        let value = match name {
            Some(name) => {
                used_names = true;
                let found = if arguments.is_mapping() {
                    session.entry(arguments, &Key::from(&*name))?
                } else {
                    return Err(Fault::operation("format requires a mapping"));
                };
                found.ok_or_else(|| Fault::operation(format!("format needs a key '{name}'")))?
            }
            None => take()?,
        };
        if spec.kind == Some('r') || spec.kind == Some('a') {
            let text = Val::from(session.repr_of(&value)?);
            let spec = Spec {
                kind: Some('s'),
                ..spec
            };
            out.push_str(&spec.write(session, &text)?);
        } else {
            out.push_str(&spec.write(session, &value)?);
        }
    }
    if !used_names
        && next < values.len()
        && !(arguments.is_mapping() || (!is_tuple && arguments.is_sequence()))
    {
        return Err(Fault::operation(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(out)
}

/// The name in `%(name)s`.
fn name(chars: &[char], at: &mut usize) -> Option<String> {
    if chars.get(*at) != Some(&'(') {
        return None;
    }
    let rest = chars.get(*at + 1..)?;
    let length = rest.iter().position(|c| *c == ')')?;
    *at += length + 2;
    Some(rest.iter().take(length).collect())
}

/// Flags, width, precision and kind.
fn spec(chars: &[char], at: &mut usize, take: &mut dyn FnMut() -> Eval) -> Eval<Spec> {
    let mut spec = Spec {
        align: None,
        ..Spec::default()
    };
    let mut left = false;
    while let Some(flag @ ('-' | '+' | ' ' | '#' | '0')) = chars.get(*at).copied() {
        *at += 1;
        match flag {
            '-' => left = true,
            '#' => spec.alternate = true,
            '0' => spec.zero = true,
            sign => spec.sign = Some(sign),
        }
    }
    spec.width = star_or_digits(chars, at, take)?;
    if chars.get(*at) == Some(&'.') {
        *at += 1;
        spec.precision = Some(star_or_digits(chars, at, take)?.unwrap_or(0));
    }
    let kind = chars
        .get(*at)
        .copied()
        .ok_or_else(|| Fault::operation("incomplete format"))?;
    *at += 1;
    spec.kind = Some(kind);
    if left {
        spec.align = Some('<');
    } else if matches!(kind, 's' | 'r' | 'c' | 'a') {
        spec.align = Some('>');
    }
    Ok(spec)
}

fn star_or_digits(
    chars: &[char],
    at: &mut usize,
    take: &mut dyn FnMut() -> Eval,
) -> Eval<Option<usize>> {
    if chars.get(*at) == Some(&'*') {
        *at += 1;
        let value = take()?;
        return Ok(value.as_int().and_then(|value| usize::try_from(value).ok()));
    }
    let (number, end) = digits(chars, *at);
    *at = end;
    Ok(number.map(|number| number.min(1 << 20)))
}
