//! Access and modification times, set by `touch`.

use sasrun_plugin::{Failure, FileStatus};

use super::Task;
use crate::paths;

/// What is asked of one of the two times.
enum Wanted {
    Keep,
    Now,
    /// As `touch -t` wants it.
    At(String),
}

/// Returns shell text that sets the times, if they are not so yet; `usual` stands for a time that
/// is not given.
pub(super) async fn command(
    task: &Task,
    status: &FileStatus,
    usual: &str,
) -> Result<Option<String>, Failure> {
    let word = paths::word(task.real(status));
    let modified = wanted(task, "modification_time", usual, status.mtime).await?;
    let accessed = wanted(task, "access_time", usual, status.atime).await?;
    let steps = match (modified, accessed) {
        (Wanted::Keep, Wanted::Keep) => return Ok(None),
        (Wanted::Now, Wanted::Now) => vec![format!("touch {word}")],
        (modified, accessed) => {
            let mut steps = Vec::new();
            for (option, wanted) in [("-m", modified), ("-a", accessed)] {
                match wanted {
                    Wanted::Keep => {}
                    Wanted::Now => steps.push(format!("touch {option} {word}")),
                    Wanted::At(stamp) => {
                        steps.push(format!("touch {option} -t {stamp} {word}"));
                    }
                }
            }
            steps
        }
    };
    Ok(Some(steps.join(" && ")))
}

/// Reads what is asked of a time. One that the file has already is kept: only the host knows the
/// zone in which it is written.
async fn wanted(task: &Task, name: &str, usual: &str, is: f64) -> Result<Wanted, Failure> {
    let time = match task.arguments.text(name).unwrap_or(usual) {
        "preserve" | "" => return Ok(Wanted::Keep),
        "now" => return Ok(Wanted::Now),
        time => time,
    };
    let format = task.arguments.text_or_empty(&format!("{name}_format"));
    let [year, month, day, hour, minute, second] = parts(time, format)?;
    let script = format!(
        "date -d '{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}' +%s 2>/dev/null"
    );
    let shown = task.host.read_script(script).await?.stdout;
    if shown.trim().parse() == Ok(is) {
        return Ok(Wanted::Keep);
    }
    Ok(Wanted::At(format!(
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}.{second:02}"
    )))
}

/// Reads a time by a format of `strptime`: year, month, day, hour, minute and second.
fn parts(time: &str, format: &str) -> Result<[u32; 6], Failure> {
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
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn times_are_read_by_their_format() {
        let format = "%Y%m%d%H%M.%S";
        let read = parts("202601312359.58", format).unwrap();
        assert_eq!(read, [2026, 1, 31, 23, 59, 58]);
        let day = parts("2026-01-31", "%Y-%m-%d").unwrap();
        assert_eq!(day, [2026, 1, 31, 0, 0, 0]);
        assert!(parts("31.1.2026", "%Y-%m-%d").is_err());
    }
}
