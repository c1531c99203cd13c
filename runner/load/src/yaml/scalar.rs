//! What a plain scalar means in YAML 1.1, as PyYAML reads it.

use sasrun_model::{NodeKind, Text};

/// The value of a plain scalar. Dates stay text, and so do whole numbers too large for 64 bits.
pub(super) fn resolve(text: &str) -> NodeKind {
    let Some(first) = text.bytes().next() else {
        return NodeKind::Null;
    };
    let special = match first {
        b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'-' | b'+' | b'.' | b'0'..=b'9' => number(text),
        _ => None,
    };
    special.unwrap_or_else(|| NodeKind::Text(Text::written(text)))
}

/// The boolean that a word is, if it is one.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// The number that a text is, if it is one.
pub(super) fn number(text: &str) -> Option<NodeKind> {
    integer(text)
        .map(NodeKind::Int)
        .or_else(|| float(text).map(NodeKind::Float))
}

fn word(text: &str) -> Option<NodeKind> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(NodeKind::Null),
        _ => boolean(text).map(NodeKind::Bool),
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'_' || allowed(byte))
}

pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    let value = if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, 2, |byte| matches!(byte, b'0' | b'1'))?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        radix(hexadecimal, 16, |byte| byte.is_ascii_hexdigit())?
    } else if digits == "0" {
        0
    } else if let Some(octal) = digits.strip_prefix('0') {
        // `0_` is nought as well: the marks are taken out first.
        if all(octal, |byte| byte == b'_') && octal.bytes().all(|byte| byte == b'_') {
            0
        } else {
            radix(octal, 8, |byte| (b'0'..=b'7').contains(&byte))?
        }
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else {
        radix(digits, 10, |byte| byte.is_ascii_digit()).filter(|_| !digits.starts_with('_'))?
    };
    let value = if negative { -value } else { value };
    i64::try_from(value).ok()
}

fn radix(digits: &str, radix: u32, allowed: impl Fn(u8) -> bool) -> Option<i128> {
    if !all(digits, allowed) {
        return None;
    }
    i128::from_str_radix(&digits.replace('_', ""), radix).ok()
}

/// `1:30` is ninety.
fn sexagesimal(digits: &str) -> Option<i128> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if first.starts_with(['0', '_']) || !all(first, |byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value: i128 = first.replace('_', "").parse().ok()?;
    for part in parts {
        value = value
            .checked_mul(60)?
            .checked_add(i128::from(sixty(part)?))?;
    }
    Some(value)
}

/// One or two digits below sixty.
fn sixty(part: &str) -> Option<u8> {
    let is_digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits
        .then(|| part.parse().ok())
        .flatten()
        .filter(|value| *value < 60)
}

pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, digits) = split_sign(text);
    let sign = if negative { -1.0 } else { 1.0 };
    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if digits.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    if digits.contains(':') {
        return sexagesimal_float(digits).map(|value| sign * value);
    }
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    if let Some(exponent) = exponent {
        // The sign of the exponent is not optional in YAML 1.1.
        let unsigned = exponent.strip_prefix(['-', '+'])?;
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    let (whole, fraction) = mantissa.split_once('.')?;
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let is_right = if whole.is_empty() {
        // `.5` may not have a sign, nor begin with a mark.
        digits.len() == text.len() && !fraction.starts_with('_') && all(fraction, is_digit)
    } else {
        !whole.starts_with('_')
            && all(whole, is_digit)
            && (fraction.is_empty() || all(fraction, is_digit))
    };
    if !is_right {
        return None;
    }
    let plain = digits.replace('_', "");
    plain.parse::<f64>().ok().map(|value| sign * value)
}

fn sexagesimal_float(digits: &str) -> Option<f64> {
    let (whole, fraction) = digits.split_once('.')?;
    let is_digit = |byte: u8| byte.is_ascii_digit();
    if !fraction.is_empty() && !all(fraction, is_digit) {
        return None;
    }
    let mut parts = whole.split(':');
    let first = parts.next()?;
    if first.starts_with('_') || !all(first, is_digit) {
        return None;
    }
    let mut value: f64 = first.replace('_', "").parse().ok()?;
    for part in parts {
        value = value * 60.0 + f64::from(sixty(part)?);
    }
    let fraction = format!("0.{}", fraction.replace('_', ""));
    Some(value + fraction.parse::<f64>().unwrap_or(0.0))
}
