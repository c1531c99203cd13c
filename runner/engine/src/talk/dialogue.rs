//! A dialogue with a program on a terminal of its own.
//!
//! One that is asked for as a job has its terminal held by the host, where a program for that is there: it goes on without
//! the connection and without the runner, and a run that goes on finds it. Otherwise it ends with its connection; then the
//! host is told so before it begins, for whoever comes later.

use std::time::Duration;

use sasrun_connection as connection;
use sasrun_connection::{
    Connection, ConnectionError, Dialogue, ExitStatus, HeldDialogue, Identity, JobId, Patience,
    Sent, TerminalSize, Typed,
};
use sasrun_model::Decision;
use sasrun_plugin::{Answer, Command, CommandOutput, DialogueRequest, Failure, Screen};

use super::job::{left_alone, unknown};
use super::{Ending, Reply, Talking, convert, lost, refused};

/// Longest wait of one look at the screen; the module looks again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The signal of Ctrl-C.
const INTERRUPT: &[u8] = b"\x03";
/// Words kept beside a dialogue on its host: what holds its terminal, and what its module wants to remember.
const HELD_BY: &str = "terminal";
const NOTE: &str = "note";
/// What holds a terminal that ends with its connection.
const CONNECTION: &str = "connection";

/// A terminal with a program on it.
pub(super) enum Terminal {
    /// It ends with its connection.
    Bound(Box<Dialogue>),
    /// Its host holds it.
    Held(Box<HeldDialogue>),
}

impl Terminal {
    async fn read(&mut self, since: u64, wait: Duration) -> Result<Screen, ConnectionError> {
        Ok(match self {
            Self::Bound(dialogue) => screen(dialogue.read(since, wait).await),
            Self::Held(dialogue) => {
                let shown = dialogue.read(since, wait).await?;
                Screen {
                    lost_because: why_lost(dialogue.state()).to_owned(),
                    ..screen(shown)
                }
            }
        })
    }

    async fn send(
        &mut self,
        text: Vec<u8>,
        if_at: Option<u64>,
        typed: Typed,
    ) -> Result<Sent, ConnectionError> {
        match self {
            Self::Bound(dialogue) => dialogue.send(text, if_at).await,
            Self::Held(dialogue) => dialogue.send(&text, if_at, typed).await,
        }
    }
}

/// Why nothing more is known of a program whose terminal its host held.
fn why_lost(state: connection::JobState) -> &'static str {
    match state {
        connection::JobState::Rebooted => "the host was booted while it ran",
        connection::JobState::Gone => "its process is gone and left no result",
        connection::JobState::Absent => "its files are gone from the host",
        _ => "",
    }
}

impl Talking<'_> {
    pub(super) async fn dialogue(&mut self, request: DialogueRequest) -> Reply {
        match request {
            DialogueRequest::Open {
                command,
                columns,
                rows,
                note,
            } => {
                return match self
                    .open(&command, TerminalSize { columns, rows }, note)
                    .await
                {
                    Ok(screen) => Reply::Answer(Answer::Screen { screen }),
                    Err(reply) => reply,
                };
            }
            DialogueRequest::Adopt => return self.adopt().await,
            DialogueRequest::Close => return self.end().await,
            _ => {}
        }
        let left = self.left();
        let Some(terminal) = &mut self.dialogue else {
            return Reply::Answer(refused("protocol", "no dialogue is open"));
        };
        let answer = match request {
            DialogueRequest::Read { since, wait_ms } => {
                let wait = Duration::from_millis(wait_ms).min(LONGEST_WAIT);
                terminal
                    .read(since, left.map_or(wait, |left| wait.min(left)))
                    .await
            }
            DialogueRequest::Send {
                text,
                if_at,
                sensitive,
            } => {
                let typed = if sensitive {
                    Typed::Sensitive
                } else {
                    Typed::Text
                };
                answer(terminal, text.into_bytes(), Some(if_at), typed).await
            }
            DialogueRequest::Interrupt => {
                answer(terminal, INTERRUPT.to_vec(), None, Typed::Interrupt).await
            }
            _ => {
                let message = "this engine does not know the request";
                return Reply::Answer(refused("protocol", message));
            }
        };
        match answer {
            Ok(screen) => Reply::Answer(Answer::Screen { screen }),
            Err(error) => self.lost_sight(&error),
        }
    }

    /// The terminal cannot be reached any more. One that its host holds goes on alone.
    fn lost_sight(&mut self, error: &ConnectionError) -> Reply {
        match self.dialogue.take() {
            Some(Terminal::Held(dialogue)) => left_alone(dialogue.id(), error),
            bound => {
                self.dialogue = bound;
                lost(error)
            }
        }
    }

    async fn open(
        &mut self,
        command: &Command,
        size: TerminalSize,
        note: String,
    ) -> Result<Screen, Reply> {
        if self.check {
            let reason = "a dialogue with a program would change things".to_owned();
            return Err(Reply::End(Ending::CannotKnow(reason)));
        }
        if !self.is_declared {
            let message = "the module opened a dialogue that it had not declared";
            return Err(Reply::Answer(refused("undeclared", message)));
        }
        if self.dialogue.is_some() {
            let message = "a dialogue is open already";
            return Err(Reply::Answer(refused("protocol", message)));
        }
        if self.is_job(command) {
            return self.open_as_job(command, size, note).await;
        }
        let (connection, identity) = self.connection().await?;
        self.open_bound(&connection, &identity, command, size).await
    }

    /// Opens a terminal that ends with its connection.
    async fn open_bound(
        &mut self,
        connection: &Connection,
        identity: &Identity,
        command: &Command,
        size: TerminalSize,
    ) -> Result<Screen, Reply> {
        let command = convert::command(command, &self.environment, None);
        let dialogue = connection.dialogue(identity, &command, size).await;
        let dialogue = dialogue.map_err(|error| lost(&error))?;
        self.first_look(Terminal::Bound(Box::new(dialogue))).await
    }

    /// Opens a terminal that the host holds, or goes on with the one that is there.
    async fn open_as_job(
        &mut self,
        command: &Command,
        size: TerminalSize,
        note: String,
    ) -> Result<Screen, Reply> {
        if let Some(screen) = self.find().await? {
            return Ok(screen);
        }
        let (connection, identity) = self.connection().await?;
        let id = self.dialogue_id().ok_or_else(nameless)?;
        self.forget_if_repeated(&connection, &identity, &id).await?;
        self.job = Some(id.clone());
        let maker = connection.terminal_maker(&identity).await;
        let maker = maker.map_err(|error| lost(&error))?;
        let held_by = maker.as_ref().map_or(CONNECTION, |maker| maker.name());
        let mut about = self.about();
        about.push((HELD_BY.to_owned(), held_by.to_owned()));
        about.push((NOTE.to_owned(), note));
        let mut request = connection::JobRequest {
            id: id.clone(),
            command: connection::Command::shell("true"),
            about,
        };
        let patience = Patience::default();
        let Some(maker) = maker else {
            // The mark of its beginning: of its end the host will know nothing.
            let marked = connection.ensure_job(&identity, &request, &patience).await;
            marked.map_err(|error| lost(&error))?;
            return self.open_bound(&connection, &identity, command, size).await;
        };
        request.command = convert::command(command, &self.environment, None);
        let held = connection.hold_dialogue(&identity, &request, &maker, size, &patience);
        match held.await {
            Ok(dialogue) => self.first_look(Terminal::Held(Box::new(dialogue))).await,
            Err(error) if error.is_unreachable() => Err(left_alone(&id, &error)),
            Err(error) => Err(lost(&error)),
        }
    }

    /// Finds the dialogue that a former life of the run began.
    async fn adopt(&mut self) -> Reply {
        if self.dialogue.is_some() {
            return Reply::Answer(refused("protocol", "a dialogue is open already"));
        }
        match self.find().await {
            Ok(Some(screen)) => {
                // It was declared before it was begun.
                self.is_declared = true;
                Reply::Answer(Answer::Screen { screen })
            }
            Ok(None) => Reply::Answer(refused("absent", "no dialogue of this step was begun")),
            Err(reply) => reply,
        }
    }

    /// The dialogue that a former life of the run began, unless it is to be begun again.
    async fn find(&mut self) -> Result<Option<Screen>, Reply> {
        let past = &self.host_run.run.past;
        let is_new = !past.was_begun(&self.step);
        if self.check || is_new || past.decision(&self.step) == Some(Decision::Repeat) {
            return Ok(None);
        }
        let (connection, identity) = self.connection().await?;
        let id = self.dialogue_id().ok_or_else(nameless)?;
        let patience = Patience::default();
        let found = connection.find_dialogue(&identity, &id, &patience).await;
        let Some(dialogue) = found.map_err(|error| lost(&error))? else {
            let removal = connection.remove_job(&identity, &id).await;
            removal.map_err(|error| lost(&error))?;
            return Ok(None);
        };
        self.job = Some(id.clone());
        if dialogue.about(HELD_BY) == Some(CONNECTION) {
            return Err(unknown(
                "its terminal ended with the connection, for nothing on the host could hold it; \
                 how far the program came is not known"
                    .to_owned(),
            ));
        }
        self.host_run.run.warn(format!(
            "{}: {}: its dialogue is on the host; the run goes on with it",
            self.step.host, self.step.task
        ));
        let note = dialogue.about(NOTE).unwrap_or_default().to_owned();
        let screen = self.first_look(Terminal::Held(Box::new(dialogue))).await?;
        Ok(Some(Screen { note, ..screen }))
    }

    fn dialogue_id(&self) -> Option<JobId> {
        self.host_run.run.jobs.id(&self.step, 0)
    }

    async fn first_look(&mut self, mut terminal: Terminal) -> Result<Screen, Reply> {
        let screen = terminal.read(0, Duration::ZERO).await;
        self.dialogue = Some(terminal);
        screen.map_err(|error| self.lost_sight(&error))
    }

    async fn end(&mut self) -> Reply {
        if self.dialogue.is_none() {
            return Reply::Answer(refused("protocol", "no dialogue is open"));
        }
        match self.close_terminal().await {
            Ok(screen) => Reply::Answer(Answer::Screen { screen }),
            Err(error) => lost(&error),
        }
    }

    /// Ends the dialogue. Once its end is known, its traces go when its outcome is recorded.
    pub(super) async fn close_terminal(&mut self) -> Result<Screen, ConnectionError> {
        let shown = match self.dialogue.take() {
            None => return Ok(Screen::default()),
            Some(Terminal::Bound(dialogue)) => screen(dialogue.close().await?),
            Some(Terminal::Held(mut dialogue)) => screen(dialogue.close().await?),
        };
        let known = self.job.clone().filter(|_| !shown.lost);
        if let (Some(id), Some((reach, connection))) = (known, &self.reach) {
            let (connection, identity) = (connection.clone(), reach.identity.clone());
            let jobs = &self.host_run.run.jobs;
            jobs.has_ended(&self.step, connection, identity, id);
        }
        Ok(shown)
    }
}

/// Types, and looks.
async fn answer(
    terminal: &mut Terminal,
    text: Vec<u8>,
    if_at: Option<u64>,
    typed: Typed,
) -> Result<Screen, ConnectionError> {
    let sent = terminal.send(text, if_at, typed).await?;
    let screen = terminal.read(if_at.unwrap_or(0), Duration::ZERO).await?;
    Ok(Screen {
        sent: sent == Sent::Sent,
        ..screen
    })
}

fn screen(shown: sasrun_connection::Screen) -> Screen {
    let ended = shown.exit.filter(|_| shown.is_closed).map(|exit| {
        let (rc, signal) = match exit {
            ExitStatus::Code(code) => (code, None),
            ExitStatus::Signal(signal) => (128 + signal, Some(signal)),
            ExitStatus::TimedOut(_) => (-1, None),
        };
        CommandOutput {
            rc,
            signal,
            ..CommandOutput::default()
        }
    });
    Screen {
        from: shown.offset,
        to: shown.end(),
        text: String::from_utf8_lossy(&shown.bytes).into_owned(),
        lost: shown.is_closed && shown.exit.is_none(),
        ended,
        ..Screen::default()
    }
}

fn nameless() -> Reply {
    Reply::End(Ending::Failed(Failure::new("the dialogue has no name")))
}
