//! The shell texts of a terminal that the host holds for a job.
//!
//! Besides a job's own files there are then: `typed` the pipe to the keyboard, `program` what runs on the terminal, `status` its
//! exit code, and a directory `said.N` for each answer, whose file `at` says where the screen stood.
//!
//! Must not: use anything an old Bourne shell cannot read, or leave on the host what was typed.

use super::JobId;
use super::script::{BOOT, LOOK, ROOT};
use crate::command::Command;
use crate::error::Problem;
use crate::shell::{frame, quote};
use crate::transport::TerminalSize;

/// A program of the host's that makes terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalMaker(&'static str);

/// Those that are looked for, the first that works first.
const MAKERS: [&str; 4] = ["script", "python3", "python", "python2"];

const PYTHON: &str = "import pty,signal,sys; signal.signal(signal.SIGINT,signal.SIG_DFL); \
                      signal.signal(signal.SIGQUIT,signal.SIG_DFL); pty.spawn(sys.argv[1:])";

impl TerminalMaker {
    /// Reads the answer of [`probe`].
    pub(super) fn parse(answer: &str) -> Option<Self> {
        let name = answer.lines().next_back()?.trim();
        let known = MAKERS.into_iter().find(|maker| *maker == name)?;
        Some(Self(known))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0
    }

    /// The command that runs the job's `program` on a terminal.
    fn line(&self) -> String {
        match self.0 {
            "script" => {
                "_usual script -q -f -c \"exec /bin/sh '$_j/program' '$_j' $_umask\" /dev/null"
                    .to_owned()
            }
            python => format!("{python} -c '{PYTHON}' /bin/sh \"$_j/program\" \"$_j\" $_umask"),
        }
    }
}

/// The text that tells which program of the host makes terminals, by making one.
pub(super) fn probe() -> String {
    let makers = MAKERS.join(" ");
    format!(
        r#"SHELL=/bin/sh; export SHELL
for _p in {makers}; do
  case $_p in
  script) _o=`script -q -f -c 'tty >/dev/null && echo "h"eld' /dev/null </dev/null 2>/dev/null` ;;
  *) _o=`$_p -c '{PYTHON}' /bin/sh -c 'tty >/dev/null && echo "h"eld' </dev/null 2>/dev/null` ;;
  esac
  case $_o in *held*) echo $_p; exit 0 ;; esac
done
echo none
"#
    )
}

/// The text that runs as the job: it holds a terminal with the program on it.
pub(super) fn holder(
    command: &Command,
    maker: &TerminalMaker,
    size: TerminalSize,
) -> Result<String, Problem> {
    let token = frame::token();
    let program = program(command, size)?;
    let make = maker.line();
    // Somebody must have the pipe open for writing, or the terminal would hear its end. What a shell starts in the
    // background ignores the interrupt key, and so would all below it.
    Ok(format!(
        r#"_umask=`umask`
umask 077
mkfifo "$_j/typed" 2>/dev/null || mknod "$_j/typed" p || exit 125
cat >"$_j/program" <<'{token}' || exit 125
{program}{token}
( exec sleep 2147483647 ) >"$_j/typed" 2>/dev/null &
_k=$!
_usual() {{
  if env --default-signal=INT,QUIT true 2>/dev/null; then env --default-signal=INT,QUIT "$@"
  elif perl -e 1 2>/dev/null; then perl -e '$SIG{{INT}} = $SIG{{QUIT}} = "DEFAULT"; exec @ARGV' "$@"
  else "$@"
  fi
}}
SHELL=/bin/sh; export SHELL
{make} <"$_j/typed"
kill $_k 2>/dev/null
if [ -s "$_j/status" ]; then read _s <"$_j/status"; exit $_s; fi
exit 137
"#
    ))
}

/// What runs on the terminal: it outlives an interrupt, to tell how the program ended.
fn program(command: &Command, size: TerminalSize) -> Result<String, Problem> {
    let mut inner = String::new();
    frame::preamble_into(&mut inner, command)?;
    inner.push_str("eval ");
    frame::quote_script(&mut inner, &command.script)?;
    let TerminalSize { columns, rows } = size;
    Ok(format!(
        r#"_j=$1 _umask=$2
umask 077
trap : 2 3
stty sane rows {rows} cols {columns} 2>/dev/null || stty sane 2>/dev/null
TERM=xterm; export TERM
exec 3>&2 2>/dev/null
( exec 2>&3 3>&-
umask $_umask
{inner}
)
echo $? >"$_j/status"
"#
    ))
}

/// What is to be typed.
pub(super) struct Line<'a> {
    /// How many were typed before.
    pub number: u32,
    pub bytes: &'a [u8],
    /// Bytes that the screen must have, no more.
    pub expected: Option<u64>,
    /// A word by which the same answer is known again.
    pub mark: &'a str,
}

/// The text that types once; it prints `said`, `moved BYTES` or `closed`.
pub(super) fn say(id: &JobId, line: &Line<'_>) -> String {
    let Line { number, mark, .. } = line;
    let unmoved = match line.expected {
        Some(bytes) => {
            format!("if [ \"$_z\" != {bytes} ]; then echo moved $_z; exit 0; fi\n")
        }
        None => String::new(),
    };
    let mut typing = String::new();
    quote::printf_into(&mut typing, line.bytes);
    format!(
        r#"{ROOT}{BOOT}_i={id} _j=$_r/jobs/{id}
{LOOK}umask 077
trap '' 1
if [ -d "$_j/said.{number}" ]; then echo said; exit 0; fi
_look
if [ "$_st" != running ]; then echo closed; exit 0; fi
_z=`_size out`
_z=`echo $_z`
{unmoved}mkdir "$_j/said.{number}" 2>/dev/null || {{ echo said; exit 0; }}
echo "$_z {mark}" >"$_j/said.{number}/at"
{{
{typing}}} >"$_j/typed"
echo said
"#
    )
}

/// The text that tells all about a dialogue: its state, what it is, and what was typed. One that has not begun by then never does.
pub(super) fn find(id: &JobId) -> String {
    format!(
        r#"{ROOT}{BOOT}_i={id} _j=$_r/jobs/{id}
{LOOK}if [ -d "$_j" ] && mkdir "$_j/begun" 2>/dev/null; then : >"$_j/void"; fi
_look
_say
if [ -f "$_j/about" ]; then sed 's/^/about /' "$_j/about"; fi
_n=0
while [ -d "$_j/said.$_n" ]; do
  _a=- _w=-
  if [ -s "$_j/said.$_n/at" ]; then read _a _w <"$_j/said.$_n/at"; fi
  echo "said $_a $_w"
  _n=`expr $_n + 1`
done
"#
    )
}

/// The text that waits on the host until the screen has more than so many bytes, or the job has ended.
pub(super) fn wait(id: &JobId, bytes: u64, pauses: &[&str]) -> String {
    let pauses = pauses.join(" ");
    format!(
        r#"{ROOT}_j=$_r/jobs/{id}
for _p in {pauses}; do
  if [ -s "$_j/rc" ] || [ ! -f "$_j/out" ]; then break; fi
  _z=`wc -c <"$_j/out"`
  if [ $_z -gt {bytes} ]; then break; fi
  sleep $_p 2>/dev/null || sleep 1
done
"#
    )
}

/// One of each text, for the test that all shells read them.
#[cfg(test)]
pub(crate) fn every_script() -> Vec<String> {
    let id = JobId::new("job-1").unwrap();
    let command = Command {
        cwd: Some("/a b".into()),
        ..Command::shell("true")
    };
    let size = TerminalSize::default();
    let line = Line {
        number: 3,
        bytes: b"it's 100%\n",
        expected: Some(7),
        mark: "typed -",
    };
    let mut scripts = vec![
        probe(),
        program(&command, size).unwrap(),
        say(&id, &line),
        find(&id),
        wait(&id, 4, &["0.1", "0.2"]),
    ];
    let makers = MAKERS.map(TerminalMaker);
    scripts.extend(makers.map(|maker| holder(&command, &maker, size).unwrap()));
    scripts
}
