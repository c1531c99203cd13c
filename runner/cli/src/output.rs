//! Writing to the terminal: the only file that prints.

use std::io::{IsTerminal, Write};

use sasrun_report::Style;

use crate::args::OutputArguments;
use crate::config::{Config, is_yes};

/// Writes a line to standard output. A reader that is gone is no error of ours.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line to standard error.
pub(crate) fn error_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Width of the terminal, or 80.
pub(crate) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let from_variable = || {
        std::env::var("COLUMNS")
            .ok()
            .and_then(|text| text.parse().ok())
    };
    size.map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .or_else(from_variable)
        .unwrap_or(80)
}

/// Colours and width as asked for.
pub(crate) fn style(color: &str, is_terminal: bool) -> Style {
    let wanted = match color {
        "always" => true,
        "never" => false,
        _ => {
            let is_on = |name: &str| std::env::var(name).is_ok_and(|text| is_yes(&text));
            let forced = is_on("ANSIBLE_FORCE_COLOR");
            let refused = std::env::var_os("NO_COLOR").is_some() || is_on("ANSIBLE_NOCOLOR");
            forced || (is_terminal && !refused)
        }
    };
    Style {
        is_coloured: wanted,
        columns: columns(),
        is_terminal,
    }
}

/// Style of the report.
pub(crate) fn report_style(arguments: &OutputArguments) -> Style {
    style(&arguments.color, is_terminal())
}

/// Style of what goes to standard error.
pub(crate) fn error_style(color: &str) -> Style {
    style(color, std::io::stderr().is_terminal())
}

/// Says which file of settings was read, for those who want to know more.
pub(crate) fn tell_settings(verbosity: u8, config: &Config) {
    if verbosity == 0 {
        return;
    }
    match config.file() {
        Some(file) => line(&format!("Using {} as config file", file.display())),
        None => line("No config file found; using defaults"),
    }
}
