//! Dates: what `now()` and `to_datetime` give.

use std::rc::Rc;

use jiff::civil::DateTime;
use jiff::{Span, Zoned};

use crate::eval::{Arguments, Env};
use crate::values::{Eval, Fault, Val};

/// A date with a time of day, without a zone unless one was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    at: DateTime,
    offset_seconds: Option<i32>,
}

impl Moment {
    pub(crate) fn naive(at: DateTime) -> Self {
        Self {
            at,
            offset_seconds: None,
        }
    }

    /// Reads a date with a format of `strptime`.
    pub(crate) fn parse(text: &str, format: &str) -> Result<Self, String> {
        let parsed = jiff::fmt::strtime::parse(format.replace("%f", "%6f"), text)
            .map_err(|err| format!("time data '{text}' does not match format '{format}': {err}"))?;
        let date = match parsed.to_date() {
            Ok(date) => date,
            Err(_) => jiff::civil::date(1900, 1, 1),
        };
        let time = parsed
            .to_time()
            .unwrap_or_else(|_| jiff::civil::time(0, 0, 0, 0));
        Ok(Self {
            at: date.to_datetime(time),
            offset_seconds: parsed.offset().map(jiff::tz::Offset::seconds),
        })
    }

    /// Microseconds from another moment to this one.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let nanos = self.at.duration_since(other.at).as_nanos();
        let offsets = match (self.offset_seconds, other.offset_seconds) {
            (Some(a), Some(b)) => i64::from(b - a) * 1_000_000,
            _ => 0,
        };
        i64::try_from(nanos / 1000).unwrap_or(i64::MAX) + offsets
    }

    pub(crate) fn later(&self, micros: i64) -> Eval<Rc<Self>> {
        let at = self
            .at
            .checked_add(Span::new().microseconds(micros))
            .map_err(|_| Fault::operation("date is out of range"))?;
        Ok(Rc::new(Self {
            at,
            offset_seconds: self.offset_seconds,
        }))
    }

    /// As `str()` shows it.
    pub(crate) fn text(&self) -> String {
        self.shown(' ')
    }

    fn shown(&self, separator: char) -> String {
        let mut text = format!(
            "{}{separator}{}",
            self.at.date().strftime("%Y-%m-%d"),
            self.at.time().strftime("%H:%M:%S")
        );
        let micros = self.at.subsec_nanosecond() / 1000;
        if micros != 0 {
            text.push_str(&format!(".{micros:06}"));
        }
        if let Some(offset) = self.offset_seconds {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.abs() / 60;
            text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        text
    }

    pub(crate) fn repr(&self) -> String {
        format!(
            "datetime.datetime({}, {}, {}, {}, {}{})",
            self.at.year(),
            self.at.month(),
            self.at.day(),
            self.at.hour(),
            self.at.minute(),
            if self.at.second() != 0 {
                format!(", {}", self.at.second())
            } else {
                String::new()
            }
        )
    }

    pub(crate) fn strftime(&self, format: &str) -> String {
        match self.at.to_zoned(jiff::tz::TimeZone::UTC) {
            Ok(zoned) => strftime(&zoned, format),
            Err(_) => format.to_owned(),
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<i64> {
        Some(match name {
            "year" => i64::from(self.at.year()),
            "month" => i64::from(self.at.month()),
            "day" => i64::from(self.at.day()),
            "hour" => i64::from(self.at.hour()),
            "minute" => i64::from(self.at.minute()),
            "second" => i64::from(self.at.second()),
            "microsecond" => i64::from(self.at.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    pub(crate) fn method(&self, env: &Env, name: &str, arguments: &Arguments) -> Eval {
        let first = arguments
            .positional
            .first()
            .or_else(|| arguments.named.first().map(|(_, value)| value));
        let midnight = jiff::civil::time(0, 0, 0, 0);
        Ok(match name {
            "strftime" => {
                let format = match first {
                    Some(format) => env.session().text_of(format)?,
                    None => return Err(Fault::operation("strftime needs a format")),
                };
                Val::from(self.strftime(&format))
            }
            "isoformat" => Val::from(self.shown('T')),
            "date" => Val::Moment(Rc::new(Self::naive(self.at.date().to_datetime(midnight)))),
            "time" => Val::from(self.at.time().strftime("%H:%M:%S").to_string()),
            "timestamp" => {
                let zone = match self
                    .offset_seconds
                    .and_then(|seconds| jiff::tz::Offset::from_seconds(seconds).ok())
                {
                    Some(offset) => offset.to_time_zone(),
                    None => env.session().world().now().time_zone().clone(),
                };
                let zoned = self
                    .at
                    .to_zoned(zone)
                    .map_err(|_| Fault::operation("date is out of range"))?;
                #[expect(clippy::cast_precision_loss, reason = "Python's own result is a float")]
                Val::Float(zoned.timestamp().as_microsecond() as f64 / 1e6)
            }
            "weekday" => Val::Int(i64::from(self.at.weekday().to_monday_zero_offset())),
            _ => Val::Int(i64::from(self.at.weekday().to_monday_one_offset())),
        })
    }
}

/// Formats a time as C's `strftime` does.
pub(crate) fn strftime(at: &Zoned, format: &str) -> String {
    let micros = format!("{:06}", at.subsec_nanosecond() / 1000);
    let format = format
        .replace("%f", &micros)
        .replace("%c", "%a %b %e %H:%M:%S %Y")
        .replace("%x", "%m/%d/%y")
        .replace("%X", "%H:%M:%S");
    jiff::fmt::strtime::format(&format, at).unwrap_or(format)
}

/// A length of time as `str()` shows it.
pub(crate) fn interval_text(micros: i64) -> String {
    let day = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(day), micros.rem_euclid(day));
    let seconds = rest / 1_000_000;
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    text.push_str(&format!(
        "{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    if rest % 1_000_000 != 0 {
        text.push_str(&format!(".{:06}", rest % 1_000_000));
    }
    text
}

/// Attributes of a length of time.
pub(crate) fn interval_attribute(micros: i64, name: &str) -> Option<Val> {
    let day = 86_400_000_000;
    Some(Val::Int(match name {
        "days" => micros.div_euclid(day),
        "seconds" => micros.rem_euclid(day) / 1_000_000,
        "microseconds" => micros.rem_euclid(1_000_000),
        _ => return None,
    }))
}
