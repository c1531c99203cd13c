//! Filters on dates.

use std::rc::Rc;

use super::{Filter, filter};
use crate::eval::Call;
use crate::python::moment::{self, Moment};
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("strftime", &["second", "utc"], strftime),
    filter("to_datetime", &["format"], to_datetime),
];

fn to_datetime(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let format = call.text_or(0, "%Y-%m-%d %H:%M:%S")?;
    let moment = Moment::parse(&text, &format).map_err(|message| call.fail(message))?;
    Ok(Val::Moment(Rc::new(moment)))
}

fn strftime(call: &Call<'_>) -> Eval {
    let format = call.subject_text()?;
    let now = call.session().world().now();
    let zone = if call.flag(1, false)? {
        jiff::tz::TimeZone::UTC
    } else {
        now.time_zone().clone()
    };
    let at = match call.some(0) {
        None => now.with_time_zone(zone),
        Some(value) => {
            let seconds = match value {
                Val::Text(text) => text.trim().parse().ok(),
                other => other.as_number(),
            };
            let seconds: f64 = seconds.ok_or_else(|| call.fail("invalid value for epoch value"))?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and is checked by the calendar"
            )]
            let micros = (seconds * 1e6) as i64;
            jiff::Timestamp::from_microsecond(micros)
                .map_err(|err| call.fail(err.to_string()))?
                .to_zoned(zone)
        }
    };
    Ok(Val::from(moment::strftime(&at, &format)))
}
