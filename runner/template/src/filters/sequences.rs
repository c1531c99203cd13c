//! Filters on lists: picking, ordering, joining, slicing.

use std::cmp::Ordering;

use super::{Filter, attribute_path, filter};
use crate::error::Problem;
use crate::eval::Call;
use crate::values::{Eval, Fault, Val, order_values};

pub(super) const FILTERS: &[Filter] = &[
    filter("batch", &["linecount", "fill_with"], batch),
    filter("combinations", &["r"], combinations),
    filter("count", &[], length),
    filter("first", &[], first),
    filter("flatten", &["levels", "skip_nulls"], flatten),
    filter("join", &["d", "attribute"], join),
    filter("last", &[], last),
    filter("length", &[], length),
    filter("list", &[], |call| Ok(Val::list(call.subject_items()?))),
    filter("max", &["case_sensitive", "attribute"], |call| {
        extreme(call, Ordering::Greater)
    }),
    filter("min", &["case_sensitive", "attribute"], |call| {
        extreme(call, Ordering::Less)
    }),
    filter("permutations", &["r"], permutations),
    filter("product", &["*", "**"], product),
    filter("reverse", &[], reverse),
    filter("slice", &["slices", "fill_with"], slice),
    filter("sort", &["reverse", "case_sensitive", "attribute"], sort),
    filter("sum", &["attribute", "start"], sum),
    filter("zip", &["*"], zip),
    filter("zip_longest", &["*", "**"], zip_longest),
];

/// Combinatorial filters make at most this many items.
const MAX_COMBINATIONS: usize = 1 << 20;

fn length(call: &Call<'_>) -> Eval {
    match call.session().length(&call.subject)? {
        Some(length) => Ok(Val::from(length)),
        None => Err(call.fail(format!(
            "object of type '{}' has no len()",
            call.subject.type_name()
        ))),
    }
}

fn first(call: &Call<'_>) -> Eval {
    if call.subject.is_sequence() {
        return Ok(call.session().at(&call.subject, 0)?.unwrap_or_else(empty));
    }
    Ok(call
        .subject_items()?
        .into_iter()
        .next()
        .unwrap_or_else(empty))
}

fn last(call: &Call<'_>) -> Eval {
    if call.subject.is_sequence() {
        return Ok(call.session().at(&call.subject, -1)?.unwrap_or_else(empty));
    }
    Ok(call
        .subject_items()?
        .into_iter()
        .next_back()
        .unwrap_or_else(empty))
}

fn empty() -> Val {
    Val::undefined("item", "no item, the sequence was empty")
}

fn reverse(call: &Call<'_>) -> Eval {
    if let Val::Text(text) = &call.subject {
        return Ok(Val::from(text.chars().rev().collect::<String>()));
    }
    let mut items = call.subject_items()?;
    items.reverse();
    Ok(Val::list(items))
}

fn join(call: &Call<'_>) -> Eval {
    let session = call.session();
    let separator = call.text_or(0, "")?;
    let mut out = String::new();
    for (index, item) in call.subject_items()?.iter().enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        match call.some(1) {
            Some(attribute) => {
                let value = attribute_path(call, item, attribute)?;
                value.known()?;
                session.write_text(&value, &mut out)?;
            }
            None => {
                item.known()?;
                session.write_text(item, &mut out)?;
            }
        }
    }
    Ok(Val::from(out))
}

/// What items are ordered by: text without case unless it counts.
pub(super) fn sort_key(
    call: &Call<'_>,
    item: &Val,
    attribute: Option<&Val>,
    case_sensitive: bool,
) -> Eval {
    let value = match attribute {
        Some(attribute) => attribute_path(call, item, attribute)?,
        None => item.clone(),
    };
    value.known()?;
    Ok(match &value {
        Val::Text(text) if !case_sensitive => Val::from(text.to_lowercase()),
        _ => value,
    })
}

fn sort(call: &Call<'_>) -> Eval {
    let session = call.session();
    let case_sensitive = call.flag(1, false)?;
    let attributes: Vec<Option<Val>> = match call.some(2) {
        Some(Val::Text(names)) => names.split(',').map(|name| Some(Val::from(name))).collect(),
        Some(other) => vec![Some(other.clone())],
        None => vec![None],
    };
    let mut keyed = Vec::new();
    for item in call.subject_items()? {
        let keys = attributes
            .iter()
            .map(|attribute| sort_key(call, &item, attribute.as_ref(), case_sensitive))
            .collect::<Eval<Vec<_>>>()?;
        keyed.push((keys, item));
    }
    let reverse = call.flag(0, false)?;
    order_values(&mut keyed, |a, b| {
        for (a, b) in a.0.iter().zip(&b.0) {
            let order = session.order(a, b)?;
            if order != Ordering::Equal {
                return Ok(if reverse { order.reverse() } else { order });
            }
        }
        Ok(Ordering::Equal)
    })?;
    Ok(Val::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Eval {
    let session = call.session();
    let case_sensitive = call.flag(0, false)?;
    let mut best: Option<(Val, Val)> = None;
    for item in call.subject_items()? {
        let key = sort_key(call, &item, call.some(1), case_sensitive)?;
        let better = match &best {
            Some((so_far, _)) => session.order(&key, so_far)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(empty, |(_, item)| item))
}

fn sum(call: &Call<'_>) -> Eval {
    let mut total = call.arg(1).cloned().unwrap_or(Val::Int(0));
    for item in call.subject_items()? {
        let value = match call.some(0) {
            Some(attribute) => attribute_path(call, &item, attribute)?,
            None => item,
        };
        total = call
            .session()
            .binary(crate::syntax::BinaryOperator::Add, &total, &value)?;
    }
    Ok(total)
}

fn flatten(call: &Call<'_>) -> Eval {
    let mut out = Vec::new();
    let levels = call.int(0)?;
    flatten_into(
        call,
        call.subject_items()?,
        levels,
        call.flag(1, true)?,
        &mut out,
    )?;
    Ok(Val::list(out))
}

fn flatten_into(
    call: &Call<'_>,
    items: Vec<Val>,
    levels: Option<i64>,
    skip_nulls: bool,
    out: &mut Vec<Val>,
) -> Eval<()> {
    for item in items {
        item.known()?;
        let is_null = match &item {
            Val::Null => true,
            Val::Text(text) => matches!(&**text, "None" | "null"),
            _ => false,
        };
        if skip_nulls && is_null {
            continue;
        }
        if item.is_sequence() && levels.is_none_or(|levels| levels >= 1) {
            let inner = call.session().iterate(&item)?;
            call.session().deeper(|| {
                flatten_into(
                    call,
                    inner,
                    levels.map(|levels| levels - 1),
                    skip_nulls,
                    out,
                )
            })?;
        } else {
            out.push(item);
        }
    }
    Ok(())
}

fn positive(call: &Call<'_>, index: usize) -> Eval<usize> {
    call.int(index)?
        .and_then(|count| usize::try_from(count).ok())
        .filter(|count| *count > 0)
        .ok_or_else(|| call.fail("needs a positive number"))
}

fn batch(call: &Call<'_>) -> Eval {
    let size = positive(call, 0)?;
    let mut batches = Vec::new();
    for chunk in call.subject_items()?.chunks(size) {
        let mut chunk = chunk.to_vec();
        if let Some(fill) = call.some(1) {
            chunk.resize(size.min(1 << 20), fill.clone());
        }
        batches.push(Val::list(chunk));
    }
    Ok(Val::list(batches))
}

fn slice(call: &Call<'_>) -> Eval {
    let count = positive(call, 0)?.min(1 << 20);
    let items = call.subject_items()?;
    let (size, longer) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let mut slices = Vec::new();
    for index in 0..count {
        let mut slice: Vec<Val> = rest
            .by_ref()
            .take(size + usize::from(index < longer))
            .collect();
        if index >= longer
            && longer > 0
            && let Some(fill) = call.some(1)
        {
            slice.push(fill.clone());
        }
        slices.push(Val::list(slice));
    }
    Ok(Val::list(slices))
}

fn zip(call: &Call<'_>) -> Eval {
    let mut lists = vec![call.subject_items()?];
    for other in &call.rest {
        lists.push(call.session().iterate(other)?);
    }
    let length = lists.iter().map(Vec::len).min().unwrap_or(0);
    Ok(zipped(&lists, length, &Val::Null))
}

fn zip_longest(call: &Call<'_>) -> Eval {
    let mut lists = vec![call.subject_items()?];
    for other in &call.rest {
        lists.push(call.session().iterate(other)?);
    }
    let fill = call
        .named
        .iter()
        .find(|(name, _)| &**name == "fillvalue")
        .map_or(Val::Null, |(_, value)| value.clone());
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok(zipped(&lists, length, &fill))
}

fn zipped(lists: &[Vec<Val>], length: usize, fill: &Val) -> Val {
    Val::list(
        (0..length)
            .map(|index| {
                Val::tuple(
                    lists
                        .iter()
                        .map(|list| list.get(index).unwrap_or(fill).clone())
                        .collect(),
                )
            })
            .collect(),
    )
}

/// Every choice of one item of each list, the last list going fastest.
pub(crate) fn product_of(lists: &[Vec<Val>]) -> Eval<Vec<Vec<Val>>> {
    let count = lists
        .iter()
        .try_fold(1_usize, |count, list| count.checked_mul(list.len()));
    if count.is_none_or(|count| count > MAX_COMBINATIONS) {
        return Err(Fault::problem(Problem::TooMuch));
    }
    let mut rows = vec![Vec::new()];
    for list in lists {
        rows = rows
            .into_iter()
            .flat_map(|row: Vec<Val>| {
                list.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Ok(rows)
}

fn product(call: &Call<'_>) -> Eval {
    let mut lists = vec![call.subject_items()?];
    for other in &call.rest {
        lists.push(call.session().iterate(other)?);
    }
    if let Some((_, repeat)) = call.named.iter().find(|(name, _)| &**name == "repeat") {
        let count = repeat
            .as_int()
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(1);
        let once = lists.clone();
        for _ in 1..count.min(64) {
            lists.extend(once.iter().cloned());
        }
    }
    Ok(Val::list(
        product_of(&lists)?.into_iter().map(Val::tuple).collect(),
    ))
}

fn permutations(call: &Call<'_>) -> Eval {
    let items = call.subject_items()?;
    let size = call
        .int(0)?
        .map_or(items.len(), |size| usize::try_from(size).unwrap_or(0));
    let mut rows = Vec::new();
    arrange(&items, size, true, &mut Vec::new(), &mut rows)?;
    Ok(Val::list(rows))
}

fn combinations(call: &Call<'_>) -> Eval {
    let items = call.subject_items()?;
    let size = positive(call, 0)?;
    let mut rows = Vec::new();
    arrange(&items, size, false, &mut Vec::new(), &mut rows)?;
    Ok(Val::list(rows))
}

fn arrange(
    items: &[Val],
    size: usize,
    any_order: bool,
    chosen: &mut Vec<usize>,
    rows: &mut Vec<Val>,
) -> Eval<()> {
    if chosen.len() == size {
        if rows.len() >= MAX_COMBINATIONS {
            return Err(Fault::problem(Problem::TooMuch));
        }
        rows.push(Val::tuple(
            chosen
                .iter()
                .filter_map(|index| items.get(*index).cloned())
                .collect(),
        ));
        return Ok(());
    }
    let first = if any_order {
        0
    } else {
        chosen.last().map_or(0, |last| last + 1)
    };
    for index in first..items.len() {
        if !chosen.contains(&index) {
            chosen.push(index);
            arrange(items, size, any_order, chosen, rows)?;
            chosen.pop();
        }
    }
    Ok(())
}
