//! What the terminal shows, with the time of each line, in the file that `log_path` names.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use sasrun_engine::seams::Observer;
use sasrun_model::Event;
use sasrun_report::{Mask, Style, Text, TextOptions};

use crate::config::Config;
use crate::{output, settings};

/// The file, and the report that goes to it.
pub(crate) struct LogFile {
    file: File,
    text: Text,
    user: String,
    is_broken: bool,
}

impl LogFile {
    /// Opens the file that the settings name, to be added to; none where they name none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn open(config: &Config, verbosity: u8, mask: Mask) -> anyhow::Result<Option<Self>> {
        let Some(path) = config.path("ANSIBLE_LOG_PATH", "defaults", "log_path") else {
            return Ok(None);
        };
        let level = config.text("ANSIBLE_LOG_VERBOSITY", "defaults", "log_verbosity");
        let level = level.and_then(|text| text.trim().parse().ok());
        let style = Style {
            is_coloured: false,
            columns: output::columns(),
            is_terminal: false,
        };
        let options = TextOptions {
            style,
            verbosity: level.unwrap_or(verbosity),
            show_skipped: true,
        };
        Ok(Some(Self {
            file: opened(&path)?,
            text: Text::new(options, mask),
            user: settings::login_name(),
            is_broken: false,
        }))
    }
}

fn opened(path: &PathBuf) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("the log {} cannot be written", path.display()))
}

impl Observer for LogFile {
    fn event(&mut self, event: &Event) {
        if self.is_broken {
            return;
        }
        let now = jiff::Zoned::now();
        let at = format!(
            "{},{:03}",
            now.strftime("%Y-%m-%d %H:%M:%S"),
            now.millisecond()
        );
        let (process, user) = (std::process::id(), &self.user);
        for line in self.text.lines(event) {
            let line = format!("{at} p={process} u={user} n=sasrun INFO| {line}\n");
            if let Err(error) = self.file.write_all(line.as_bytes()) {
                output::error_line(&format!("sasrun: the log cannot be written: {error}"));
                self.is_broken = true;
                return;
            }
        }
    }
}
