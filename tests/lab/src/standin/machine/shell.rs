//! Shells that a host of its time has: the C shell at the login, and the Bourne shell as `/bin/sh`.
//!
//! The Bourne shell is the machine's own behind a reader that refuses what came after it; the C shell knows just enough
//! to start a program.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};

use serde_json::json;

use super::overlay;
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, print};

/// What the Bourne shell does not read.
const LATER: &[&str] = &[
    "$(", "[[ ", "<<<", "&>", "|&", "typeset ", "declare ", "local ", "test -e", "[ -e ", "if ! ",
];

/// What is later than the Bourne shell in a line, if anything is.
fn later(line: &str) -> Option<&'static str> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    if let Some((_, rest)) = line.split_once("${") {
        let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if name.starts_with(['#', '%', '/']) {
            return Some("${");
        }
    }
    LATER.iter().copied().find(|sign| line.contains(sign))
}

/// `sh`: looks through what it is to read, then lets the machine's own shell read it.
pub fn bourne(_site: &Site, args: &[String]) -> ExitCode {
    let text = match args {
        [option, text, ..] if option.starts_with('-') && option.contains('c') => Some(text.clone()),
        [file, ..] if !file.starts_with('-') => std::fs::read_to_string(file).ok(),
        _ => None,
    };
    if let Some(text) = text {
        if let Some((number, line)) = text
            .lines()
            .enumerate()
            .find(|(_, line)| later(line).is_some())
        {
            return refuse(number + 1, line);
        }
        complain(&overlay::command("sh", args).exec().to_string());
        return ExitCode::from(127);
    }
    let child = overlay::command("sh", args).stdin(Stdio::piped()).spawn();
    match child {
        Ok(child) => read_for(child),
        Err(error) => {
            complain(&format!("sh: {error}"));
            ExitCode::from(127)
        }
    }
}

fn refuse(number: usize, line: &str) -> ExitCode {
    let sign = later(line).unwrap_or_default();
    site::log_read("shell.refused", json!({"sign": sign, "line": line}));
    complain(&format!(
        "sh: syntax error at line {number}: `{sign}' unexpected"
    ));
    ExitCode::from(2)
}

/// Reads commands from its own input, as they come, for the shell behind.
fn read_for(mut child: Child) -> ExitCode {
    let Some(mut to) = child.stdin.take() else {
        return ExitCode::from(126);
    };
    // The shell may end before its input does, so its input is read beside it.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let (mut bytes, mut line, mut number) = ([0; 16 * 1024], Vec::new(), 1);
        while let Ok(count @ 1..) = input.read(&mut bytes) {
            let chunk = bytes.get(..count).unwrap_or_default();
            for byte in chunk {
                if *byte == b'\n' {
                    line.clear();
                    number += 1;
                    continue;
                }
                line.push(*byte);
                let text = String::from_utf8_lossy(&line);
                if line.len() < 4096 && later(&text).is_some() {
                    refuse(number, &text);
                    return;
                }
            }
            if to.write_all(chunk).is_err() {
                return;
            }
        }
    });
    let status = child.wait().ok();
    let code = status.map_or(126, |status| {
        status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(126)
    });
    ExitCode::from(u8::try_from(code).unwrap_or(255))
}

/// `csh`: greets in colour from its start file, then starts one program.
pub fn csh(_site: &Site, args: &[String]) -> ExitCode {
    print("\u{1b}[1;34mWelcome\u{1b}[0m to csh; ls is aliased to \u{1b}[32mls --color\u{1b}[0m\n");
    let [option, line, ..] = args else {
        complain(&Command::new("/bin/sh").exec().to_string());
        return ExitCode::from(127);
    };
    if option != "-c" {
        complain(&format!("csh: unknown option {option}"));
        return ExitCode::from(1);
    }
    let line = line.trim();
    let is_foreign = ["$(", "2>", "`", "&&", "if [", "\n", "export "]
        .iter()
        .any(|sign| line.contains(sign));
    let assigns = line
        .split(' ')
        .next()
        .is_some_and(|word| word.contains('='));
    if is_foreign || assigns {
        complain("csh: syntax error");
        return ExitCode::from(1);
    }
    let words = words(line.strip_prefix("exec ").unwrap_or(line));
    let Some((program, rest)) = words.split_first() else {
        return ExitCode::SUCCESS;
    };
    complain(&format!(
        "{program}: {}",
        Command::new(program).args(rest).exec()
    ));
    ExitCode::from(1)
}

/// Words of a line, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_after_the_bourne_shell_is_seen() {
        for line in [
            "a=$(b)",
            "[[ -f x ]]",
            "echo ${a#b}",
            "echo ${a%b}",
            "local a",
            "[ -e x ]",
            "if ! true",
        ] {
            assert!(later(line).is_some(), "{line}");
        }
        for line in [
            "a=`b`",
            "[ -f x ]",
            "echo ${a}",
            "echo ${a-b}",
            "# $(",
            "case $a in",
        ] {
            assert_eq!(later(line), None, "{line}");
        }
    }

    #[test]
    fn words_lose_their_quotes() {
        assert_eq!(words("a 'b c' \"d\"e ''"), ["a", "b c", "de", ""]);
    }
}
