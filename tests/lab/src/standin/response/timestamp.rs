//! The timestamp in the name of a response file: three forms of the same moment.

/// How a facility's installer writes the moment into a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `20071130140511`.
    Compact,
    /// Seconds since the epoch.
    Epoch,
    /// `2007-11-30-14:05:11`.
    Dashed,
}

impl Form {
    /// The form that a facility uses.
    pub fn of_facility(id: u32) -> Self {
        match id % 3 {
            1 => Self::Compact,
            2 => Self::Epoch,
            _ => Self::Dashed,
        }
    }

    /// The moment, given in seconds since the epoch, in UTC.
    pub fn write(self, seconds: u64) -> String {
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        match self {
            Self::Compact => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"),
            Self::Epoch => seconds.to_string(),
            Self::Dashed => {
                format!("{year:04}-{month:02}-{day:02}-{hour:02}:{minute:02}:{second:02}")
            }
        }
    }
}

/// Year, month and day of a number of days since 1 January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let moved = (5 * of_year + 2) / 153;
    let day = of_year - (153 * moved + 2) / 5 + 1;
    let month = if moved < 10 { moved + 3 } else { moved - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Now, in seconds since the epoch.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_tell_the_same_moment() {
        let table = [
            (1_196_431_511, "20071130140511", "2007-11-30-14:05:11"),
            (951_782_400, "20000229000000", "2000-02-29-00:00:00"),
            (0, "19700101000000", "1970-01-01-00:00:00"),
        ];
        for (seconds, compact, dashed) in table {
            assert_eq!(Form::Compact.write(seconds), compact);
            assert_eq!(Form::Dashed.write(seconds), dashed);
            assert_eq!(Form::Epoch.write(seconds), seconds.to_string());
        }
    }
}
