//! The host's clock.

use sasrun_plugin::Object;
use serde_json::json;

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let lines = sections.lines("date");
    let words: Vec<&str> = lines
        .first()
        .copied()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let (year, month, day, hour, minute, second) =
        (word(0), word(1), word(2), word(3), word(4), word(5));
    let utc = lines.get(1).copied().unwrap_or_default().trim();
    let plain: String = utc
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .collect();
    // An old date writes back what it does not know.
    let known = |text: &str| {
        if text.starts_with('%') {
            String::new()
        } else {
            text.to_owned()
        }
    };
    let local = format!("{year}{month}{day}T{hour}{minute}{second}");
    let date = json!({
        "year": year, "month": month, "day": day, "hour": hour, "minute": minute,
        "second": second, "weekday": word(6), "weekday_number": word(7), "weeknumber": word(8),
        "tz": word(9), "tz_dst": word(9), "tz_offset": known(word(10)),
        "epoch": known(word(11)), "epoch_int": known(word(11)),
        "date": format!("{year}-{month}-{day}"), "time": format!("{hour}:{minute}:{second}"),
        "iso8601": utc, "iso8601_micro": utc.replace('Z', ".000000Z"),
        "iso8601_basic": format!("{local}000000"), "iso8601_basic_short": local,
        "utc_basic": plain,
    });
    object(json!({"date_time": date}))
}
