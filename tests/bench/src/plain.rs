//! The yardstick: one SSH session and one `/bin/sh` for each host, fed line by line, and nothing else.
//!
//! It renders nothing, waits for no other host, keeps no record and judges no result but a line's status, so no runner that
//! does its work over SSH can be faster by much.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use futures::future::try_join_all;
use russh::client::{self, Handle};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, load_secret_key};
use russh::{Channel, ChannelMsg, Disconnect};
use tokio::sync::Semaphore;

/// What the yardstick is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directory with one file of lines for each address.
    #[arg(long)]
    lines: PathBuf,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    user: String,
    #[arg(long)]
    key: PathBuf,
    /// Hosts at the same time.
    #[arg(long)]
    forks: usize,
}

/// The other side of a session: any host key will do, for the servers are our own.
struct Anyone;

impl client::Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(all_hosts(arguments))
}

async fn all_hosts(arguments: &Arguments) -> anyhow::Result<()> {
    let key = Arc::new(load_secret_key(&arguments.key, None)?);
    let config = Arc::new(client::Config {
        nodelay: true,
        ..client::Config::default()
    });
    let places = Arc::new(Semaphore::new(arguments.forks));
    let mut files: Vec<PathBuf> = fs::read_dir(&arguments.lines)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let hosts = files.into_iter().map(|file| {
        let (key, config, places) = (Arc::clone(&key), Arc::clone(&config), Arc::clone(&places));
        let (port, user) = (arguments.port, arguments.user.clone());
        let host = tokio::spawn(async move {
            let _place = places.acquire_owned().await?;
            one_host(&file, port, &user, key, config).await
        });
        async move { host.await? }
    });
    try_join_all(hosts).await?;
    Ok(())
}

async fn one_host(
    file: &Path,
    port: u16,
    user: &str,
    key: Arc<PrivateKey>,
    config: Arc<client::Config>,
) -> anyhow::Result<()> {
    let address = file.file_name().and_then(|name| name.to_str());
    let address = address.context("a file without a name")?;
    let lines = fs::read_to_string(file)?;
    let mut session: Handle<Anyone> = client::connect(config, (address, port), Anyone).await?;
    let login = PrivateKeyWithHashAlg::new(key, None);
    if !session.authenticate_publickey(user, login).await?.success() {
        bail!("{address} does not let us in");
    }
    let channel = session.channel_open_session().await?;
    channel.exec(true, "exec /bin/sh").await?;
    let mut shell = Shell { channel, number: 0 };
    for line in lines.lines() {
        shell.line(line).await.with_context(|| address.to_owned())?;
    }
    session
        .disconnect(Disconnect::ByApplication, "", "")
        .await?;
    Ok(())
}

/// A shell that is fed lines; after each it says its status on both streams.
struct Shell {
    channel: Channel<client::Msg>,
    number: u32,
}

impl Shell {
    async fn line(&mut self, line: &str) -> anyhow::Result<()> {
        self.number += 1;
        let mark = format!("=plain={}=", self.number);
        let text = format!("( {line}\n) </dev/null; echo \"{mark}$?=\"; echo '{mark}' >&2\n");
        self.channel.data(text.as_bytes()).await?;
        let (mut out, mut err) = (String::new(), String::new());
        let mut status = None;
        while status.is_none() || !err.contains(&mark) {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => out.push_str(&String::from_utf8_lossy(&data)),
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    err.push_str(&String::from_utf8_lossy(&data));
                }
                Some(_) => {}
                None => bail!("the shell is gone"),
            }
            let said = out
                .split_once(&mark)
                .and_then(|(_, rest)| rest.split_once('='));
            status = said.map(|(status, _)| status.to_owned());
        }
        match status.as_deref() {
            Some("0") => Ok(()),
            other => bail!("{line:?} ended with {other:?}: {err}"),
        }
    }
}
