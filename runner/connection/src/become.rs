//! Becoming another user: sudo and su, their prompts and their refusals.
//!
//! The password travels over the program's standard input or its terminal, never in arguments or environment, and is sent once.
//! Must not: run commands of the user's; it hands over a channel behind which the new identity's program has begun.

use bytes::Bytes;

use crate::error::{Problem, excerpt};
use crate::identity::{Become, BecomeMethod};
use crate::shell::frame::{self, Scanner};
use crate::shell::quote;
use crate::transport::{ByteChannel, ChannelEvent, Link, Program, TerminalSize};

/// A program that runs as the new user.
pub(crate) struct Entered {
    pub channel: ByteChannel,
    /// What the program has said already.
    pub rest: Bytes,
    /// Says that the program sits on a terminal, for `sudo` or `su` wanted one.
    pub is_on_terminal: bool,
}

/// Starts a kept shell as another user, on a terminal only where nothing else is allowed.
pub(crate) async fn enter_shell(link: &Link, who: &Become) -> Result<Entered, Problem> {
    match enter(link, who, None, "exec /bin/sh").await {
        Err(Refusal::NeedsTerminal) => {
            // A raw terminal changes no byte and knows no longest line; a shell with a terminal for its errors would prompt.
            let program = "stty raw -echo; exec /bin/sh 2>/dev/null";
            enter(link, who, Some(TerminalSize::default()), program)
                .await
                .map_err(|refusal| refusal.into_problem(who))
        }
        other => other.map_err(|refusal| refusal.into_problem(who)),
    }
}

/// Starts a program on a terminal as another user.
pub(crate) async fn enter_terminal(
    link: &Link,
    who: &Become,
    size: TerminalSize,
    program: &str,
) -> Result<Entered, Problem> {
    enter(link, who, Some(size), program)
        .await
        .map_err(|refusal| refusal.into_problem(who))
}

enum Refusal {
    NeedsTerminal,
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Refusal {
    fn into_problem(self, who: &Become) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::NeedsTerminal => Problem::BecomeRefused {
                method: who.method.to_string(),
                user: who.user.clone(),
                reason: "it wants a terminal even where it has one".to_owned(),
            },
        }
    }
}

async fn enter(
    link: &Link,
    who: &Become,
    terminal: Option<TerminalSize>,
    program: &str,
) -> Result<Entered, Refusal> {
    let token = frame::token();
    let prompt = format!("[{}] password: ", frame::token());
    let line = line(who, &token, &prompt, program, terminal.is_some())?;
    let channel = link.open(&Program::Line(line), terminal).await?;
    let mut entry = Entry {
        who,
        prompt,
        said: Vec::new(),
        is_answered: false,
        answered_at: 0,
    };
    entry.wait(channel, &token, terminal.is_some()).await
}

/// The line for the login shell.
fn line(
    who: &Become,
    token: &str,
    prompt: &str,
    program: &str,
    on_terminal: bool,
) -> Result<String, Problem> {
    if who.user.is_empty() || who.user.contains('\0') {
        return Err(Problem::Request {
            reason: format!("{:?} is no user to become", who.user),
        });
    }
    let (setup, program) = match program.split_once("; ") {
        Some((setup, program)) => (format!("{setup}; "), program),
        None => (String::new(), program),
    };
    // Only the shell that has become somebody writes the token.
    let inner = quote::word(&format!("{setup}echo {token}; {program}"));
    let user = quote::word(&who.user);
    let exe = quote::path(who.exe.as_deref().unwrap_or(match who.method {
        BecomeMethod::Sudo => "sudo",
        BecomeMethod::Su => "su",
    }));
    Ok(match who.method {
        BecomeMethod::Sudo => {
            let flags = who.flags.as_deref().unwrap_or("-H");
            let how = match (&who.password, on_terminal) {
                (None, _) => "-n",
                (Some(_), false) => "-S",
                (Some(_), true) => "",
            };
            let prompt = quote::word(prompt);
            format!("exec {exe} {flags} {how} -p {prompt} -u {user} /bin/sh -c {inner}")
        }
        BecomeMethod::Su => {
            let flags = who.flags.as_deref().unwrap_or_default();
            format!("exec {exe} {flags} {user} -c {inner}")
        }
    })
}

/// What the program that changes the user has said so far.
struct Entry<'w> {
    who: &'w Become,
    prompt: String,
    said: Vec<u8>,
    is_answered: bool,
    /// Length of `said` when the password was sent.
    answered_at: usize,
}

impl Entry<'_> {
    async fn wait(
        &mut self,
        mut channel: ByteChannel,
        token: &str,
        is_on_terminal: bool,
    ) -> Result<Entered, Refusal> {
        let mut scanner = Scanner::new(token);
        loop {
            match channel.reader.next().await {
                ChannelEvent::Stdout(bytes) => {
                    let used = scanner.feed(&bytes, |noise| self.said.extend_from_slice(noise));
                    if scanner.is_done() {
                        return Ok(Entered {
                            channel,
                            rest: bytes.slice(used..),
                            is_on_terminal,
                        });
                    }
                }
                ChannelEvent::Stderr(bytes) => self.said.extend_from_slice(&bytes),
                ChannelEvent::Exited(_) => {}
                ChannelEvent::Closed => return Err(self.refusal(is_on_terminal)),
            }
            if !self.is_asked() {
                continue;
            }
            let Some(password) = self.who.password.as_ref().filter(|_| !self.is_answered) else {
                let refusal = self.asked_in_vain();
                channel.writer.close().await;
                return Err(refusal);
            };
            self.is_answered = true;
            self.answered_at = self.said.len();
            let answer = format!("{}\n", password.expose());
            channel
                .writer
                .write(answer.into())
                .await
                .map_err(Problem::lost)?;
        }
    }

    /// Tells whether a password is asked for, since the last answer.
    fn is_asked(&self) -> bool {
        let fresh = self.said.get(self.answered_at..).unwrap_or_default();
        match self.who.method {
            BecomeMethod::Sudo => memchr::memmem::find(fresh, self.prompt.as_bytes()).is_some(),
            // su asks in its own language; what all have in common is that nothing follows.
            BecomeMethod::Su => {
                let text = String::from_utf8_lossy(fresh);
                let text = text.trim_end_matches(' ');
                text.ends_with(':') || text.ends_with('：')
            }
        }
    }

    fn asked_in_vain(&self) -> Refusal {
        let (method, user) = (self.who.method.to_string(), self.who.user.clone());
        Refusal::Problem(match self.who.password {
            Some(_) => Problem::BecomePassword { method, user },
            None => Problem::BecomePasswordMissing { method, user },
        })
    }

    /// Explains why the program ended instead of becoming somebody.
    fn refusal(&self, is_on_terminal: bool) -> Refusal {
        let (method, user) = (self.who.method.to_string(), self.who.user.clone());
        let said = String::from_utf8_lossy(&self.said).replace(&self.prompt, "");
        let lower = said.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if !is_on_terminal && says(&["tty", "terminal"]) {
            return Refusal::NeedsTerminal;
        }
        let is_forbidden = says(&["not in the sudoers", "not allowed", "may not run"]);
        let problem = if self.is_answered && !is_forbidden {
            Problem::BecomePassword { method, user }
        } else if self.who.password.is_none() && says(&["password is required"]) {
            Problem::BecomePasswordMissing { method, user }
        } else {
            let reason = match excerpt(said.as_bytes()) {
                text if text.is_empty() => "it ended without a word".to_owned(),
                text => text,
            };
            Problem::BecomeRefused {
                method,
                user,
                reason,
            }
        };
        Refusal::Problem(problem)
    }
}
