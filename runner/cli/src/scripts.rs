//! Inventory scripts: programs that print an inventory. Each has a limited time.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sasrun_load::{InventoryScripts, ScriptError};

/// How long a script may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(10);
/// Most of what it says on standard error that is shown.
const MOST_SAID_CHARS: usize = 2000;

/// What the questions to scripts begin with, in the record of a run.
pub(crate) const QUESTION: &str = "inventory script ";

/// Runs inventory scripts, and keeps what they printed. A run that goes on gets the same again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripts {
    known: Arc<Mutex<HashMap<String, serde_json::Value>>>,
    answered: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    /// How often all of them were asked before.
    rounds: Arc<AtomicUsize>,
}

impl Scripts {
    /// Answers for scripts from now on, where their question is known.
    pub(crate) fn answer_with(&self, answers: HashMap<String, serde_json::Value>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    /// Asks all scripts anew from now on.
    pub(crate) fn begin_round(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.clear();
    }

    /// What scripts printed in this round, by question.
    pub(crate) fn answered(&self) -> Vec<(String, serde_json::Value)> {
        self.answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl InventoryScripts for Scripts {
    fn run(&self, script: &Path, arguments: &[&str]) -> Result<String, ScriptError> {
        let round = match self.rounds.load(Ordering::Relaxed) {
            0 => String::new(),
            before => format!(", asked again {before}:"),
        };
        let question = format!(
            "{QUESTION}{}{round} {}",
            script.display(),
            arguments.join(" ")
        );
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(serde_json::Value::String(printed)) = known.get(&question) {
            return Ok(printed.clone());
        }
        drop(known);
        let printed = run_within(script, arguments, LIMIT)?;
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.push((question, printed.as_str().into()));
        Ok(printed)
    }
}

fn run_within(script: &Path, arguments: &[&str], limit: Duration) -> Result<String, ScriptError> {
    // Without a folder in front the program would be looked for in PATH.
    let program = std::path::absolute(script).map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let printed = child.stdout.take().map(reading);
    let said = child.stderr.take().map(reading);
    let status = wait(&mut child, limit)?;
    let printed = joined(printed);
    if !status.success() {
        let said = joined(said);
        let said = String::from_utf8_lossy(&said);
        let said: String = said.trim().chars().take(MOST_SAID_CHARS).collect();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": {said}")
        };
        return Err(failed(format!("it ended with {status}{said}")));
    }
    String::from_utf8(printed).map_err(|_| failed("what it printed is not UTF-8".to_owned()))
}

/// Waits for the end; a script that takes too long is ended.
fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, ScriptError> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if began.elapsed() < limit => std::thread::sleep(STEP),
            Ok(None) => {
                // It may be gone by now; either way it is not waited for any longer.
                let _ = child.kill();
                let _ = child.wait();
                let seconds = limit.as_secs_f64();
                return Err(failed(format!(
                    "it did not end within {seconds} s and was killed"
                )));
            }
            Err(error) => return Err(failed(error.to_string())),
        }
    }
}

/// Reads in a thread, so that neither pipe can fill up while the other is read.
fn reading(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is all there is.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn joined(thread: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    thread
        .and_then(|thread| thread.join().ok())
        .unwrap_or_default()
}

fn failed(cause: String) -> ScriptError {
    ScriptError { cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(text: &str, limit: Duration) -> Result<String, ScriptError> {
        run_within(Path::new("/bin/sh"), &["-c", text], limit)
    }

    #[test]
    fn output_comes_back_and_failures_say_why() {
        let long = Duration::from_secs(20);
        assert_eq!(sh("echo '{}'", long), Ok("{}\n".to_owned()));
        let error = sh("echo no database >&2; exit 3", long).unwrap_err();
        assert!(error.cause.contains("no database") && error.cause.contains('3'));
        let error = run_within(Path::new("/nowhere/at/all"), &[], long).unwrap_err();
        assert!(error.cause.contains("cannot be started"));
    }

    #[test]
    fn a_script_that_hangs_is_given_up() {
        let error = sh("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(error.cause.contains("did not end within"));
    }
}
