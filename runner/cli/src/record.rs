//! Where events go: the journal first, then the terminal and the file of events.

use std::cell::RefCell;
use std::fs::File;
use std::io::BufWriter;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use sasrun_engine::seams::{Journal, JournalFailure, Observer, Secrets};
use sasrun_journal::JournalWriter;
use sasrun_model::Event;
use sasrun_report::{JsonLines, Live, Mask, Short, Text};

use crate::output;

/// The journal of a run, or none.
pub(crate) struct Record {
    pub writer: Option<JournalWriter>,
    pub mask: Mask,
}

impl Journal for Record {
    fn append(&self, event: &Event) -> Result<(), JournalFailure> {
        let Some(writer) = &self.writer else {
            return Ok(());
        };
        let mut event = event.clone();
        event.kind.forget_hidden();
        let line =
            JournalWriter::line(&event).map_err(|error| JournalFailure(error.to_string()))?;
        let masked = self.mask.apply(&line);
        writer
            .append(&masked)
            .map_err(|error| JournalFailure(error.to_string()))
    }

    fn durable(&self) -> BoxFuture<'_, Result<(), JournalFailure>> {
        Box::pin(ready(Ok(())))
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
    /// Takes the place of the text where one task is run without a playbook.
    pub short: Option<Short>,
    pub live: Option<Rc<RefCell<Live>>>,
}

impl Observer for TerminalReport {
    fn event(&mut self, event: &Event) {
        let lines = match &self.short {
            Some(short) => short.lines(event),
            None => self.text.lines(event),
        };
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

/// The journal as the engine takes it.
pub(crate) fn journal(writer: Option<JournalWriter>, mask: Mask) -> Arc<dyn Journal> {
    Arc::new(Record { writer, mask })
}
