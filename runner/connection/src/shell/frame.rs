//! The text of a frame and how its end is found in what comes back.
//!
//! A frame runs one command in a subshell and ends with a marker on both output streams. The marker is a token drawn at
//! random for this frame alone, and written by the shell itself after the subshell ended, so that no output can forge it.
//!
//! The shell's own descriptors: 3 takes the shell's words about a subshell that a signal ended (so that such a death and an
//! exit code above 128 are told apart), 4 is its standard error, 6 takes a command's errors where both streams arrive as one,
//! 8 writes to a FIFO. Every process of a frame holds the FIFO's reading end as descriptor 7: if the shell can still write to
//! the FIFO when the subshell is over, somebody outlived it.
//!
//! Must not: do I/O, or use anything an old Bourne shell cannot read.

use crate::command::Command;
use crate::error::Problem;
use crate::shell::quote;

/// What a shell said of itself when it greeted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Process id of the shell.
    pub pid: u32,
    /// Says that the shell leads a process group of its own.
    pub leads_group: bool,
    pub leftovers: Leftovers,
    /// Says that both output streams arrive as one, for the shell sits on a terminal.
    pub is_merged: bool,
}

/// How a frame finds out whether processes outlived it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// Through pipes of the shell's own here-documents, opened a second time in `/proc`: no program is started for them and
    /// nothing is ever on disk.
    Pipes,
    /// Through the shell's own descriptors in `/proc`, nothing on disk.
    Proc,
    /// Through a FIFO and a file of this prefix.
    Named(String),
    /// Not at all: no directory takes a FIFO.
    Unknown,
}

/// A frame's random marker.
pub(crate) fn token() -> String {
    format!("sasrun{:032x}", rand::random::<u128>())
}

/// Takes the writing ends of two pipes that the shell made for here-documents, where it makes pipes for them: one whose readers
/// are the processes of a frame, and one for the shell's own words.
const PIPES: &str = "exec 5<<. 7<<.
x
.
x
.
_p=/proc/self/fd
if [ -p $_p/5 ] && [ -w $_p/5 ] && [ -p $_p/7 ] && [ -w $_p/7 ]; then
exec 8>$_p/5 3<>$_p/7
read _x <&3; _t=pipes
fi
exec 5<&- 7<&-
";

/// The text that prepares a shell and makes it greet.
pub(crate) fn greeting_script(token: &str, is_merged: bool) -> String {
    // A signal that is caught, not ignored, is back at its default in the commands.
    let files = format!(".{token}");
    let merged = if is_merged { "" } else { " >&2" };
    let pipes = if is_merged { "" } else { PIPES };
    format!(
        r#"trap : 2
exec 4>&2 3>/dev/null
_t=- _g=0
{pipes}for _x in /tmp /var/tmp /dev/shm "$HOME"; do
if [ $_t = pipes ]; then break; fi
if mkfifo -m 600 "$_x/{files}.f" 2>/dev/null; then
_t=$_x/{files}
exec 5<>"$_t.f" 8>"$_t.f" 3>>"$_t.m"
exec 5<&-{errors}
if [ -r /proc/self/fd/8 ]; then rm -f "$_t.f" "$_t.m" "$_t.e"; _t=proc
else trap "rm -f '$_t.f' '$_t.m' '$_t.e'" 0; fi
break
fi
done
if kill -0 -$$ 2>/dev/null; then _g=1; fi
echo "{token} $$ $_g $_t"; echo {token}{merged}
"#,
        errors = if is_merged { " 6>\"$_t.e\"" } else { "" },
    )
}

/// Reads the fields behind the token of a greeting.
pub(crate) fn parse_greeting(fields: &str, is_merged: bool) -> Option<Greeting> {
    let mut words = fields.trim().splitn(3, ' ');
    let pid = words.next()?.parse().ok()?;
    let leads_group = words.next()? == "1";
    let leftovers = match words.next()? {
        "-" => Leftovers::Unknown,
        "pipes" => Leftovers::Pipes,
        "proc" => Leftovers::Proc,
        prefix => Leftovers::Named(prefix.to_owned()),
    };
    Some(Greeting {
        pid,
        leads_group,
        leftovers,
        is_merged,
    })
}

/// Where a command's standard input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// `/dev/null`
    Nothing,
    /// What the channel brings after the go-ahead, this many bytes; the shell ends with the command, so that it never reads any
    /// of it.
    Channel(u64),
}

/// Writes the frame of one command.
pub(crate) fn render(
    out: &mut String,
    greeting: &Greeting,
    token: &str,
    command: &Command,
    input: Input,
) -> Result<(), Problem> {
    if input != Input::Nothing {
        out.push_str("{ echo ");
        out.push_str(token);
        out.push_str(" go; ");
    }
    out.push_str("{ ");
    let is_counted = input != Input::Nothing && greeting.is_merged;
    if let (Input::Channel(bytes), true) = (input, greeting.is_merged) {
        // A raw terminal has no end of input.
        out.push_str(&format!("head -c {bytes} | {{ "));
    }
    out.push_str("( ");
    preamble_into(out, command)?;
    out.push_str("eval ");
    quote_script(out, &command.script)?;
    out.push_str("\n)");
    if input == Input::Nothing {
        out.push_str(" </dev/null");
    }
    let errors = match &greeting.leftovers {
        Leftovers::Named(prefix) if greeting.is_merged => Some(quote::word(&format!("{prefix}.e"))),
        Leftovers::Proc if greeting.is_merged => Some("/proc/self/fd/6".to_owned()),
        _ => None,
    };
    match &errors {
        Some(file) => {
            out.push_str(" 2>");
            out.push_str(file);
            out.push_str(" 6>&-");
        }
        None => out.push_str(" 2>&4"),
    }
    out.push_str(" 3>&- 4>&-");
    match &greeting.leftovers {
        Leftovers::Pipes | Leftovers::Proc => out.push_str(" 7</proc/self/fd/8 8>&-"),
        Leftovers::Named(prefix) => {
            out.push_str(" 7<");
            out.push_str(&quote::word(&format!("{prefix}.f")));
            out.push_str(" 8>&-");
        }
        Leftovers::Unknown => {}
    }
    if is_counted {
        // What the command left unread must not stay on the terminal: sudo 1.9.13 spins for ever on input that it cannot pass on.
        out.push_str("; _s=$?; cat >/dev/null; exit $_s; }");
    }
    // The status is taken inside the braces: dash drops the subshell's redirections when it stands alone in them.
    out.push_str("; _s=$?; } 2>&3; ");
    judgement_into(out, &greeting.leftovers);
    out.push_str("echo \"");
    out.push_str(token);
    out.push_str(" $_s $_d $_k\"; ");
    if let Some(file) = &errors {
        out.push_str("cat <");
        out.push_str(file);
        out.push_str("; ");
    }
    out.push_str("echo ");
    out.push_str(token);
    out.push_str(match (greeting.is_merged, input) {
        (true, Input::Nothing) => "\n",
        (false, Input::Nothing) => " >&2\n",
        (true, Input::Channel(_)) => "; exit 0; }\n",
        (false, Input::Channel(_)) => " >&2; exit 0; }\n",
    });
    Ok(())
}

/// Writes a frame whose script runs in the shell itself: no process is started for it. Only for scripts of our own, whose
/// last line may be `exit $_s`: that one is left out.
pub(crate) fn render_own(out: &mut String, token: &str, script: &str) {
    out.push_str(script.strip_suffix(OWN_END).unwrap_or(script));
    out.push_str(&format!("\necho \"{token} $_s 0 0\"; echo {token} >&2\n"));
}

/// How a script of our own ends where it runs in a subshell.
pub(crate) const OWN_END: &str = "\nexit $_s";

/// Writes how the shell finds out what is left of a frame (`_d`) and whether a signal ended it (`_k`): then it has said so.
fn judgement_into(out: &mut String, leftovers: &Leftovers) {
    if *leftovers == Leftovers::Unknown {
        out.push_str("_d=- _k=0; ");
        return;
    }
    out.push_str(
        "_d=0 _k=0; trap '' 13; echo 2>/dev/null >&8 && _d=1; trap 13; if [ $_s -gt 128 ]; then ",
    );
    let file = match leftovers {
        Leftovers::Named(prefix) => quote::word(&format!("{prefix}.m")),
        _ => "/proc/self/fd/3".to_owned(),
    };
    if *leftovers == Leftovers::Pipes {
        out.push_str("echo . >&3; while read _x <&3 && [ \"$_x\" != . ]; do _k=1; done");
    } else {
        out.push_str(&format!("if [ -s {file} ]; then _k=1; fi; : >{file}"));
    }
    out.push_str("; fi; ");
}

/// Writes what precedes the script in its subshell: its directory and its variables.
pub(crate) fn preamble_into(out: &mut String, command: &Command) -> Result<(), Problem> {
    let nul = |what: &str| Problem::Request {
        reason: format!("{what} contains a NUL byte"),
    };
    if let Some(directory) = &command.cwd {
        if directory.contains('\0') {
            return Err(nul("the directory"));
        }
        out.push_str("cd ");
        out.push_str(&quote::path(directory));
        out.push_str(" || exit 1\n");
    }
    for (name, value) in &command.environment {
        if !quote::is_variable_name(name) {
            return Err(Problem::Request {
                reason: format!("{name:?} is no name for an environment variable"),
            });
        }
        if value.contains('\0') {
            return Err(nul("an environment variable"));
        }
        out.push_str(name);
        out.push('=');
        quote::word_into(out, value);
        out.push_str("\nexport ");
        out.push_str(name);
        out.push('\n');
    }
    Ok(())
}

/// Appends a script as one quoted word.
pub(crate) fn quote_script(out: &mut String, script: &str) -> Result<(), Problem> {
    if script.contains('\0') {
        return Err(Problem::Request {
            reason: "the command contains a NUL byte".to_owned(),
        });
    }
    quote::word_into(out, script);
    Ok(())
}

/// How a frame ended, as its marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub status: crate::ExitStatus,
    /// Says that a process outlived the frame.
    pub is_leaving_processes: bool,
}

/// Reads the fields behind the token of a frame's end.
pub(crate) fn parse_end(fields: &str) -> Option<End> {
    use crate::ExitStatus::{Code, Signal};
    let mut words = fields.split_ascii_whitespace();
    let code: i32 = words.next()?.parse().ok()?;
    let is_leaving_processes = words.next()? == "1";
    let was_killed = words.next()? == "1";
    let status = match code {
        // ksh counts signals from 256.
        257.. => Signal(code - 256),
        129.. if was_killed => Signal(code - 128),
        _ => Code(code),
    };
    Some(End {
        status,
        is_leaving_processes,
    })
}

/// Finds a token in a stream that arrives in pieces.
#[derive(Debug)]
pub(crate) struct Scanner {
    token: Vec<u8>,
    /// Bytes that may be the beginning of the token.
    held: Vec<u8>,
    /// The line behind the token, once it was seen.
    fields: Option<Vec<u8>>,
    is_done: bool,
}

/// A line behind a token is short; more than this is no answer of ours.
const FIELDS_LIMIT: usize = 4096;

impl Scanner {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            token: token.as_bytes().to_vec(),
            held: Vec::new(),
            fields: None,
            is_done: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The line behind the token, without it; `None` before the end.
    pub(crate) fn fields(&self) -> Option<String> {
        if !self.is_done {
            return None;
        }
        let fields = self.fields.as_deref()?;
        Some(String::from_utf8_lossy(fields).trim().to_owned())
    }

    /// Takes bytes, hands on those before the token, and returns how many it used; the rest comes after the frame.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(&[u8])) -> usize {
        if self.is_done {
            return 0;
        }
        if self.fields.is_some() {
            return self.feed_fields(bytes);
        }
        if self.held.is_empty() {
            return match memchr::memmem::find(bytes, &self.token) {
                Some(at) => {
                    emit_some(&bytes[..at], &mut emit);
                    let after = at + self.token.len();
                    self.fields = Some(Vec::new());
                    after + self.feed_fields(&bytes[after..])
                }
                None => {
                    let keep = self.partial(bytes);
                    let (out, held) = bytes.split_at(bytes.len() - keep);
                    emit_some(out, &mut emit);
                    self.held.extend_from_slice(held);
                    bytes.len()
                }
            };
        }
        let carried = self.held.len();
        let mut joined = std::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        let used = self.feed(&joined, emit);
        used.saturating_sub(carried)
    }

    /// Length of the longest end of `bytes` that begins the token.
    fn partial(&self, bytes: &[u8]) -> usize {
        let longest = bytes.len().min(self.token.len() - 1);
        (1..=longest)
            .rev()
            .find(|&length| bytes.ends_with(&self.token[..length]))
            .unwrap_or(0)
    }

    fn feed_fields(&mut self, bytes: &[u8]) -> usize {
        let fields = self.fields.get_or_insert_default();
        let (used, is_done) = match memchr::memchr(b'\n', bytes) {
            Some(at) => (at + 1, true),
            None => (bytes.len(), fields.len() + bytes.len() > FIELDS_LIMIT),
        };
        fields.extend_from_slice(&bytes[..used]);
        self.is_done = is_done;
        used
    }
}

fn emit_some(bytes: &[u8], emit: &mut impl FnMut(&[u8])) {
    if !bytes.is_empty() {
        emit(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Scanner, parse_end, token};
    use crate::ExitStatus;
    use proptest::prelude::*;

    #[test]
    fn ends_tell_codes_from_signals() {
        for (fields, status) in [
            ("0 0 0", ExitStatus::Code(0)),
            ("143 0 0", ExitStatus::Code(143)),
            ("143 1 1", ExitStatus::Signal(15)),
            ("265 0 0", ExitStatus::Signal(9)),
        ] {
            assert_eq!(parse_end(fields).unwrap().status, status);
        }
        assert!(parse_end("x").is_none());
        assert!(parse_end("").is_none());
    }

    proptest! {
        #[test]
        fn finds_the_token_however_the_bytes_are_cut(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            after in proptest::collection::vec(any::<u8>(), 0..50),
            lure in 0usize..38,
            cuts in proptest::collection::vec(1usize..20, 1..80),
        ) {
            let token = token();
            // A beginning of the token right before it must not confuse the search.
            let mut stream = before.clone();
            stream.extend_from_slice(&token.as_bytes()[..lure]);
            let output = stream.clone();
            stream.extend_from_slice(token.as_bytes());
            stream.extend_from_slice(b" 7 0 0\n");
            stream.extend_from_slice(&after);
            let mut scanner = Scanner::new(&token);
            let (mut seen, mut rest, mut left) = (Vec::new(), Vec::new(), stream.as_slice());
            let mut cuts = cuts.into_iter().cycle();
            while !left.is_empty() {
                let (piece, next) = left.split_at(cuts.next().unwrap().min(left.len()));
                let used = scanner.feed(piece, |bytes| seen.extend_from_slice(bytes));
                rest.extend_from_slice(&piece[used..]);
                left = next;
            }
            prop_assert!(scanner.is_done());
            prop_assert_eq!(seen, output);
            prop_assert_eq!(rest, after);
            prop_assert_eq!(scanner.fields().unwrap(), "7 0 0");
        }
    }
}
