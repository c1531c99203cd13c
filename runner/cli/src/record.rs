//! Where events go: the journal first, then the terminal and the file of events.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use futures::future::{BoxFuture, ready};
use sasrun_engine::seams::{Journal, JournalFailure, Observer, Secrets};
use sasrun_journal::{
    FORMAT, FindSecrets, JournalError, JournalWriter, Recovered, RunDirectory, RunHeader,
};
use sasrun_model::{Event, EventKind, Input, RunMode};
use sasrun_report::{Closing, JobLines, JsonLines, Live, Mask, Short, Style, Text};

use crate::inputs::Inputs;
use crate::{output, settings};

/// The journal of a run: events, and before each the files that were used since the last.
struct Record {
    writer: JournalWriter,
    inputs: Arc<Inputs>,
}

impl Journal for Record {
    fn append(&self, event: &Event) -> Result<(), JournalFailure> {
        for input in self.inputs.take_new() {
            let used = Event {
                kind: EventKind::InputUsed { input },
                ..event.clone()
            };
            self.writer.append(&used).map_err(failure)?;
        }
        self.writer.append(event).map(drop).map_err(failure)
    }

    fn durable(&self) -> BoxFuture<'static, Result<(), JournalFailure>> {
        let durable = self.writer.durable();
        Box::pin(async { durable.await.map_err(failure) })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn failure(error: JournalError) -> JournalFailure {
    JournalFailure(error.to_string())
}

/// Takes the place of a journal that was not wanted.
struct NoRecord;

impl Journal for NoRecord {
    fn append(&self, _: &Event) -> Result<(), JournalFailure> {
        Ok(())
    }

    fn durable(&self) -> BoxFuture<'static, Result<(), JournalFailure>> {
        Box::pin(ready(Ok(())))
    }
}

/// What the mask knows of, for the journal to seal.
struct Sealing(Mask);

impl FindSecrets for Sealing {
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        self.0.ranges(text)
    }
}

/// What of a run its journal begins with.
pub(crate) struct Beginning {
    pub run: String,
    pub mode: RunMode,
    pub inputs: Vec<Input>,
    /// Flags as they were understood.
    pub options: BTreeMap<String, String>,
}

/// Begins the journal of a run.
pub(crate) fn begin(
    beginning: Beginning,
    inputs: Arc<Inputs>,
    mask: Mask,
) -> anyhow::Result<Arc<dyn Journal>> {
    let state = settings::state_directory()
        .context("no place for the journal: set SASRUN_STATE, or run with --no-journal")?;
    let directory = RunDirectory::create(&state, &beginning.run)?;
    let header = header(beginning);
    let writer = JournalWriter::create(&directory, &header, Arc::new(Sealing(mask)))?;
    Ok(Arc::new(Record { writer, inputs }))
}

/// Goes on with the journal of a run that ended early. Files that it knows are not told again.
pub(crate) fn go_on(
    directory: &RunDirectory,
    recovered: &Recovered,
    inputs: Arc<Inputs>,
    mask: Mask,
) -> anyhow::Result<Arc<dyn Journal>> {
    inputs.forget_known(&recovered.inputs());
    let resumed = EventKind::RunResumed {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        user: settings::login_name(),
        host: settings::machine_name(),
        pid: std::process::id(),
    };
    let sealing = Arc::new(Sealing(mask));
    let writer = JournalWriter::reopen(directory, recovered, resumed, sealing)?;
    Ok(Arc::new(Record { writer, inputs }))
}

/// Where the long output of a run's commands goes, beside its journal.
pub(crate) fn output_folder(state: &Path, run: &str) -> PathBuf {
    state.join("runs").join(run).join("output")
}

/// A journal that keeps nothing.
pub(crate) fn none() -> Arc<dyn Journal> {
    Arc::new(NoRecord)
}

fn header(beginning: Beginning) -> RunHeader {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let arguments = std::env::args_os().skip(1);
    let directory = std::env::current_dir().unwrap_or_default();
    RunHeader {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        run: beginning.run,
        mode: beginning.mode,
        started_at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        argv: arguments
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        directory: directory.display().to_string(),
        user: settings::login_name(),
        host: settings::machine_name(),
        pid: std::process::id(),
        inputs: beginning.inputs,
        options: beginning.options,
        environment: Some(settings::course()),
    }
}

/// Registers secrets with the mask.
pub(crate) struct MaskedSecrets(pub Mask);

impl Secrets for MaskedSecrets {
    fn register(&self, value: &str) {
        self.0.register(value);
    }
}

/// The report on the terminal, live or plain.
pub(crate) struct TerminalReport {
    pub text: Text,
    /// What is told at the end.
    pub closing: Closing,
    pub style: Style,
    /// Takes the place of the text where one task is run without a playbook.
    pub short: Option<Short>,
    pub live: Option<Rc<RefCell<Live>>>,
}

impl Observer for TerminalReport {
    fn event(&mut self, event: &Event) {
        let mut lines = match &self.short {
            Some(short) => short.lines(event),
            None => self.text.lines(event),
        };
        self.closing.event(event);
        if self.short.is_none() && matches!(event.kind, EventKind::RunFinished { .. }) {
            lines.extend(self.closing.lines(self.style));
        }
        match &self.live {
            None => lines.iter().for_each(|line| output::line(line)),
            Some(live) => {
                let mut live = live.borrow_mut();
                lines.iter().for_each(|line| live.print_above(line));
                live.event(event);
            }
        }
    }
}

/// The report of a look at jobs.
pub(crate) struct JobReport {
    pub lines: JobLines,
    /// Set when no host knows the job that was named.
    pub is_unknown: Rc<Cell<bool>>,
}

impl Observer for JobReport {
    fn event(&mut self, event: &Event) {
        let lines = self.lines.lines(event);
        lines.iter().for_each(|line| output::line(line));
        self.is_unknown.set(self.lines.is_unknown());
    }
}

/// Events as JSON lines in a file.
pub(crate) struct EventFile {
    lines: JsonLines<BufWriter<File>>,
    is_broken: bool,
}

impl EventFile {
    pub(crate) fn new(file: File, mask: Mask) -> Self {
        Self {
            lines: JsonLines::new(BufWriter::new(file), mask),
            is_broken: false,
        }
    }
}

impl Observer for EventFile {
    fn event(&mut self, event: &Event) {
        if self.is_broken {
            return;
        }
        if let Err(error) = self.lines.write(event) {
            output::error_line(&format!(
                "sasrun: the file of events cannot be written: {error}"
            ));
            self.is_broken = true;
        }
    }
}
