//! Filters on numbers, sizes and chance.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::{Filter, filter};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("abs", &[], absolute),
    filter("filesizeformat", &["binary"], file_size),
    filter("float", &["default"], float),
    filter("human_readable", &["isbits", "unit"], human_readable),
    filter(
        "human_to_bytes",
        &["default_unit", "isbits"],
        human_to_bytes,
    ),
    filter("int", &["default", "base"], int),
    filter("log", &["base"], logarithm),
    filter("pow", &["y"], |call| {
        let exponent = number(call, call.required(0)?)?;
        Ok(Val::Float(number(call, &call.subject)?.powf(exponent)))
    }),
    filter("random", &["start", "step", "seed"], random),
    filter("root", &["base"], root),
    filter("round", &["precision", "method"], round),
    filter("shuffle", &["seed"], shuffle),
];

fn number(call: &Call<'_>, value: &Val) -> Eval<f64> {
    value
        .as_number()
        .ok_or_else(|| call.fail("can only be used on numbers"))
}

fn absolute(call: &Call<'_>) -> Eval {
    match &call.subject {
        Val::Float(number) => Ok(Val::Float(number.abs())),
        Val::Interval(micros) => Ok(Val::Interval(micros.abs())),
        other => match other.as_int() {
            Some(number) => Ok(Val::Int(number.wrapping_abs())),
            None => Err(call.fail(format!("bad operand type: '{}'", other.type_name()))),
        },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounds towards zero as Python does"
)]
fn int(call: &Call<'_>) -> Eval {
    let base = call
        .int(1)?
        .and_then(|base| u32::try_from(base).ok())
        .filter(|base| (2..=36).contains(base))
        .unwrap_or(10);
    let parsed = match &call.subject {
        Val::Text(text) => parse_int(text, base).or_else(|| {
            parse_float(text)
                .filter(|number| number.is_finite())
                .map(|number| number as i64)
        }),
        Val::Float(number) if number.is_finite() => Some(*number as i64),
        other => other.as_int(),
    };
    Ok(parsed.map_or_else(|| call.arg(0).cloned().unwrap_or(Val::Int(0)), Val::Int))
}

fn parse_int(text: &str, base: u32) -> Option<i64> {
    let text = text.trim().replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let lower = digits.to_ascii_lowercase();
    let digits = match base {
        16 => lower.strip_prefix("0x").unwrap_or(&lower),
        8 => lower.strip_prefix("0o").unwrap_or(&lower),
        2 => lower.strip_prefix("0b").unwrap_or(&lower),
        _ => &lower,
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

fn parse_float(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok()
}

fn float(call: &Call<'_>) -> Eval {
    let parsed = match &call.subject {
        Val::Text(text) => parse_float(text),
        other => other.as_number(),
    };
    Ok(parsed.map_or_else(
        || call.arg(0).cloned().unwrap_or(Val::Float(0.0)),
        Val::Float,
    ))
}

fn round(call: &Call<'_>) -> Eval {
    let value = number(call, &call.subject)?;
    let precision = call.int(0)?.unwrap_or(0).clamp(-300, 300);
    let method = call.text_or(1, "common")?;
    let factor = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
    let rounded = match method.as_str() {
        "common" if (0..=15).contains(&precision) => {
            let digits = usize::try_from(precision).unwrap_or(0);
            format!("{value:.digits$}").parse().unwrap_or(value)
        }
        "common" => (value * factor).round_ties_even() / factor,
        "ceil" => (value * factor).ceil() / factor,
        "floor" => (value * factor).floor() / factor,
        _ => return Err(call.fail("method must be common, ceil or floor")),
    };
    // Python gives whole numbers back as they came.
    match &call.subject {
        Val::Int(number) if method == "common" && precision >= 0 => Ok(Val::Int(*number)),
        _ => Ok(Val::Float(rounded)),
    }
}

fn logarithm(call: &Call<'_>) -> Eval {
    let value = number(call, &call.subject)?;
    let base = match call.arg(0) {
        Some(base) => number(call, base)?,
        None => std::f64::consts::E,
    };
    if value <= 0.0 {
        return Err(call.fail("math domain error"));
    }
    Ok(Val::Float(if base == 10.0 {
        value.log10()
    } else if base == std::f64::consts::E {
        value.ln()
    } else {
        value.ln() / base.ln()
    }))
}

fn root(call: &Call<'_>) -> Eval {
    let value = number(call, &call.subject)?;
    let base = match call.arg(0) {
        Some(base) => number(call, base)?,
        None => 2.0,
    };
    if value < 0.0 {
        return Err(call.fail("math domain error"));
    }
    Ok(Val::Float(if base == 2.0 {
        value.sqrt()
    } else {
        value.powf(1.0 / base)
    }))
}

/// A generator for a seed of the template's, or from the world.
fn generator(call: &Call<'_>, seed: Option<&Val>) -> Eval<StdRng> {
    let Some(seed) = seed else {
        return Ok(StdRng::seed_from_u64(call.session().world().random()));
    };
    let digest = Sha256::digest(call.session().text_of(seed)?.as_bytes());
    Ok(StdRng::from_seed(digest.into()))
}

fn random(call: &Call<'_>) -> Eval {
    let mut chance = generator(call, call.some(2))?;
    if let Val::Int(end) = call.subject {
        let start = call.int(0)?.unwrap_or(0);
        let step = call.int(1)?.filter(|step| *step != 0).unwrap_or(1);
        let distance = end.saturating_sub(start);
        let count = if (distance > 0) == (step > 0) {
            distance.unsigned_abs().div_ceil(step.unsigned_abs())
        } else {
            0
        };
        if count == 0 {
            return Err(call.fail("empty range"));
        }
        let chosen = i64::try_from(chance.random_range(0..count)).unwrap_or(0);
        return Ok(Val::Int(start + step * chosen));
    }
    if call.some(0).is_some() || call.some(1).is_some() {
        return Err(call.fail("start and step can only be used with integer values"));
    }
    let items = call.subject_items()?;
    if items.is_empty() {
        return Ok(Val::undefined(
            "random",
            "no random item, sequence was empty",
        ));
    }
    let index = chance.random_range(0..items.len());
    Ok(items.get(index).cloned().unwrap_or(Val::Null))
}

fn shuffle(call: &Call<'_>) -> Eval {
    let mut items = call.subject_items()?;
    items.shuffle(&mut generator(call, call.some(0))?);
    Ok(Val::list(items))
}

const UNITS: &[(char, f64)] = &[
    ('Y', 1.208_925_819_614_629_2e24),
    ('Z', 1.180_591_620_717_411_3e21),
    ('E', 1_152_921_504_606_846_976.0),
    ('P', 1_125_899_906_842_624.0),
    ('T', 1_099_511_627_776.0),
    ('G', 1_073_741_824.0),
    ('M', 1_048_576.0),
    ('K', 1024.0),
    ('B', 1.0),
];

fn human_readable(call: &Call<'_>) -> Eval {
    let size = match &call.subject {
        Val::Text(text) => {
            parse_float(text).ok_or_else(|| call.fail("failed on bad input: it is no number"))?
        }
        other => number(call, other)?,
    };
    let is_bits = call.flag(0, false)?;
    let unit = call.text(1)?.map(|unit| unit.to_uppercase());
    let chosen = UNITS.iter().find(|(suffix, limit)| match &unit {
        Some(unit) => unit.starts_with(*suffix),
        None => size >= *limit,
    });
    let (suffix, limit) = chosen.copied().unwrap_or(('B', 1.0));
    let base = if is_bits { "bits" } else { "Bytes" };
    let (value, name) = if limit == 1.0 {
        (size, base.to_owned())
    } else {
        (
            size / limit,
            format!("{suffix}{}", if is_bits { "b" } else { "B" }),
        )
    };
    Ok(Val::from(format!("{value:.2} {name}")))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded before, saturates beyond 8 EB"
)]
fn human_to_bytes(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let value: f64 = digits
        .parse()
        .map_err(|_| call.fail(format!("can't interpret following string: {text}")))?;
    let unit = match (unit.trim(), call.text(0)?) {
        ("", Some(unit)) => unit,
        (unit, _) => unit.to_owned(),
    };
    let suffix = unit.chars().next().unwrap_or('B').to_ascii_uppercase();
    let limit = UNITS
        .iter()
        .find(|(name, _)| *name == suffix)
        .map(|(_, limit)| *limit)
        .ok_or_else(|| {
            call.fail(format!(
                "the suffix must be one of Y, Z, E, P, T, G, M, K, B, not {unit}"
            ))
        })?;
    let class = unit.chars().nth(1);
    let wrong = match (call.flag(1, false)?, class) {
        (true, Some('B')) | (false, Some('b')) => limit != 1.0,
        _ => false,
    };
    if wrong {
        return Err(call.fail(format!("'{unit}' is not a valid unit here")));
    }
    Ok(Val::Int((value * limit).round_ties_even() as i64))
}

fn file_size(call: &Call<'_>) -> Eval {
    let size = match &call.subject {
        Val::Text(text) => parse_float(text).ok_or_else(|| call.fail("needs a number"))?,
        other => number(call, other)?,
    };
    let binary = call.flag(0, false)?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok(Val::from("1 Byte"));
    }
    if size < base {
        return Ok(Val::from(format!("{size:.0} Bytes")));
    }
    let mut value = size / base;
    let mut suffixes = "kMGTPEZY".chars();
    let mut suffix = suffixes.next().unwrap_or('k');
    while value >= base {
        let Some(next) = suffixes.next() else { break };
        value /= base;
        suffix = next;
    }
    let name = if binary {
        format!("{}iB", suffix.to_ascii_uppercase())
    } else {
        format!("{suffix}B")
    };
    Ok(Val::from(format!("{value:.1} {name}")))
}
