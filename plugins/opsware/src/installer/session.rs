//! One run of the installer on the host's terminal, from its start to its end.

use std::time::{Duration, Instant};

use sasrun_plugin::{Command, CommandOutput, DialogueRequest, Failure, Host, Outcome, Screen};
use serde_json::Value;

use super::dialogue::{Dialogue, Goal, Phase, Turn};
use super::screen::Lines;
use super::verdict::{self, Verdict};

/// Silence after which a question counts as printed whole.
const SETTLE_MS: u64 = 120;
/// Longest wait for output while an upgrade runs.
const WATCH_MS: u64 = 500;
/// How long the installer may take to end once it was told to.
const LEAVE: Duration = Duration::from_secs(30);
/// Silence after which a sign of life is shown.
const HEARTBEAT_MS: u64 = 30_000;
/// Lines of the screen that are told of a run whose end is not known.
const LAST_LINES: usize = 4;
/// Part of the transcript that is kept in the result.
const TRANSCRIPT_KEPT: usize = 64 * 1024;

/// How a run ended.
pub(super) struct End {
    /// Why it failed; nothing if it did not.
    pub(super) failure: Option<String>,
    pub(super) saved: Option<String>,
    pub(super) no_interview: bool,
    unknown: bool,
    verdict: Verdict,
    findings: Vec<String>,
    defaults_taken: Vec<String>,
    transcript: String,
}

impl End {
    /// Whether the installer found no room on a disk.
    pub(super) fn disk_full(&self) -> bool {
        self.failure.is_some() && self.verdict.disk_full
    }

    /// Adds what was seen to a good outcome.
    pub(super) fn report(self, mut outcome: Outcome) -> Outcome {
        outcome.warnings.extend(self.findings.iter().cloned());
        outcome
            .with("findings", list(self.findings))
            .with("defaults_taken", list(self.defaults_taken))
            .with("transcript", self.transcript)
    }

    /// Tells of installers that are still there although nothing is known of this one.
    pub(super) fn with_left_behind(mut self, running: &[String]) -> Self {
        if let Some(failure) = self.failure.as_mut().filter(|_| self.unknown) {
            let left = match running {
                [] => "no installer is running on the host now".to_owned(),
                running => format!("still running there: {}", running.join(" / ")),
            };
            let last = self
                .transcript
                .lines()
                .filter(|line| !line.trim().is_empty());
            let last: Vec<&str> = last.map(str::trim).collect();
            let from = last.len().saturating_sub(LAST_LINES);
            let shown = last.get(from..).unwrap_or_default().join(" / ");
            *failure = format!("{failure}; last on its screen: {shown}; {left}");
        }
        self
    }

    /// Makes a failure of it.
    pub(super) fn into_failure(self, message: String) -> Failure {
        let mut failure = Failure::new(message)
            .with("communication_timeout", self.verdict.communication_timeout)
            .with(
                "conflicts_in",
                self.verdict.conflicts_in.unwrap_or_default(),
            )
            .with("findings", list(self.findings.clone()))
            .with("transcript", self.transcript);
        failure.warnings = self.findings;
        failure.unknown = self.unknown;
        failure
    }
}

fn list(values: Vec<String>) -> Value {
    values.into_iter().map(Value::from).collect()
}

/// How to talk with the installer.
pub(super) struct Manner {
    pub(super) goal: Goal,
    /// Longest time that the whole may take.
    pub(super) limit: Duration,
    /// How long an unknown question is left alone.
    pub(super) question_wait: Duration,
}

/// A run in progress.
pub(super) struct Session<'a> {
    host: &'a Host,
    dialogue: Dialogue,
    transcript: String,
    /// Offset just past what was heard.
    heard: u64,
    silent_ms: u64,
    shown_ms: u64,
    begun: Instant,
    left: Option<Instant>,
    interrupts: u32,
    /// Whether it was interrupted in the middle of its work.
    torn: bool,
}

impl<'a> Session<'a> {
    /// Starts the installer and talks with it until it ends; `note` is kept with the dialogue.
    pub(super) async fn hold(
        host: &'a Host,
        command: Command,
        note: String,
        manner: Manner,
    ) -> Result<End, Failure> {
        let open = DialogueRequest::Open {
            command,
            columns: 200,
            rows: 50,
            note,
        };
        let opened = host.dialogue(open).await?;
        Self::go_on(host, opened, manner).await
    }

    /// Talks with the installer whose screen this is until it ends.
    pub(super) async fn go_on(
        host: &'a Host,
        screen: Screen,
        manner: Manner,
    ) -> Result<End, Failure> {
        let Manner {
            goal,
            limit,
            question_wait,
        } = manner;
        let wait_ms = u64::try_from(question_wait.as_millis()).unwrap_or(u64::MAX);
        let mut session = Self {
            host,
            dialogue: Dialogue::new(goal, wait_ms),
            transcript: String::new(),
            heard: 0,
            silent_ms: 0,
            shown_ms: 0,
            begun: Instant::now(),
            left: None,
            interrupts: 0,
            torn: false,
        };
        if let Some(end) = session.hear(screen).await? {
            return Ok(end);
        }
        loop {
            if session.begun.elapsed() > limit && session.left.is_none() {
                session.torn = session.dialogue.phase() == Phase::Working;
                session
                    .interrupt(format!(
                        "the installer was not done within {} s",
                        limit.as_secs()
                    ))
                    .await?;
            }
            if let Some(end) = session.step().await? {
                return Ok(end);
            }
        }
    }

    /// Listens once, and answers if there is something to answer.
    async fn step(&mut self) -> Result<Option<End>, Failure> {
        let wait_ms = if self.dialogue.phase() == Phase::Asking {
            SETTLE_MS
        } else {
            WATCH_MS
        };
        let heard = self.heard;
        let screen = self
            .host
            .dialogue(DialogueRequest::Read {
                since: heard,
                wait_ms,
            })
            .await?;
        let is_silent = screen.to <= heard;
        if let Some(end) = self.hear(screen).await? {
            return Ok(Some(end));
        }
        if !is_silent {
            return Ok(None);
        }
        self.silent_ms += wait_ms;
        self.heartbeat().await?;
        if self.left.is_some_and(|left| left.elapsed() > LEAVE) {
            return self.leave_harder().await;
        }
        match self.dialogue.turn(self.silent_ms) {
            Turn::Wait => Ok(None),
            Turn::Interrupt(reason) => {
                self.interrupt(reason).await?;
                Ok(None)
            }
            Turn::Type(made) => {
                let send = DialogueRequest::Send {
                    text: made.text.clone(),
                    if_at: self.heard,
                    sensitive: made.sensitive,
                };
                let screen = self.host.dialogue(send).await?;
                if screen.sent {
                    self.dialogue.typed(made);
                    self.silent_ms = 0;
                    if self.dialogue.phase() == Phase::Leaving {
                        self.left = Some(Instant::now());
                    }
                }
                self.hear(screen).await
            }
        }
    }

    /// Takes in what the terminal shows; tells the end if there is one.
    async fn hear(&mut self, screen: Screen) -> Result<Option<End>, Failure> {
        if screen.to > self.heard {
            self.silent_ms = 0;
            self.shown_ms = 0;
            self.heard = screen.to;
            self.transcript.push_str(&screen.text);
            self.dialogue.hear(&screen.text);
            let lines = Lines::of(&screen.text);
            if self.dialogue.phase() == Phase::Working && !lines.last().is_empty() {
                self.host.progress(lines.last().trim().to_owned()).await?;
            }
        }
        if screen.lost {
            let cause = match &*screen.lost_because {
                "" => "the connection was lost while the installer ran",
                cause => cause,
            };
            let message = format!("{cause}; what the installer came to is not known");
            return Ok(Some(self.end(Some(message), true, Verdict::default())));
        }
        Ok(screen.ended.map(|end| self.judge(&end)))
    }

    async fn heartbeat(&mut self) -> Result<(), Failure> {
        if self.silent_ms < self.shown_ms + HEARTBEAT_MS {
            return Ok(());
        }
        self.shown_ms = self.silent_ms;
        self.host
            .progress(format!("no output for {} s", self.silent_ms / 1000))
            .await
    }

    async fn interrupt(&mut self, reason: String) -> Result<(), Failure> {
        self.dialogue.interrupted(reason);
        self.left = Some(Instant::now());
        self.interrupts += 1;
        self.host
            .dialogue(DialogueRequest::Interrupt)
            .await
            .map(|_| ())
    }

    /// The installer was told to end and did not.
    async fn leave_harder(&mut self) -> Result<Option<End>, Failure> {
        if self.interrupts < 2 {
            self.interrupt("the installer did not end when it was told to".to_owned())
                .await?;
            return Ok(None);
        }
        let message = self.dialogue.refusal.clone().unwrap_or_default();
        let message = format!("{message}; the installer does not end, inspect the host");
        Ok(Some(self.end(Some(message), true, Verdict::default())))
    }

    fn judge(&mut self, end: &CommandOutput) -> End {
        let mut verdict = verdict::judge(&self.transcript, end);
        // Whoever leaves on purpose ends with any status.
        let failure = match (self.dialogue.refusal.clone(), self.dialogue.phase()) {
            (Some(refusal), _) if verdict.conflicts_in.is_none() => Some(refusal),
            (_, Phase::Asking) if self.dialogue.saved.is_none() => {
                Some(verdict.failure.take().unwrap_or_else(|| {
                    "the installer ended before it had asked what it was expected to ask".to_owned()
                }))
            }
            (_, Phase::Asking | Phase::Leaving)
                if self.dialogue.saved.is_some() || self.dialogue.no_interview =>
            {
                None
            }
            _ => verdict.failure.take(),
        };
        // What an installer without its medium, or without its end, has left behind only a look can tell.
        let is_unknown = failure.is_some() && (self.torn || verdict.medium_gone);
        let failure = failure.map(|failure| match is_unknown {
            true => format!("{failure}; how far it came is not known, inspect the host"),
            false => failure,
        });
        self.end(failure, is_unknown, verdict)
    }

    fn end(&mut self, failure: Option<String>, unknown: bool, verdict: Verdict) -> End {
        let mut findings = std::mem::take(&mut self.dialogue.findings);
        findings.extend(verdict.findings.iter().cloned());
        End {
            failure,
            saved: self.dialogue.saved.take(),
            no_interview: self.dialogue.no_interview,
            unknown,
            verdict,
            findings,
            defaults_taken: std::mem::take(&mut self.dialogue.defaults_taken),
            transcript: kept(&self.transcript),
        }
    }
}

/// The transcript as plain lines, its end if it is long.
fn kept(transcript: &str) -> String {
    let text = Lines::of(transcript).all().collect::<Vec<_>>().join("\n");
    let mut from = text.len().saturating_sub(TRANSCRIPT_KEPT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    if from == 0 {
        text
    } else {
        format!("[…]\n{}", text.get(from..).unwrap_or_default())
    }
}
