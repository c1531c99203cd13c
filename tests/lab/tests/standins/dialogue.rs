//! A terminal session that answers prompts one after the other.

use std::time::Duration;

use russh::ChannelMsg;
use saslab::lab::trial::Trial;
use saslab::ssh::client::connect;

/// How a session ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<u32>,
    pub(crate) signal: bool,
    pub(crate) screen: String,
    /// Prompts that never came.
    pub(crate) unasked: Vec<String>,
}

/// Runs a command on a terminal of a host and types each answer when its prompt stands at the end of the output.
pub(crate) fn talk(lab: &Trial, host: &str, command: &str, answers: &[(&str, &str)]) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(
            Duration::from_secs(60),
            session(lab, host, command, answers),
        )
        .await
        .unwrap_or_else(|_| panic!("the session on {host} took too long"))
    })
}

async fn session(lab: &Trial, host: &str, command: &str, answers: &[(&str, &str)]) -> Ended {
    let session = connect(&lab.state, host, "root").await.unwrap();
    let mut channel = session.channel_open_session().await.unwrap();
    channel
        .request_pty(false, "vt100", 200, 50, 0, 0, &[])
        .await
        .unwrap();
    channel.exec(true, command).await.unwrap();
    let mut ended = Ended {
        status: None,
        signal: false,
        screen: String::new(),
        unasked: Vec::new(),
    };
    let mut answers = answers.iter();
    let mut next = answers.next();
    let mut fresh = String::new();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let text = String::from_utf8_lossy(&data).replace('\r', "");
                ended.screen.push_str(&text);
                fresh.push_str(&text);
            }
            ChannelMsg::ExitStatus { exit_status } => ended.status = Some(exit_status),
            ChannelMsg::ExitSignal { .. } => ended.signal = true,
            _ => {}
        }
        if let Some((prompt, answer)) = next
            && fresh.ends_with(prompt)
        {
            channel
                .data(format!("{answer}\n").as_bytes())
                .await
                .unwrap();
            fresh.clear();
            next = answers.next();
        }
    }
    ended.unasked = next
        .into_iter()
        .chain(answers)
        .map(|(prompt, _)| (*prompt).to_owned())
        .collect();
    ended
}
