//! The functions of JMESPath, with the words of its errors.

use std::cmp::Ordering;

use indexmap::IndexMap;
use jmespath::ast::Ast;

use super::{Query, is_number};
use crate::python::json::{self, Layout};
use crate::values::{Eval, Val};

/// What a function takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Any,
    Number,
    Text,
    Array,
    Object,
    Texts,
    Numbers,
    Expression,
}

impl Takes {
    /// Its name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Number => "number",
            Self::Text => "string",
            Self::Array => "array",
            Self::Object => "object",
            Self::Texts => "array-string",
            Self::Numbers => "array-number",
            Self::Expression => "expref",
        }
    }
}

/// An argument: a value, or an expression that the function carries out itself.
enum Given<'a> {
    Value(Val),
    Expression(&'a Ast),
}

impl Given<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Given::Expression(_) => "expref",
            Given::Value(value) => kind(value),
        }
    }
}

/// Name of a value's type.
fn kind(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "boolean",
        Val::Text(_) => "string",
        value if is_number(value) => "number",
        value if value.is_sequence() => "array",
        value if value.is_mapping() => "object",
        _ => "string",
    }
}

/// What each argument of a function may be, and whether the last may come again; None for a name
/// that is no function's.
fn signature(name: &str) -> Option<(&'static [&'static [Takes]], bool)> {
    use Takes::{Any, Array, Expression, Number, Numbers, Object, Text, Texts};
    Some(match name {
        "abs" | "ceil" | "floor" => (&[&[Number]], false),
        "avg" | "sum" => (&[&[Numbers]], false),
        "contains" => (&[&[Array, Text], &[Any]], false),
        "ends_with" | "starts_with" => (&[&[Text], &[Text]], false),
        "join" => (&[&[Text], &[Texts]], false),
        "keys" | "values" => (&[&[Object]], false),
        "length" => (&[&[Text, Array, Object]], false),
        "map" => (&[&[Expression], &[Array]], false),
        "max" | "min" | "sort" => (&[&[Numbers, Texts]], false),
        "max_by" | "min_by" | "sort_by" => (&[&[Array], &[Expression]], false),
        "merge" => (&[&[Object]], true),
        "not_null" => (&[&[Any]], true),
        "reverse" => (&[&[Array, Text]], false),
        "to_array" | "to_number" | "to_string" | "type" => (&[&[Any]], false),
        _ => return None,
    })
}

impl Query<'_, '_> {
    /// Carries out a function.
    pub(super) fn function(&self, name: &str, arguments: &[Ast], data: &Val) -> Eval {
        let (wanted, repeats) =
            signature(name).ok_or_else(|| self.wrong(format!("Unknown function: {name}()")))?;
        let count = arguments.len();
        if count < wanted.len() || count > wanted.len() && !repeats {
            return Err(self.wrong(format!(
                "Expected {} argument{} for function {name}(), received {count}",
                wanted.len(),
                if wanted.len() == 1 { "" } else { "s" },
            )));
        }
        let (mut values, mut expression) = (Vec::new(), None);
        for (at, argument) in arguments.iter().enumerate() {
            let given = match argument {
                Ast::Expref { ast, .. } => Given::Expression(ast),
                other => Given::Value(self.look(other, data)?),
            };
            if let Some(may_be) = wanted.get(at).or(wanted.last()) {
                self.refuse_other(name, may_be, &given)?;
            }
            match given {
                Given::Value(value) => values.push(value),
                Given::Expression(ast) => expression = Some(ast),
            }
        }
        match (values.as_slice(), expression) {
            ([list], Some(each)) => self.by_expression(name, list, each),
            ([first, rest @ ..], None) => self.by_values(name, first, rest),
            _ => Err(self.wrong(format!("Unknown function: {name}()"))),
        }
    }

    fn refuse_other(&self, name: &str, may_be: &[Takes], given: &Given<'_>) -> Eval<()> {
        for takes in may_be {
            let fits = match (takes, given) {
                (Takes::Expression, Given::Expression(_)) | (Takes::Any, Given::Value(_)) => true,
                (Takes::Texts | Takes::Numbers, Given::Value(list)) if list.is_sequence() => {
                    let texts = *takes == Takes::Texts;
                    let fits = |item: &Val| {
                        if texts {
                            item.as_str().is_some()
                        } else {
                            is_number(item)
                        }
                    };
                    self.items(list)?.iter().all(fits)
                }
                _ => takes.name() == given.kind(),
            };
            if fits {
                return Ok(());
            }
        }
        let names: Vec<String> = may_be
            .iter()
            .map(|takes| format!("'{}'", takes.name()))
            .collect();
        let shown = match given {
            Given::Value(value) => self.written(value)?,
            Given::Expression(_) => "an expression".to_owned(),
        };
        Err(self.wrong(format!(
            "In function {name}(), invalid type for value: {shown}, expected one of: [{}], received: \"{}\"",
            names.join(", "),
            given.kind()
        )))
    }

    fn by_expression(&self, name: &str, list: &Val, each: &Ast) -> Eval {
        let items = self.items(list)?;
        let mut found = Vec::new();
        for item in &items {
            found.push(self.look(each, item)?);
        }
        if name == "map" {
            return Ok(Val::list(found));
        }
        let texts = found.iter().all(|key| key.as_str().is_some());
        if !texts && !found.iter().all(is_number) {
            let odd = found
                .iter()
                .find(|key| !is_number(key))
                .unwrap_or(&Val::Null);
            return Err(self.wrong(format!(
                "In function {name}(), invalid type for value: {}, expected one of: ['string', 'number'], received: \"{}\"",
                self.written(odd)?,
                kind(odd)
            )));
        }
        let pairs: Vec<(Val, Val)> = found.into_iter().zip(items).collect();
        match name {
            "sort_by" => {
                let sorted = self.sorted(pairs)?;
                Ok(Val::list(
                    sorted.into_iter().map(|(_, item)| item).collect(),
                ))
            }
            _ => self.extreme(pairs, name == "max_by"),
        }
    }

    /// Pairs in the order of their first halves; equal ones stay as they are.
    fn sorted(&self, mut pairs: Vec<(Val, Val)>) -> Eval<Vec<(Val, Val)>> {
        let mut fault = None;
        pairs.sort_by(|(a, _), (b, _)| match self.session().order(a, b) {
            Ok(order) => order,
            Err(why) => {
                fault.get_or_insert(why);
                Ordering::Equal
            }
        });
        fault.map_or(Ok(pairs), Err)
    }

    /// The second half of the first pair that has the greatest or least first half.
    fn extreme(&self, pairs: Vec<(Val, Val)>, greatest: bool) -> Eval {
        let wanted = if greatest {
            Ordering::Greater
        } else {
            Ordering::Less
        };
        let mut best: Option<(Val, Val)> = None;
        for pair in pairs {
            let is_better = match &best {
                Some((key, _)) => self.session().order(&pair.0, key)? == wanted,
                None => true,
            };
            if is_better {
                best = Some(pair);
            }
        }
        Ok(best.map_or(Val::Null, |(_, item)| item))
    }

    fn by_values(&self, name: &str, first: &Val, rest: &[Val]) -> Eval {
        let second = rest.first().unwrap_or(&Val::Null);
        let text = |value: &Val| value.as_str().unwrap_or_default().to_owned();
        let paired = || -> Eval<Vec<(Val, Val)>> {
            let items = self.items(first)?;
            Ok(items.into_iter().map(|item| (item.clone(), item)).collect())
        };
        match name {
            "abs" | "ceil" | "floor" => Ok(rounded(name, first)),
            "sum" => self.sum(first),
            "avg" => self.average(first),
            "contains" => self.contains(first, second),
            "ends_with" => Ok(Val::Bool(text(first).ends_with(&text(second)))),
            "starts_with" => Ok(Val::Bool(text(first).starts_with(&text(second)))),
            "join" => {
                let parts: Vec<String> = self.items(second)?.iter().map(text).collect();
                Ok(Val::from(parts.join(&text(first))))
            }
            "keys" => Ok(Val::list(self.session().iterate(first)?)),
            "values" => self.values(first),
            "length" => Ok(Val::from(self.session().length(first)?.unwrap_or_default())),
            "max" => self.extreme(paired()?, true),
            "min" => self.extreme(paired()?, false),
            "sort" => {
                let sorted = self.sorted(paired()?)?;
                Ok(Val::list(
                    sorted.into_iter().map(|(_, item)| item).collect(),
                ))
            }
            "merge" => {
                let mut entries = IndexMap::new();
                for mapping in std::iter::once(first).chain(rest) {
                    entries.extend(self.session().entries(mapping)?);
                }
                Ok(Val::dict(entries))
            }
            "not_null" => {
                let mut all = std::iter::once(first).chain(rest);
                let found = all.find(|value| !matches!(value, Val::Null));
                Ok(found.cloned().unwrap_or(Val::Null))
            }
            "reverse" => match first {
                Val::Text(text) => Ok(Val::from(text.chars().rev().collect::<String>())),
                list => Ok(Val::list(self.items(list)?.into_iter().rev().collect())),
            },
            "to_array" if first.is_sequence() => Ok(first.clone()),
            "to_array" => Ok(Val::list(vec![first.clone()])),
            "to_string" if first.as_str().is_some() => Ok(first.clone()),
            "to_string" => Ok(Val::from(self.written(first)?)),
            "to_number" => Ok(number(first)),
            "type" => Ok(Val::from(kind(first))),
            other => Err(self.wrong(format!("Unknown function: {other}()"))),
        }
    }

    fn contains(&self, whole: &Val, part: &Val) -> Eval {
        if let Val::Text(text) = whole {
            return Ok(Val::Bool(
                part.as_str().is_some_and(|part| text.contains(part)),
            ));
        }
        for item in self.items(whole)? {
            if self.session().equal(&item, part)? {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }

    /// The sum, whole as long as all are and it fits.
    fn sum(&self, list: &Val) -> Eval {
        let items = self.items(list)?;
        let whole = items
            .iter()
            .try_fold(0_i64, |sum, item| sum.checked_add(item.as_int()?));
        Ok(whole.map_or_else(
            || Val::Float(items.iter().filter_map(Val::as_number).sum()),
            Val::Int,
        ))
    }

    fn average(&self, list: &Val) -> Eval {
        let numbers: Vec<f64> = self
            .items(list)?
            .iter()
            .filter_map(Val::as_number)
            .collect();
        if numbers.is_empty() {
            return Ok(Val::Null);
        }
        #[expect(clippy::cast_precision_loss, reason = "no list is that long")]
        let count = numbers.len() as f64;
        Ok(Val::Float(numbers.iter().sum::<f64>() / count))
    }

    /// A value as JSON without blanks.
    fn written(&self, value: &Val) -> Eval<String> {
        let layout = Layout {
            indent: None,
            sort_keys: false,
            ascii: true,
            item_separator: ",".to_owned(),
            key_separator: ":".to_owned(),
        };
        json::write(self.session(), value, &layout)
    }
}

fn rounded(name: &str, value: &Val) -> Val {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
    match (name, value) {
        ("abs", Val::Int(number)) => Val::Int(number.saturating_abs()),
        ("abs", Val::Float(number)) => Val::Float(number.abs()),
        ("ceil", Val::Float(number)) => Val::Int(number.ceil() as i64),
        (_, Val::Float(number)) => Val::Int(number.floor() as i64),
        (_, other) => other.clone(),
    }
}

/// A text as a number, if it is one.
fn number(value: &Val) -> Val {
    match value {
        Val::Text(text) => {
            let text = text.trim();
            let whole = text.parse().ok().map(Val::Int);
            whole
                .or_else(|| text.parse().ok().map(Val::Float))
                .unwrap_or(Val::Null)
        }
        value if is_number(value) => value.clone(),
        _ => Val::Null,
    }
}
