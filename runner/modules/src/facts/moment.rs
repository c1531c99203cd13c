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
    let utc = match word(11).parse() {
        Ok(epoch) => iso8601(epoch),
        Err(_) => lines.get(1).copied().unwrap_or_default().trim().to_owned(),
    };
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
/// A time in seconds since 1970 as `2024-02-29T12:00:00Z`.
fn iso8601(epoch: i64) -> String {
    let (days, second) = (epoch.div_euclid(86_400), epoch.rem_euclid(86_400));
    // Years begin in March, so that the day of leap years is the last; eras have 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn times_are_written_in_the_calendar() {
        for (epoch, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_208_000, "2024-02-29T12:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso8601(epoch), written);
        }
    }
}
