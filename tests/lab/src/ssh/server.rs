//! The SSH server that the lab brings along: accepts connections of one host and lets its users in.

use std::io::Write as _;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use russh::keys::PublicKey;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, Session, VerifiedPublicKey, run_stream,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::account::{keys, users};
use crate::events::{self, Class};
use crate::lab::options::Sshd;
use crate::paths::{Private, Shared};
use crate::scenario::{Scenario, SshFaults};
use crate::ssh::channel::{self, Login};
use crate::ssh::faulty::Faulty;
use crate::ssh::{Setup, openssh};
use crate::world::Host;

/// What every connection of this host needs.
struct Here {
    host: Host,
    setup: Setup,
    authorized: Vec<PublicKey>,
    passwords: users::Passwords,
}

/// Runs the SSH server of the host on which this program runs; the listener towards the machine is stdin.
pub fn run() -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(listen())
}

async fn listen() -> Result<ExitCode> {
    let private = Private::inside();
    let here = Arc::new(Here {
        host: serde_json::from_slice(&std::fs::read(private.host())?)?,
        setup: serde_json::from_slice(&std::fs::read(private.sshd())?)?,
        authorized: authorized(&std::fs::read_to_string(private.authorized_keys())?),
        passwords: users::Passwords::read(&private.secrets())?,
    });
    if here.setup.sshd == Sshd::Openssh {
        openssh::configure(&here.host)?;
    }
    let from_machine = from_stdin()?;
    // The hosts of the mesh reach each other inside the lab; where they share one network this port is taken once only.
    let from_mesh = TcpListener::bind(SocketAddrV4::new(here.host.address, here.host.port))
        .await
        .ok();
    let mut out = std::io::stdout();
    writeln!(out, "ready")
        .and_then(|()| out.flush())
        .context("nobody waits for this host")?;
    let outer = accept_all(from_machine, Arc::clone(&here));
    let inner = accept_all(from_mesh, here);
    tokio::join!(outer, inner);
    Ok(ExitCode::FAILURE)
}

/// The listener that was handed down, unless the host is down from the start.
fn from_stdin() -> Result<Option<TcpListener>> {
    let fd = std::io::stdin().as_fd().try_clone_to_owned()?;
    if rustix::net::sockopt::socket_acceptconn(&fd).is_err() {
        return Ok(None);
    }
    let listener = std::net::TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(Some(TcpListener::from_std(listener)?))
}

fn authorized(text: &str) -> Vec<PublicKey> {
    text.lines()
        .filter_map(|line| PublicKey::from_openssh(line).ok())
        .collect()
}

async fn accept_all(listener: Option<TcpListener>, here: Arc<Here>) {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, Arc::clone(&here)));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one connection from its first byte, with the faults that are in force now.
async fn connection(stream: TcpStream, peer: SocketAddr, here: Arc<Here>) {
    let scenario = Scenario::in_force(&Shared::inside()).unwrap_or_default();
    let faults = scenario.host(&here.host.name).ssh.clone();
    events::log(
        Class::Read,
        "ssh.connect",
        json!({ "peer": peer.to_string() }),
    );
    if faults.down {
        // A host that has gone answers nothing: hold the connection until the client gives up.
        let _ = stream.readable().await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        return;
    }
    if faults.refuse {
        // Closing at once with unread data or no linger resets the connection.
        let _ = stream.set_zero_linger();
        return;
    }
    tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
    let _ = stream.set_nodelay(true);
    if here.setup.sshd == Sshd::Openssh {
        openssh::serve(stream).await;
        return;
    }
    let local = stream
        .local_addr()
        .map_or_else(|_| String::new(), |a| format!("{} {}", a.ip(), a.port()));
    let guest = Guest {
        here: Arc::clone(&here),
        faults: faults.clone(),
        path: scenario.host(&here.host.name).login.path.clone(),
        connection: format!("{} {} {local}", peer.ip(), peer.port()),
        login: None,
    };
    let Ok(config) = config(&faults) else { return };
    let cut = faults.cut_when_file.clone();
    let Ok(session) = run_stream(Arc::new(config), Faulty::new(stream, &faults), guest).await
    else {
        return;
    };
    let handle = session.handle();
    tokio::select! {
        _ = session => {}
        () = cut_asked_for(cut) => {
            let _ = handle.disconnect(russh::Disconnect::ByApplication, String::new(), String::new()).await;
        }
    }
}

/// Waits until the file appears on the host by which the scenario cuts connections.
async fn cut_asked_for(file: Option<String>) {
    let Some(file) = file else {
        return std::future::pending().await;
    };
    while std::fs::remove_file(&file).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn config(faults: &SshFaults) -> std::io::Result<Config> {
    let private = Private::inside();
    let key = if faults.other_host_key {
        private.other_host_key()
    } else {
        private.host_key()
    };
    Ok(Config {
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
        auth_rejection_time: Duration::from_millis(100),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![keys::read(&key)?],
        inactivity_timeout: None,
        max_auth_attempts: 6,
        nodelay: true,
        ..Config::default()
    })
}

/// The handler of one connection.
struct Guest {
    here: Arc<Here>,
    faults: SshFaults,
    connection: String,
    /// Where a login looks for programs; empty for the usual places.
    path: String,
    login: Option<Login>,
}

impl Guest {
    fn verdict(&mut self, right: bool, name: &str, method: &str) -> Auth {
        let user = users::find_here(name).filter(|_| right && !self.faults.reject_logins);
        events::log(
            Class::Read,
            "ssh.login",
            json!({ "user": name, "method": method, "ok": user.is_some() }),
        );
        let Some(user) = user else {
            return Auth::reject();
        };
        let rights = self.here.setup.rights;
        self.login = Some(Login {
            user,
            rights,
            connection: self.connection.clone(),
            path: self.path.clone(),
        });
        Auth::Accept
    }
}

impl Handler for Guest {
    type Error = anyhow::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>> {
        Ok(self.faults.banner.clone())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth> {
        let right = self.here.passwords.fit(user, password);
        Ok(self.verdict(right, user, "password"))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth> {
        let known = self
            .here
            .authorized
            .iter()
            .any(|own| own.key_data() == key.public_key.key_data());
        let right = known && matches!(user, "root" | "operator");
        Ok(self.verdict(right, user, "publickey"))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<()> {
        let Some(login) = self.login.clone() else {
            reply
                .reject(ChannelOpenFailure::AdministrativelyProhibited)
                .await;
            return Ok(());
        };
        reply.accept().await;
        tokio::spawn(channel::serve(channel, session.handle(), login));
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _from: &str,
        _from_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<()> {
        let port = u16::try_from(port).unwrap_or(0);
        match TcpStream::connect((host, port)).await {
            Ok(mut stream) => {
                events::log(
                    Class::Read,
                    "ssh.forward",
                    json!({ "to": format!("{host}:{port}") }),
                );
                reply.accept().await;
                tokio::spawn(async move {
                    let mut channel = channel.into_stream();
                    let _ = tokio::io::copy_bidirectional(&mut channel, &mut stream).await;
                });
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<()> {
        Ok(session.channel_success(channel)?)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<()> {
        let answered = if channel::may_be_set(name) {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        };
        Ok(answered?)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<()> {
        Ok(session.channel_success(channel)?)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<()> {
        Ok(session.channel_success(channel)?)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<()> {
        Ok(session.channel_failure(channel)?)
    }
}
