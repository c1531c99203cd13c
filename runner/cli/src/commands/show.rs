//! `sasrun show`: the report of a run, drawn again from its journal.

use anyhow::Context;
use sasrun_journal::{RunDirectory, Tail, read};
use sasrun_report::{Closing, Mask, Text, TextOptions};

use super::runs::{state, when};
use crate::args::ShowArguments;
use crate::{output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &ShowArguments) -> anyhow::Result<u8> {
    let run = RunDirectory::find(&settings::kept_runs()?, &arguments.run)?;
    let found = read(&run.journal())?;
    let header = &found.header;
    output::line(&format!("run        {}", header.run));
    output::line(&format!(
        "began      {} by {} on {}, in {}",
        when(header.started_at_ms),
        header.user,
        header.host,
        header.directory
    ));
    output::line(&format!(
        "command    sasrun {}",
        shell_words::join(&header.argv)
    ));
    let (state, code) = state(&run, &found);
    let code = code.map(|code| format!(", exit code {code}"));
    output::line(&format!("state      {state}{}", code.unwrap_or_default()));
    if arguments.output.verbose > 0 {
        for input in found.inputs() {
            output::line(&format!(
                "{:<10} {} {}",
                input.kind, input.sha256, input.path
            ));
        }
    }
    // Secrets are stars in what was read; there is nothing to mask.
    let mut text = Text::new(
        TextOptions {
            style: output::report_style(&arguments.output),
            verbosity: arguments.output.verbose,
            show_skipped: !arguments.output.hide_skipped,
        },
        Mask::default(),
    );
    let mut closing = Closing::new(Mask::default());
    for record in &found.records {
        closing.event(&record.event);
    }
    if let Some(path) = &arguments.html {
        let page = closing.html(&when(header.started_at_ms));
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
        output::line(&format!("page       {}", path.display()));
        return Ok(0);
    }
    for record in &found.records {
        for line in text.lines(&record.event) {
            output::line(&line);
        }
    }
    for line in closing.lines(output::report_style(&arguments.output)) {
        output::line(&line);
    }
    if let Tail::Torn { .. } = found.tail {
        output::line("");
        output::line("Here the record ends, in the middle of an event.");
    }
    Ok(0)
}
