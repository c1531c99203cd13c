//! What runs right now, below the report: host, task, since when, last line.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sasrun_model::{Event, EventKind, Name};

use crate::Mask;

/// Lines shown at most; more hosts are counted in the last one.
const MOST_LINES: usize = 12;
/// A task that is done sooner is not shown at all.
const SHOWN_AFTER: Duration = Duration::from_millis(400);

/// The live part of a terminal.
pub struct Live {
    screen: MultiProgress,
    mask: Mask,
    columns: usize,
    task_names: HashMap<Name, String>,
    running: HashMap<(Name, Name), Running>,
}

struct Running {
    since: Instant,
    title: String,
    bar: Option<ProgressBar>,
    line: String,
}

impl Live {
    /// Begins below what is on the terminal already.
    pub fn new(mask: Mask, columns: usize) -> Self {
        Self {
            screen: MultiProgress::with_draw_target(ProgressDrawTarget::stdout()),
            mask,
            columns,
            task_names: HashMap::new(),
            running: HashMap::new(),
        }
    }

    /// Writes report text above the live lines.
    pub fn print_above(&self, text: &str) {
        // A terminal that is gone is no reason to fail a run.
        let _ = self.screen.println(text);
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::TaskStarted { task, name, .. } => {
                self.task_names.insert(task.clone(), name.clone());
            }
            EventKind::HostStarted { id, .. } => {
                let task = self.task_names.get(&id.task).cloned().unwrap_or_default();
                let running = Running {
                    since: Instant::now(),
                    title: format!("{}  {task}", id.host),
                    bar: None,
                    line: String::new(),
                };
                self.running
                    .insert((id.host.clone(), id.task.clone()), running);
            }
            EventKind::HostProgress { id, line } => {
                let line = self.mask.apply(line).into_owned();
                if let Some(running) = self.running.get_mut(&(id.host.clone(), id.task.clone())) {
                    running.line = line;
                }
            }
            EventKind::HostFinished { id, .. } => {
                let ended = self.running.remove(&(id.host.clone(), id.task.clone()));
                if let Some(bar) = ended.and_then(|running| running.bar) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
            EventKind::RunFinished { .. } => self.clear(),
            _ => {}
        }
        self.draw();
    }

    /// Draws the lines anew; called with each event, and by a clock in between.
    pub fn draw(&mut self) {
        let shown = self
            .running
            .values()
            .filter(|running| running.bar.is_some())
            .count();
        let mut room = MOST_LINES.saturating_sub(shown);
        for running in self.running.values_mut() {
            let age = running.since.elapsed();
            if running.bar.is_none() && room > 0 && age >= SHOWN_AFTER {
                running.bar = Some(self.screen.add(new_bar()));
                room -= 1;
            }
            if let Some(bar) = &running.bar {
                bar.set_message(message(running, age, self.columns));
                bar.tick();
            }
        }
    }

    fn clear(&mut self) {
        for (_, running) in self.running.drain() {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
        let _ = self.screen.clear();
    }
}

/// A line that draws only when told to: a clock of its own would draw between two lines of the
/// report.
fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

fn message(running: &Running, age: Duration, columns: usize) -> String {
    let since = format!("{:>4}s", age.as_secs());
    let line = if running.line.is_empty() { "" } else { "  | " };
    let text = format!("{since}  {}{line}{}", running.title, running.line);
    text.chars()
        .filter(|c| !c.is_control())
        .take(columns.saturating_sub(3).max(20))
        .collect()
}
