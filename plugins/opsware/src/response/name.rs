//! The moment in a response file's name, in any of the forms that were met.
//!
//! Names are never sorted as text: epoch seconds, compact and dashed dates would mix.

/// Reads the moment in `resp.TIMESTAMP`, in seconds since 1970.
///
/// Forms: epoch seconds, `YYYYMMDDhhmmss`, `YYYYMMDD`, and dates with any of `. - _ : T` between
/// the figures. A date is taken as UTC, for its zone is not written.
pub(super) fn moment(name: &str) -> Option<i64> {
    let stamp = name.rsplit('/').next()?.strip_prefix("resp.")?;
    if stamp.bytes().all(|b| b.is_ascii_digit()) {
        return match stamp.len() {
            14 | 12 | 8 => civil(&[
                figure(stamp, 0, 4)?,
                figure(stamp, 4, 6)?,
                figure(stamp, 6, 8)?,
                figure(stamp, 8, 10).unwrap_or(0),
                figure(stamp, 10, 12).unwrap_or(0),
                figure(stamp, 12, 14).unwrap_or(0),
            ]),
            9 | 10 => stamp.parse().ok(),
            _ => None,
        };
    }
    let figures: Option<Vec<i64>> = stamp
        .split(['.', '-', '_', ':', 'T'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    civil(&figures?)
}

fn figure(text: &str, from: usize, to: usize) -> Option<i64> {
    text.get(from..to)?.parse().ok()
}

/// Seconds since 1970 of year, month, day and what follows; days by the civil calendar.
fn civil(figures: &[i64]) -> Option<i64> {
    let [year, month, day, rest @ ..] = figures else {
        return None;
    };
    let part = |at: usize| rest.get(at).copied().unwrap_or(0);
    let (hour, minute, second) = (part(0), part(1), part(2));
    let valid = (1970..=9999).contains(year)
        && (1..=12).contains(month)
        && (1..=31).contains(day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..62).contains(&second)
        && rest.len() <= 3;
    if !valid {
        return None;
    }
    let shifted_year = if *month <= 2 { year - 1 } else { *year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn all_forms_name_the_same_moment() {
        for name in [
            "resp.20071130140511",
            "/var/opt/opsware/install_opsware/resp/resp.1196431511",
            "resp.2007-11-30-14:05:11",
            "resp.2007.11.30.14.05.11",
            "resp.2007-11-30T14:05:11",
        ] {
            assert_eq!(moment(name), Some(1_196_431_511), "{name}");
        }
        assert_eq!(moment("resp.20071130"), Some(1_196_380_800));
        for name in [
            "resp.latest",
            "resp.",
            "resp.20071330140511",
            "respX",
            "resp.123",
        ] {
            assert_eq!(moment(name), None, "{name}");
        }
    }
}
