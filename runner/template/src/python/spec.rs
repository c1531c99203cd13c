//! Width, precision and kind of a formatted value: the part that `%` and `format` share.

use crate::eval::Session;
use crate::values::{Eval, Fault, Val};

/// Wider fields are refused.
const MAX_WIDTH: usize = 1 << 20;

/// How a value is to be written.
#[derive(Debug, Default, Clone)]
pub(super) struct Spec {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    pub(super) sign: Option<char>,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: Option<usize>,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

impl Spec {
    /// Reads `[[fill]align][sign][#][0][width][,][.precision][kind]`.
    pub(super) fn parse(text: &str) -> Eval<Self> {
        let mut spec = Self::default();
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
        if is_align(chars.get(1)) {
            spec.fill = chars.first().copied();
            spec.align = chars.get(1).copied();
            at = 2;
        } else if is_align(chars.first()) {
            spec.align = chars.first().copied();
            at = 1;
        }
        if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at).copied() {
            spec.sign = Some(sign);
            at += 1;
        }
        if chars.get(at) == Some(&'#') {
            spec.alternate = true;
            at += 1;
        }
        if chars.get(at) == Some(&'0') {
            spec.zero = true;
            at += 1;
        }
        (spec.width, at) = digits(&chars, at);
        if let Some(grouping @ (',' | '_')) = chars.get(at).copied() {
            spec.grouping = Some(grouping);
            at += 1;
        }
        if chars.get(at) == Some(&'.') {
            (spec.precision, at) = digits(&chars, at + 1);
        }
        if let Some(kind) = chars.get(at) {
            spec.kind = Some(*kind);
            at += 1;
        }
        if at < chars.len() || spec.width.is_some_and(|width| width > MAX_WIDTH) {
            return Err(Fault::operation(format!(
                "invalid format specifier '{text}'"
            )));
        }
        Ok(spec)
    }

    /// Writes a value.
    pub(super) fn write(&self, session: &Session, value: &Val) -> Eval<String> {
        value.known()?;
        let kind = self.kind;
        match kind {
            Some('d' | 'i' | 'u' | 'x' | 'X' | 'o' | 'b' | 'c' | 'n') => {
                self.whole(value, kind.unwrap_or('d'))
            }
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
                self.fraction(value, kind.unwrap_or('f'))
            }
            None if matches!(value, Val::Int(_)) => self.whole(value, 'd'),
            None if matches!(value, Val::Float(_))
                && (self.precision.is_some() || self.grouping.is_some()) =>
            {
                self.fraction(value, 'g')
            }
            None if matches!(value, Val::Float(_)) => {
                let text = session.text_of(value)?;
                Ok(self.number(&text))
            }
            None | Some('s') => {
                let mut text = session.text_of(value)?;
                if let Some(precision) = self.precision {
                    text = text.chars().take(precision).collect();
                }
                Ok(self.pad(&text, '<'))
            }
            Some(other) => Err(Fault::operation(format!("unknown format code '{other}'"))),
        }
    }

    fn whole(&self, value: &Val, kind: char) -> Eval<String> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`%d` truncates in Python too"
        )]
        let number = match value {
            Val::Float(number) => *number as i64,
            other => other.as_int().ok_or_else(|| {
                Fault::operation(format!(
                    "%{kind} format: a real number is required, not {}",
                    other.type_name()
                ))
            })?,
        };
        if kind == 'c' {
            let c = u32::try_from(number).ok().and_then(char::from_u32);
            return Ok(self.pad(&c.unwrap_or('\u{fffd}').to_string(), '<'));
        }
        let magnitude = number.unsigned_abs();
        let (prefix, digits) = match kind {
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            'o' => ("0o", format!("{magnitude:o}")),
            'b' => ("0b", format!("{magnitude:b}")),
            _ => ("", magnitude.to_string()),
        };
        let digits = match self.grouping {
            Some(separator) => grouped(&digits, separator),
            None => digits,
        };
        let sign = if number < 0 { "-" } else { "" };
        let prefix = if self.alternate { prefix } else { "" };
        Ok(self.number(&format!("{sign}{prefix}{digits}")))
    }

    fn fraction(&self, value: &Val, kind: char) -> Eval<String> {
        let mut number = value.as_number().ok_or_else(|| {
            Fault::operation(format!("must be real number, not {}", value.type_name()))
        })?;
        let precision = self.precision.unwrap_or(6);
        let text = match kind {
            '%' => {
                number *= 100.0;
                format!("{number:.precision$}%")
            }
            'f' | 'F' => format!("{number:.precision$}"),
            'e' | 'E' => exponent(number, precision),
            _ => general(number, precision.max(1)),
        };
        let text = if kind.is_ascii_uppercase() {
            text.to_uppercase()
        } else {
            text
        };
        let text = match self.grouping {
            Some(separator) => {
                let (sign, rest) = text
                    .strip_prefix('-')
                    .map_or(("", &*text), |rest| ("-", rest));
                let (whole, fraction) = match rest.find(['.', 'e']) {
                    Some(at) => rest.split_at(at),
                    None => (rest, ""),
                };
                format!("{sign}{}{fraction}", grouped(whole, separator))
            }
            None => text,
        };
        Ok(self.number(&text))
    }

    /// Adds sign and padding to a written number.
    fn number(&self, text: &str) -> String {
        let text = match (self.sign, text.starts_with('-')) {
            (Some(sign @ ('+' | ' ')), false) => format!("{sign}{text}"),
            _ => text.to_owned(),
        };
        if self.zero && self.align.is_none() {
            let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
            let cut = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            let (sign, digits) = text.split_at(cut);
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        self.pad(&text, '>')
    }

    fn pad(&self, text: &str, default: char) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = |count: usize| self.fill.unwrap_or(' ').to_string().repeat(count);
        match self.align.unwrap_or(default) {
            '<' => format!("{text}{}", fill(missing)),
            '^' => format!("{}{text}{}", fill(missing / 2), fill(missing - missing / 2)),
            _ => format!("{}{text}", fill(missing)),
        }
    }
}

/// A number written with digits, and where it ends.
pub(super) fn digits(chars: &[char], mut at: usize) -> (Option<usize>, usize) {
    let start = at;
    while chars.get(at).is_some_and(char::is_ascii_digit) {
        at += 1;
    }
    let text: String = chars.get(start..at).unwrap_or_default().iter().collect();
    (text.parse().ok(), at)
}

fn grouped(digits: &str, separator: char) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, c) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}

fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// C's `%g`.
fn general(number: f64, precision: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return crate::values::float_text(number)
            .trim_end_matches(".0")
            .to_owned();
    }
    let text = exponent(number, precision - 1);
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let trim = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let limit = i32::try_from(precision).unwrap_or(i32::MAX);
    if power < -4 || power >= limit {
        let sign = if power < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), power.abs());
    }
    let decimals = usize::try_from(limit - 1 - power).unwrap_or(0);
    trim(&format!("{number:.decimals$}"))
}
