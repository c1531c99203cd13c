//! One plugin process: starting, talking, giving up.
//!
//! Reading and writing have a thread each, so that neither a plugin that does not read nor one that
//! does not write can hold up the caller.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sasrun_plugin::wire::{Ask, FromPlugin, Hello, Nothing, PROTOCOL, Reply, ToPlugin};
use tokio::sync::oneshot;

use crate::{PluginError, PluginFile, PluginKind};

/// How long a plugin may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To start, greet and describe itself.
    pub greeting: Duration,
    /// For one step of a conversation; what the step asks for does not count.
    pub step: Duration,
    /// For a filter, a test or an inventory document.
    pub apply: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(20),
            step: Duration::from_secs(120),
            apply: Duration::from_secs(20),
        }
    }
}

/// How much of what a plugin says on standard error is kept for messages.
const STDERR_BYTES: usize = 2048;
/// How much of a line that is no message is shown.
const GARBAGE_CHARACTERS: usize = 120;

/// A plugin's process, from its start to its end. Dropping it ends the process.
pub(crate) struct PluginProcess {
    path: PathBuf,
    next_id: AtomicU64,
    shared: Arc<Shared>,
    writer: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    /// Set once it failed to answer in time: it serves those who are with it, but nobody new.
    avoided: AtomicBool,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    /// Process group, which the child leads.
    group: Option<rustix::process::Pid>,
    stderr: Mutex<Vec<u8>>,
}

#[derive(Default)]
struct State {
    waiting: HashMap<u64, Waiter>,
    greeting: Option<mpsc::Sender<Reply>>,
    end: Option<PluginError>,
}

enum Waiter {
    Task(oneshot::Sender<Reply>),
    Thread(mpsc::Sender<Reply>),
}

impl PluginProcess {
    /// Starts the plugin and exchanges greetings.
    pub(crate) fn start(
        file: &PluginFile,
        self_exe: &Path,
        limits: &Limits,
    ) -> Result<Self, PluginError> {
        let mut command = match file.kind {
            PluginKind::Executable => Command::new(&file.path),
            PluginKind::Library => {
                let mut command = Command::new(self_exe);
                command.arg("plugin-host").arg(&file.path);
                command
            }
        };
        let not_started = |cause: String| PluginError::NotStarted {
            path: file.path.clone(),
            cause,
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| not_started(error.to_string()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(not_started("its pipes are missing".into()));
        };
        let (greeting, greeted) = mpsc::channel();
        let shared = Arc::new(Shared {
            path: file.path.clone(),
            state: Mutex::new(State {
                greeting: Some(greeting),
                ..State::default()
            }),
            group: i32::try_from(child.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw),
            stderr: Mutex::default(),
        });
        let writer = shared.clone().tend(child, input, output, errors);
        let process = Self {
            path: file.path.clone(),
            next_id: AtomicU64::new(1),
            shared,
            writer: Mutex::new(Some(writer)),
            avoided: AtomicBool::new(false),
        };
        process.send(None, Ask::Hello(Hello { protocol: PROTOCOL }))?;
        match process.await_thread(&greeted, limits.greeting)? {
            Reply::Hello(Hello { protocol: PROTOCOL }) => Ok(process),
            Reply::Hello(Hello { protocol }) => Err(PluginError::WrongVersion {
                path: file.path.clone(),
                theirs: protocol,
                ours: PROTOCOL,
            }),
            Reply::Error(reason) => Err(PluginError::Unusable {
                path: file.path.clone(),
                reason,
            }),
            other => Err(process.unfitting(&other)),
        }
    }

    /// Tells whether the process can take on something new.
    pub(crate) fn usable(&self) -> bool {
        !self.avoided.load(Ordering::Relaxed) && self.shared.state().end.is_none()
    }

    /// A number for a new conversation or question.
    pub(crate) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks and waits as a task does. Giving up the wait forgets the question.
    pub(crate) async fn ask(
        &self,
        id: u64,
        ask: Ask,
        limit: Duration,
    ) -> Result<Reply, PluginError> {
        let (sender, receiver) = oneshot::channel();
        let _wait = self.wait(id, Waiter::Task(sender))?;
        self.send(Some(id), ask)?;
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.end()),
            Err(_) => Err(self.given_up(limit)),
        }
    }

    /// Asks and waits as a thread does.
    pub(crate) fn ask_blocking(&self, ask: Ask, limit: Duration) -> Result<Reply, PluginError> {
        let id = self.new_id();
        let (sender, receiver) = mpsc::channel();
        let _wait = self.wait(id, Waiter::Thread(sender))?;
        self.send(Some(id), ask)?;
        self.await_thread(&receiver, limit)
    }

    /// Tells the plugin that a conversation will not be continued.
    pub(crate) fn free(&self, id: u64) {
        // A process that is gone has freed it already.
        let _ = self.send(Some(id), Ask::Free(Nothing {}));
    }

    /// A reply that does not fit the question.
    pub(crate) fn unfitting(&self, reply: &Reply) -> PluginError {
        let text = serde_json::to_string(reply).unwrap_or_default();
        PluginError::Unfitting {
            path: self.path.clone(),
            reply: text.chars().take(GARBAGE_CHARACTERS).collect(),
        }
    }

    fn await_thread(
        &self,
        receiver: &mpsc::Receiver<Reply>,
        limit: Duration,
    ) -> Result<Reply, PluginError> {
        match receiver.recv_timeout(limit) {
            Ok(reply) => Ok(reply),
            Err(RecvTimeoutError::Disconnected) => Err(self.end()),
            Err(RecvTimeoutError::Timeout) => Err(self.given_up(limit)),
        }
    }

    fn wait(&self, id: u64, waiter: Waiter) -> Result<Wait<'_>, PluginError> {
        let mut state = self.shared.state();
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        state.waiting.insert(id, waiter);
        Ok(Wait {
            shared: &self.shared,
            id,
        })
    }

    fn send(&self, id: Option<u64>, ask: Ask) -> Result<(), PluginError> {
        let mut line =
            serde_json::to_vec(&ToPlugin { id, ask }).map_err(|error| PluginError::Refused {
                path: self.path.clone(),
                message: format!("the message cannot be written: {error}"),
            })?;
        line.push(b'\n');
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.as_ref().map(|writer| writer.send(line)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.end()),
        }
    }

    fn given_up(&self, limit: Duration) -> PluginError {
        self.avoided.store(true, Ordering::Relaxed);
        PluginError::TimedOut {
            path: self.path.clone(),
            limit,
        }
    }

    /// Why the process ended; it has, or is about to.
    fn end(&self) -> PluginError {
        self.shared
            .state()
            .end
            .clone()
            .unwrap_or_else(|| PluginError::Died {
                path: self.path.clone(),
                status: "it closed its input".into(),
                stderr: self.shared.said(),
            })
    }
}

impl Drop for PluginProcess {
    fn drop(&mut self) {
        // The closed input lets a plugin end by itself; the tending threads see to one that does not.
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if self.avoided.load(Ordering::Relaxed) {
            self.shared.kill();
        }
    }
}

/// A question that is being waited for; dropping it forgets the question.
struct Wait<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.shared.state().waiting.remove(&self.id);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the threads that read and write; the returned channel takes lines.
    fn tend(
        self: Arc<Self>,
        child: Child,
        input: ChildStdin,
        output: ChildStdout,
        errors: ChildStderr,
    ) -> mpsc::Sender<Vec<u8>> {
        let (writer, lines) = mpsc::channel::<Vec<u8>>();
        let writing = Arc::clone(&self);
        thread::spawn(move || writing.write(input, &lines));
        let listening = Arc::clone(&self);
        let listener = thread::spawn(move || listening.listen(errors));
        thread::spawn(move || self.read(child, output, listener));
        writer
    }

    fn write(&self, mut input: ChildStdin, lines: &mpsc::Receiver<Vec<u8>>) {
        for line in lines {
            if input.write_all(&line).is_err() {
                return;
            }
        }
        // Nobody will ask any more: a moment to end by itself.
        drop(input);
        for _ in 0..20 {
            if self.state().end.is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(25));
        }
        self.kill();
    }

    fn listen(&self, mut errors: ChildStderr) {
        let mut chunk = [0_u8; 1024];
        while let Ok(length @ 1..) = errors.read(&mut chunk) {
            let mut kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(chunk.get(..length).unwrap_or_default());
            let excess = kept.len().saturating_sub(STDERR_BYTES);
            kept.drain(..excess);
        }
    }

    fn read(&self, mut child: Child, output: ChildStdout, listener: thread::JoinHandle<()>) {
        let garbage = self.read_messages(output);
        if garbage.is_some() {
            self.kill();
        }
        // Its output is closed: it has ended or soon will, but must not be waited for for ever.
        let status = wait_a_while(&mut child).or_else(|| {
            self.kill();
            child.wait().ok()
        });
        // Ends with the last process that holds the pipe, which a descendant may still do.
        for _ in 0..20 {
            if listener.is_finished() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let end = match garbage {
            Some(line) => PluginError::Garbage {
                path: self.path.clone(),
                line,
            },
            None => PluginError::Died {
                path: self.path.clone(),
                status: status.map_or_else(|| "for an unknown reason".into(), describe),
                stderr: self.said(),
            },
        };
        let mut state = self.state();
        state.end = Some(end);
        state.greeting = None;
        state.waiting.clear();
    }

    /// Hands out replies until the output ends; a line that is none comes back.
    fn read_messages(&self, output: ChildStdout) -> Option<String> {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.ok()?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Ok(message) = serde_json::from_slice::<FromPlugin>(&line) else {
                let text = String::from_utf8_lossy(&line);
                return Some(text.chars().take(GARBAGE_CHARACTERS).collect());
            };
            self.deliver(message);
        }
        None
    }

    fn deliver(&self, message: FromPlugin) {
        let mut state = self.state();
        // Whoever asked may have given up; then nobody wants the reply.
        match message.id {
            None => {
                if let Some(greeting) = state.greeting.take() {
                    let _ = greeting.send(message.reply);
                }
            }
            Some(id) => match state.waiting.remove(&id) {
                Some(Waiter::Task(sender)) => drop(sender.send(message.reply)),
                Some(Waiter::Thread(sender)) => drop(sender.send(message.reply)),
                None => {}
            },
        }
    }

    fn said(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }

    fn kill(&self) {
        if self.state().end.is_some() {
            return;
        }
        if let Some(group) = self.group {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn wait_a_while(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..40 {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(25));
    }
    None
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}
