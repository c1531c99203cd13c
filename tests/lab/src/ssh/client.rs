//! A small SSH client for the lab's own use: runs one command on a host as one of its users.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use russh::ChannelMsg;
use russh::client::{self, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};

use crate::account::keys;
use crate::lab::options::Running;
use crate::paths::StateDir;

/// What a command on a host came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; none when a signal ended it or the connection went.
    pub status: Option<u32>,
    pub signal: Option<String>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// What was written to stdout, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Checks a host's key against the lab's own `known_hosts`.
pub struct KnownHost {
    key: PublicKey,
}

impl client::Handler for KnownHost {
    type Error = anyhow::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool> {
        Ok(
            matches!(offered, PublicKeyOrCertificate::PublicKey { key, .. } if key.key_data() == self.key.key_data()),
        )
    }
}

/// Runs a command on a host of a running lab as root and answers what it came to.
pub fn exec(state: &StateDir, host: &str, command: &str, input: &[u8]) -> Result<Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let session = connect(state, host, "root").await?;
        run(&session, command, input).await
    })
}

/// Logs in to a host with the operator's key.
pub async fn connect(state: &StateDir, host: &str, user: &str) -> Result<Handle<KnownHost>> {
    let running = Running::read(state).context("no lab runs here")?;
    let Some(place) = running.hosts.get(host) else {
        bail!("the lab has no host {host:?}")
    };
    let key = known_key(
        &state.known_hosts(),
        &format!("[{}]:{}", place.address.ip(), place.address.port()),
    )?;
    let config = client::Config {
        nodelay: true,
        ..client::Config::default()
    };
    let connected = client::connect(Arc::new(config), place.address, KnownHost { key });
    let mut session = tokio::time::timeout(Duration::from_secs(20), connected)
        .await
        .with_context(|| format!("{host}: no answer"))?
        .with_context(|| format!("{host}: cannot connect"))?;
    let own = Arc::new(keys::read(&state.operator_key())?);
    let result = session
        .authenticate_publickey(user, PrivateKeyWithHashAlg::new(own, None))
        .await?;
    if !result.success() {
        bail!("{host}: {user} may not log in");
    }
    Ok(session)
}

/// Runs a command in a channel of its own.
pub async fn run(session: &Handle<KnownHost>, command: &str, input: &[u8]) -> Result<Output> {
    let mut channel = session.channel_open_session().await?;
    channel.exec(true, command).await?;
    if !input.is_empty() {
        channel.data(input).await?;
    }
    channel.eof().await?;
    let mut output = Output::default();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.stdout.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, ext: 1 } => output.stderr.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => output.status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => {
                output.signal = Some(format!("{signal_name:?}"))
            }
            _ => {}
        }
    }
    Ok(output)
}

fn known_key(file: &Path, name: &str) -> Result<PublicKey> {
    let text = std::fs::read_to_string(file)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.with_context(|| format!("{name} is not in {}", file.display()))?;
    Ok(PublicKey::from_openssh(line)?)
}
