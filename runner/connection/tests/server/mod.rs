//! A small SSH server for tests: it runs programs, and misbehaves on request.

pub mod proxy;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{
    self, Auth, ChannelOpenHandle, Handle, Msg, PublicKeyOffer, Response, Session,
    VerifiedPublicKey,
};
use russh::{Channel, ChannelId, Pty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

/// How the server behaves.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// Arguments of the login shell before `-c LINE`.
    pub login_shell: Vec<String>,
    /// The key that is let in.
    pub user_key: Option<PublicKey>,
    /// The password that is let in.
    pub password: Option<String>,
    /// Takes the password by keyboard-interactive alone.
    pub only_questions: bool,
    /// Connections closed before the greeting, as sshd does under `MaxStartups`.
    pub dropped_first: usize,
    /// Channels that may be open at once.
    pub max_sessions: Option<usize>,
    /// What is said instead of an answer to the first key.
    pub farewell: Option<fn() -> russh::Disconnect>,
}

/// A running server.
pub struct Server {
    pub port: u16,
    pub host_key: PublicKey,
    /// Passwords that were tried.
    pub attempts: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn random_key() -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
}

impl Server {
    pub async fn start(behaviour: Behaviour) -> Self {
        let key = random_key();
        let host_key = key.public_key().clone();
        let config = Arc::new(server::Config {
            keys: vec![key],
            auth_rejection_time: std::time::Duration::from_millis(10),
            nodelay: true,
            ..Default::default()
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&attempts);
        let task = tokio::spawn(async move {
            let mut to_drop = behaviour.dropped_first;
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                if to_drop > 0 {
                    to_drop -= 1;
                    continue;
                }
                let peer = Peer {
                    behaviour: behaviour.clone(),
                    attempts: Arc::clone(&counted),
                    channels: HashMap::new(),
                    open: 0,
                    handle: Arc::default(),
                };
                let handle = Arc::clone(&peer.handle);
                let config = Arc::clone(&config);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, stream, peer).await {
                        let _ = handle.set(session.handle());
                        let _ = session.await;
                    }
                });
            }
        });
        Self {
            port,
            host_key,
            attempts,
            task,
        }
    }

    /// The line of a file of known hosts.
    pub fn known_host(&self) -> String {
        format!(
            "[127.0.0.1]:{} {}\n",
            self.port,
            self.host_key.to_openssh().unwrap()
        )
    }
}

struct Peer {
    behaviour: Behaviour,
    attempts: Arc<AtomicUsize>,
    channels: HashMap<ChannelId, Running>,
    open: usize,
    handle: Arc<OnceLock<server::Handle>>,
}

#[derive(Default)]
struct Running {
    input: Option<mpsc::UnboundedSender<Vec<u8>>>,
    size: Option<(u32, u32)>,
}

impl Peer {
    fn judge(&self, password: &str) -> Auth {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        match self.behaviour.password.as_deref() == Some(password) {
            true => Auth::Accept,
            false => Auth::reject(),
        }
    }
}

impl server::Handler for Peer {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        _: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        if let (Some(farewell), Some(handle)) = (self.behaviour.farewell, self.handle.get()) {
            let said = handle.disconnect(farewell(), "enough".to_owned(), String::new());
            let _ = said.await;
        }
        Ok(Auth::Accept)
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let known = self.behaviour.user_key.as_ref();
        match known.is_some_and(|known| known.key_data() == key.public_key.key_data()) {
            true => Ok(Auth::Accept),
            false => Ok(Auth::reject()),
        }
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        if self.behaviour.only_questions {
            return Ok(Auth::reject());
        }
        Ok(self.judge(password))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(response) = response else {
            return Ok(Auth::Partial {
                name: "login".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let answers: Vec<String> = response
            .map(|answer| String::from_utf8_lossy(&answer).into_owned())
            .collect();
        Ok(self.judge(answers.first().map_or("", String::as_str)))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self
            .behaviour
            .max_sessions
            .is_some_and(|most| self.open >= most)
        {
            reply
                .reject(russh::ChannelOpenFailure::ResourceShortage)
                .await;
            return Ok(());
        }
        self.open += 1;
        self.channels.insert(channel.id(), Running::default());
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        match tokio::net::TcpStream::connect((host, port as u16)).await {
            Ok(mut stream) => {
                reply.accept().await;
                tokio::spawn(async move {
                    let mut channel = channel.into_stream();
                    let _ = tokio::io::copy_bidirectional(&mut channel, &mut stream).await;
                });
            }
            Err(_) => reply.reject(russh::ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(running) = self.channels.get_mut(&id) {
            running.size = Some((columns, rows));
        }
        session.channel_success(id)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let line = String::from_utf8_lossy(line).into_owned();
        let Some(running) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        let (input, received) = mpsc::unbounded_channel();
        running.input = Some(input);
        let mut shell = self.behaviour.login_shell.clone();
        if shell.is_empty() {
            shell.push("/bin/sh".into());
        }
        let handle = session.handle();
        match running.size {
            None => tokio::spawn(run(handle, id, shell, line, received)),
            Some(size) => tokio::spawn(run_on_terminal(handle, id, shell, line, received, size)),
        };
        session.channel_success(id)
    }

    async fn data(
        &mut self,
        id: ChannelId,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(input) = self
            .channels
            .get(&id)
            .and_then(|running| running.input.as_ref())
        {
            let _ = input.send(data.to_vec());
        }
        Ok(())
    }

    async fn channel_eof(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        if let Some(running) = self.channels.get_mut(&id) {
            running.input = None;
        }
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&id);
        self.open = self.open.saturating_sub(1);
        Ok(())
    }
}

async fn run(
    handle: Handle,
    id: ChannelId,
    shell: Vec<String>,
    line: String,
    mut received: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    let mut child = Command::new(&shell[0])
        .args(&shell[1..])
        .arg("-c")
        .arg(line)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = tokio::spawn(async move {
        while let Some(bytes) = received.recv().await {
            if stdin.write_all(&bytes).await.is_err() {
                break;
            }
        }
    });
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = async {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(count @ 1..) = stdout.read(&mut buffer).await {
            if handle.data(id, buffer[..count].to_vec()).await.is_err() {
                break;
            }
        }
    };
    let err = async {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
            if handle
                .extended_data(id, 1, buffer[..count].to_vec())
                .await
                .is_err()
            {
                break;
            }
        }
    };
    let streams = async { tokio::join!(out, err) };
    // As sshd does: the status when the program ends, the channel's end when nobody can write any more.
    tokio::pin!(streams);
    let mut is_over = false;
    let status = tokio::select! {
        _ = &mut streams => { is_over = true; child.wait().await }
        status = child.wait() => status,
    };
    tell_exit(&handle, id, status.unwrap()).await;
    if !is_over {
        streams.await;
    }
    feeding.abort();
    let _ = handle.eof(id).await;
    let _ = handle.close(id).await;
}

async fn tell_exit(handle: &Handle, id: ChannelId, status: std::process::ExitStatus) {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        None => {
            let _ = handle
                .exit_status_request(id, status.code().unwrap_or(255) as u32)
                .await;
        }
        Some(signal) => {
            let name = match signal {
                9 => russh::Sig::KILL,
                15 => russh::Sig::TERM,
                1 => russh::Sig::HUP,
                other => russh::Sig::Custom(other.to_string()),
            };
            let _ = handle
                .exit_signal_request(id, name, false, String::new(), String::new())
                .await;
        }
    }
}

async fn run_on_terminal(
    handle: Handle,
    id: ChannelId,
    shell: Vec<String>,
    line: String,
    mut received: mpsc::UnboundedReceiver<Vec<u8>>,
    (columns, rows): (u32, u32),
) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let controller =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let size = rustix::termios::Winsize {
        ws_row: rows as u16,
        ws_col: columns as u16,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&controller, size).unwrap();
    let name = ptsname(&controller, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    let user = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&name)
        .unwrap();
    let mut child = Command::new("setsid")
        .args([
            "/bin/sh",
            "-c",
            &format!("exec <>{name} >&0 2>&0; exec \"$@\""),
            "login",
        ])
        .args(&shell)
        .arg("-c")
        .arg(line)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let controller = std::fs::File::from(controller);
    let mut writer = tokio::fs::File::from_std(controller.try_clone().unwrap());
    let mut reader = tokio::fs::File::from_std(controller);
    let feeding = tokio::spawn(async move {
        while let Some(bytes) = received.recv().await {
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
    });
    let sending = {
        let handle = handle.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                if handle.data(id, buffer[..count].to_vec()).await.is_err() {
                    break;
                }
            }
        })
    };
    let status = child.wait().await.unwrap();
    drop(user);
    tell_exit(&handle, id, status).await;
    let _ = sending.await;
    feeding.abort();
    let _ = handle.eof(id).await;
    let _ = handle.close(id).await;
}
