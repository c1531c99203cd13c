//! One session channel: from the requests of the client to the end of its command.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::account::users::User;
use crate::host::init::PATH;
use crate::machine::namespaces::{self, Rights};
use crate::ssh::terminal::{self, Control, Wish};

/// How much is read from a program at once.
const CHUNK: usize = 32 * 1024;

/// Who is behind a connection.
#[derive(Debug, Clone)]
pub struct Login {
    pub user: User,
    pub rights: Rights,
    /// The value of `SSH_CONNECTION`.
    pub connection: String,
    /// Where the login looks for programs; empty for the usual places.
    pub path: String,
}

/// What the client has asked for before it names the command.
#[derive(Default)]
struct Wishes {
    environment: Vec<(String, String)>,
    terminal: Option<Wish>,
}

/// A command that runs, with what feeds it and what carries its output away.
struct Running {
    child: Child,
    terminal: Option<Control>,
    input: Option<UnboundedSender<bytes::Bytes>>,
    pumps: Vec<JoinHandle<()>>,
}

/// Serves a session channel until its command has ended or the client has closed it.
pub async fn serve(channel: Channel<Msg>, handle: Handle, login: Login) {
    let id = channel.id();
    let (mut requests, write) = channel.split();
    let mut wishes = Wishes::default();
    while let Some(message) = requests.wait().await {
        let command = match message {
            ChannelMsg::Exec { command, .. } => Some(command),
            ChannelMsg::RequestShell { .. } => None,
            other => {
                wishes.note(other);
                continue;
            }
        };
        match start(command, &wishes, &login, &write) {
            Ok(running) => follow(running, &mut requests, &write, &handle, id).await,
            Err(error) => {
                let _ = write
                    .extended_data_bytes(1, format!("cannot run: {error}\r\n"))
                    .await;
                let _ = write.exit_status(255).await;
            }
        }
        break;
    }
    let _ = write.close().await;
}

impl Wishes {
    fn note(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::SetEnv {
                variable_name,
                variable_value,
                ..
            } if may_be_set(&variable_name) => {
                self.environment.push((variable_name, variable_value));
            }
            ChannelMsg::RequestPty {
                term,
                col_width,
                row_height,
                pix_width,
                pix_height,
                terminal_modes,
                ..
            } => {
                let size = terminal::size(col_width, row_height, pix_width, pix_height);
                self.terminal = Some(Wish {
                    term,
                    size,
                    modes: terminal_modes,
                });
            }
            _ => {}
        }
    }
}

/// The variables that servers usually take from clients.
pub fn may_be_set(name: &str) -> bool {
    name == "LANG" || name.starts_with("LC_")
}

fn start(
    command: Option<Vec<u8>>,
    wishes: &Wishes,
    login: &Login,
    write: &ChannelWriteHalf<Msg>,
) -> io::Result<Running> {
    let mut program = shell(command, wishes, login);
    match &wishes.terminal {
        Some(wish) => start_on_terminal(program, wish, login, write),
        None => {
            namespaces::start_session(&mut program, false);
            program
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = Command::from(program).spawn()?;
            let (input, fed) = unbounded_channel();
            let mut pumps = Vec::new();
            if let Some(stdin) = child.stdin.take() {
                tokio::spawn(feed(stdin, fed));
            }
            if let Some(stdout) = child.stdout.take() {
                pumps.push(tokio::spawn(carry(stdout, write.make_writer())));
            }
            if let Some(stderr) = child.stderr.take() {
                pumps.push(tokio::spawn(carry(stderr, write.make_writer_ext(Some(1)))));
            }
            Ok(Running {
                child,
                terminal: None,
                input: Some(input),
                pumps,
            })
        }
    }
}

fn start_on_terminal(
    mut program: std::process::Command,
    wish: &Wish,
    login: &Login,
    write: &ChannelWriteHalf<Msg>,
) -> io::Result<Running> {
    let (terminal, slave) = terminal::open(wish, &login.user, login.rights)?;
    program
        .env("SSH_TTY", &terminal.control.name)
        .env("TERM", &wish.term);
    program
        .stdin(slave.try_clone()?)
        .stdout(slave.try_clone()?)
        .stderr(slave);
    namespaces::start_session(&mut program, true);
    let child = Command::from(program).spawn()?;
    let (input, fed) = unbounded_channel();
    tokio::spawn(feed(terminal.typed, fed));
    let showing = tokio::spawn(carry(terminal.shown, write.make_writer()));
    Ok(Running {
        child,
        terminal: Some(terminal.control),
        input: Some(input),
        pumps: vec![showing],
    })
}

/// The user's shell with the environment that a login gives it.
fn shell(command: Option<Vec<u8>>, wishes: &Wishes, login: &Login) -> std::process::Command {
    use std::os::unix::ffi::OsStringExt;
    let user = &login.user;
    let mut program = std::process::Command::new(&user.shell);
    let base = user.shell.rsplit('/').next().unwrap_or("sh");
    match command {
        Some(command) => {
            program
                .arg0(base)
                .arg("-c")
                .arg(std::ffi::OsString::from_vec(command));
        }
        None => {
            program.arg0(format!("-{base}"));
        }
    }
    let client = login.connection.split(' ').collect::<Vec<_>>();
    let client = match client[..] {
        [from, port, _, to] => format!("{from} {port} {to}"),
        _ => String::new(),
    };
    program.env_clear();
    program.envs(wishes.environment.iter().map(|(name, value)| (name, value)));
    let path = if login.path.is_empty() {
        PATH
    } else {
        &login.path
    };
    program
        .env("PATH", path)
        .env("HOME", &user.home)
        .env("SHELL", &user.shell);
    program
        .env("USER", &user.name)
        .env("LOGNAME", &user.name)
        .env("MAIL", format!("/var/mail/{}", user.name));
    program
        .env("SSH_CONNECTION", &login.connection)
        .env("SSH_CLIENT", client);
    program.current_dir(if std::path::Path::new(&user.home).is_dir() {
        &user.home
    } else {
        "/"
    });
    match login.rights {
        Rights::Root => {
            program.uid(user.uid).gid(user.gid);
        }
        // All users are one here: who this one plays is in the environment, for the stand-ins of `id` and its like.
        Rights::SingleUser => {
            program.env(crate::account::become_user::PLAYED_USER, &user.name);
        }
    }
    program
}

async fn feed(mut stdin: impl AsyncWrite + Unpin, mut fed: UnboundedReceiver<bytes::Bytes>) {
    while let Some(bytes) = fed.recv().await {
        if stdin.write_all(&bytes).await.is_err() {
            break;
        }
    }
}

async fn carry(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if to
            .write_all(buffer.get(..length).unwrap_or_default())
            .await
            .is_err()
        {
            break;
        }
    }
}

/// Passes on what the client sends until the command has ended and all its output is out.
async fn follow(
    mut running: Running,
    requests: &mut ChannelReadHalf,
    write: &ChannelWriteHalf<Msg>,
    handle: &Handle,
    id: russh::ChannelId,
) {
    let group = running
        .child
        .id()
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let pumps = std::mem::take(&mut running.pumps);
    let stops: Vec<_> = pumps.iter().map(JoinHandle::abort_handle).collect();
    let on_terminal = running.terminal.is_some();
    let drained = async move {
        for pump in pumps {
            let _ = pump.await;
        }
    };
    tokio::pin!(drained);
    let mut is_drained = false;
    let mut status: Option<ExitStatus> = None;
    while status.is_none() || !is_drained {
        tokio::select! {
            ended = running.child.wait(), if status.is_none() => {
                status = Some(ended.unwrap_or_default());
                // A terminal has shown all when its session has ended, even if a background process holds it open.
                if on_terminal && !is_drained {
                    let _ = tokio::time::timeout(std::time::Duration::from_millis(200), &mut drained).await;
                    is_drained = true;
                }
            }
            () = &mut drained, if !is_drained => is_drained = true,
            message = requests.wait() => match message {
                None | Some(ChannelMsg::Close) => {
                    stops.iter().for_each(tokio::task::AbortHandle::abort);
                    bury(running.child);
                    return;
                }
                Some(message) => pass_on(message, &mut running, group),
            },
        }
    }
    stops.iter().for_each(tokio::task::AbortHandle::abort);
    let _ = write.eof().await;
    report(status.unwrap_or_default(), write, handle, id).await;
}

fn pass_on(message: ChannelMsg, running: &mut Running, group: Option<Pid>) {
    match message {
        ChannelMsg::Data { data } => {
            if let Some(input) = &running.input {
                let _ = input.send(data);
            }
        }
        ChannelMsg::Eof if running.terminal.is_none() => running.input = None,
        ChannelMsg::WindowChange {
            col_width,
            row_height,
            pix_width,
            pix_height,
        } => {
            if let Some(terminal) = &running.terminal {
                let _ =
                    terminal.resize(terminal::size(col_width, row_height, pix_width, pix_height));
            }
        }
        ChannelMsg::Signal { signal } => {
            if let (Some(group), Some(signal)) = (group, signal_of(&signal)) {
                let _ = rustix::process::kill_process_group(group, signal);
            }
        }
        _ => {}
    }
}

/// Waits for a command that nobody listens to any more: it goes on, as behind any SSH server.
fn bury(mut child: Child) {
    tokio::spawn(async move {
        let _ = child.wait().await;
    });
}

async fn report(
    status: ExitStatus,
    write: &ChannelWriteHalf<Msg>,
    handle: &Handle,
    id: russh::ChannelId,
) {
    match status.signal() {
        Some(number) => {
            let signal = signal_named(number);
            let _ = handle
                .exit_signal_request(
                    id,
                    signal,
                    status.core_dumped(),
                    String::new(),
                    String::new(),
                )
                .await;
        }
        None => {
            let code = status
                .code()
                .and_then(|code| u32::try_from(code).ok())
                .unwrap_or(255);
            let _ = write.exit_status(code).await;
        }
    }
}

const SIGNALS: [(Sig, Signal); 12] = [
    (Sig::ABRT, Signal::ABORT),
    (Sig::ALRM, Signal::ALARM),
    (Sig::FPE, Signal::FPE),
    (Sig::HUP, Signal::HUP),
    (Sig::ILL, Signal::ILL),
    (Sig::INT, Signal::INT),
    (Sig::KILL, Signal::KILL),
    (Sig::PIPE, Signal::PIPE),
    (Sig::QUIT, Signal::QUIT),
    (Sig::SEGV, Signal::SEGV),
    (Sig::TERM, Signal::TERM),
    (Sig::USR1, Signal::USR1),
];

fn signal_of(name: &Sig) -> Option<Signal> {
    let wanted = format!("{name:?}");
    SIGNALS
        .iter()
        .find(|(sig, _)| format!("{sig:?}") == wanted)
        .map(|(_, signal)| *signal)
}

fn signal_named(number: i32) -> Sig {
    SIGNALS
        .iter()
        .find(|(_, signal)| signal.as_raw() == number)
        .map_or_else(
            || Sig::Custom(format!("{number}@lab")),
            |(sig, _)| sig.clone(),
        )
}
