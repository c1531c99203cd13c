//! Access and modification times, set by `touch`.

use sasrun_plugin::{Arguments, Failure};

use crate::paths;

/// What is asked of one of the two times.
enum Wanted<'a> {
    Keep,
    Now,
    At(&'a str),
}

/// Returns shell text that sets the times, if anything is asked of them; `usual` stands for a time
/// that is not given.
pub(super) fn command(
    arguments: &Arguments,
    path: &str,
    usual: &str,
) -> Result<Option<String>, Failure> {
    let word = paths::word(path);
    let wanted = |name: &str| match arguments.text(name).unwrap_or(usual) {
        "preserve" | "" => Wanted::Keep,
        "now" => Wanted::Now,
        _ => Wanted::At(arguments.text_or_empty(name)),
    };
    let format = |name: &str| {
        arguments
            .text_or_empty(&format!("{name}_format"))
            .to_owned()
    };
    let steps = match (wanted("modification_time"), wanted("access_time")) {
        (Wanted::Keep, Wanted::Keep) => return Ok(None),
        (Wanted::Now, Wanted::Now) => vec![format!("touch {word}")],
        (modified, accessed) => {
            let mut steps = Vec::new();
            for (option, wanted, name) in [
                ("-m", modified, "modification_time"),
                ("-a", accessed, "access_time"),
            ] {
                match wanted {
                    Wanted::Keep => {}
                    Wanted::Now => steps.push(format!("touch {option} {word}")),
                    Wanted::At(time) => {
                        let stamp = stamp(time, &format(name))?;
                        steps.push(format!("touch {option} -t {stamp} {word}"));
                    }
                }
            }
            steps
        }
    };
    Ok(Some(steps.join(" && ")))
}

/// Reads a time by a format of `strptime` and writes it as `touch -t` wants it.
fn stamp(time: &str, format: &str) -> Result<String, Failure> {
    let bad = || Failure::new(format!("the time {time} is not written as {format}"));
    let mut parts = [1970_u32, 1, 1, 0, 0, 0];
    let mut rest = time;
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            rest = rest.strip_prefix(letter).ok_or_else(bad)?;
            continue;
        }
        let (slot, width) = match letters.next() {
            Some('Y') => (0, 4),
            Some('m') => (1, 2),
            Some('d') => (2, 2),
            Some('H') => (3, 2),
            Some('M') => (4, 2),
            Some('S') => (5, 2),
            _ => return Err(bad()),
        };
        let digits = rest
            .chars()
            .take(width)
            .take_while(char::is_ascii_digit)
            .count();
        parts[slot] = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
    }
    if !rest.is_empty() {
        return Err(bad());
    }
    let [year, month, day, hour, minute, second] = parts;
    Ok(format!(
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}.{second:02}"
    ))
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn times_are_read_by_their_format() {
        assert_eq!(
            stamp("202601312359.58", "%Y%m%d%H%M.%S").unwrap(),
            "202601312359.58"
        );
        assert_eq!(stamp("2026-01-31", "%Y-%m-%d").unwrap(), "202601310000.00");
        assert!(stamp("31.1.2026", "%Y-%m-%d").is_err());
    }
}
