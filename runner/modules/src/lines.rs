//! Output of commands as result fields: text, lines, times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sasrun_plugin::{CommandOutput, Object};
use serde_json::Value;

/// Splits text into lines as Python's `str.splitlines` does.
pub(crate) fn split_lines(text: &str) -> Vec<String> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_end).unwrap_or(rest.len());
        lines.push(rest[..end].to_owned());
        let after = &rest[end..];
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut chars = after.chars();
            chars.next();
            chars.as_str()
        });
    }
    lines
}

/// Returns the result fields of a command that ran: `cmd`, `rc`, output, lines and times.
pub(crate) fn command_fields(output: &CommandOutput, cmd: Value, strip: bool) -> Object {
    let trimmed = |text: &str| {
        if strip {
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            text.to_owned()
        }
    };
    let (stdout, stderr) = (trimmed(&output.stdout), trimmed(&output.stderr));
    let elapsed = Duration::from_millis(output.elapsed_ms);
    let end = SystemTime::now();
    let mut fields = Object::new();
    fields.insert("cmd".into(), cmd);
    fields.insert("rc".into(), exit_status(output).into());
    fields.insert("stdout_lines".into(), split_lines(&stdout).into());
    fields.insert("stderr_lines".into(), split_lines(&stderr).into());
    fields.insert("stdout".into(), stdout.into());
    fields.insert("stderr".into(), stderr.into());
    fields.insert(
        "start".into(),
        moment(end.checked_sub(elapsed).unwrap_or(end)).into(),
    );
    fields.insert("end".into(), moment(end).into());
    fields.insert("delta".into(), span(elapsed).into());
    fields.insert("msg".into(), "".into());
    fields
}

/// Death by a signal is a negative number, as Python tells it.
pub(crate) fn exit_status(output: &CommandOutput) -> i32 {
    output.signal.map_or(output.rc, |signal| -signal)
}

/// Writes a span as Python's `str(timedelta)`: `0:00:01.234000`.
fn span(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{hours}:{minutes:02}:{:02}.{:06}",
        seconds % 60,
        elapsed.subsec_micros()
    )
}

/// Writes a moment as `2026-01-31 23:59:59.123456`, in UTC.
pub(crate) fn moment(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_micros()
    )
}

/// Turns days since 1970 into a date of the Gregorian calendar (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        assert_eq!(split_lines("a\r\nb\rc\n\nd"), ["a", "b", "c", "", "d"]);
        assert_eq!(split_lines("a\n"), ["a"]);
        assert!(split_lines("").is_empty());
    }

    #[test]
    fn moments_and_spans() {
        let at = |seconds| moment(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00:00.000000");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00.000000");
        assert_eq!(at(1_767_225_599), "2025-12-31 23:59:59.000000");
        assert_eq!(span(Duration::from_millis(3_661_005)), "1:01:01.005000");
    }
}
