//! What a client of a host's SSH server meets: logins, commands, terminals, forwards and faults.
#![allow(clippy::unwrap_used)]
#![expect(
    clippy::print_stderr,
    reason = "a server that was not tried must be seen"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::ChannelMsg;
use russh::client::{self, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use saslab::account::{keys, users::Passwords};
use saslab::lab::options::Sshd;
use saslab::lab::trial::Trial;
use saslab::ssh::client::{connect, run};

const MESH: &str = "plugin: opsware_mesh\nmesh: small\ncores:\n  core_a:\n    source: true\n    \
    facility: {id: 1, name: A, agents: 1}\n    hosts:\n      s1: {address: 127.61.9.1, components: []}\n      \
    s2: {address: 127.61.9.2, components: []}\n";

fn lab(scenario: &str, sshd: Sshd) -> Trial {
    let dir = tempfile::tempdir().unwrap();
    let mesh = dir.path().join("mesh.yml");
    std::fs::write(&mesh, MESH).unwrap();
    Trial::start_with(
        Path::new(env!("CARGO_BIN_EXE_saslab")),
        &mesh,
        scenario,
        |start| start.sshd = sshd,
    )
    .unwrap()
}

fn block<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), future)
            .await
            .expect("took too long")
    })
}

/// A client that trusts anyone.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

async fn knock(lab: &Trial, host: &str) -> Result<Handle<Trusting>, russh::Error> {
    client::connect(
        Arc::new(client::Config::default()),
        lab.running.hosts[host].address,
        Trusting,
    )
    .await
}

/// The servers that this machine and user can have.
fn servers() -> Vec<Sshd> {
    let mut servers = vec![Sshd::Embedded];
    if rustix::process::geteuid().is_root() && Path::new("/usr/sbin/sshd").exists() {
        servers.push(Sshd::Openssh);
    } else {
        eprintln!("not with OpenSSH: it needs root and openssh-server");
    }
    servers
}

#[test]
fn commands_run_as_behind_any_ssh_server() {
    for server in servers() {
        let lab = lab("", server);
        block(async {
            let session = connect(&lab.state, "s1", "root").await.unwrap();
            let ok = run(&session, "cat; echo err >&2; exit 7", b"in\0put")
                .await
                .unwrap();
            assert_eq!(
                (ok.status, &ok.stdout[..], &ok.stderr[..]),
                (Some(7), &b"in\0put"[..], &b"err\n"[..])
            );
            let killed = run(&session, "kill -TERM $$", b"").await.unwrap();
            assert_eq!(
                (killed.status, killed.signal.as_deref()),
                (None, Some("TERM")),
                "{server:?}"
            );
            let environment = run(&session, "echo $USER:$HOME:$PATH:$LOGNAME:$(pwd)", b"")
                .await
                .unwrap();
            assert_eq!(
                environment.text(),
                "root:/root:/usr/bin:/bin:/usr/sbin:/sbin:root:/root\n",
                "{server:?}"
            );
            let big = run(
                &session,
                "head -c 3000000 /dev/zero; head -c 1000000 /dev/zero >&2",
                b"",
            )
            .await
            .unwrap();
            assert_eq!((big.stdout.len(), big.stderr.len()), (3_000_000, 1_000_000));
            let input = vec![b'x'; 5_000_000];
            assert_eq!(
                run(&session, "wc -c", &input).await.unwrap().text().trim(),
                "5000000"
            );
            let background = run(
                &session,
                "sleep 100 >/dev/null 2>&1 </dev/null & echo at once",
                b"",
            )
            .await
            .unwrap();
            assert_eq!(background.text(), "at once\n");
        });
    }
}

#[test]
fn channels_of_one_connection_do_not_wait_for_each_other() {
    for server in servers() {
        let lab = lab("", server);
        block(async {
            let session = connect(&lab.state, "s1", "root").await.unwrap();
            let slow = run(
                &session,
                "while [ ! -f /tmp/go ]; do sleep 0.02; done; echo slow",
                b"",
            );
            let quick = async {
                let output = run(&session, "echo quick; touch /tmp/go", b"")
                    .await
                    .unwrap();
                assert_eq!(output.text(), "quick\n");
            };
            let (slow, ()) = tokio::join!(slow, quick);
            assert_eq!(slow.unwrap().text(), "slow\n");
        });
    }
}

#[test]
fn a_terminal_echoes_has_a_size_and_carries_signals() {
    for server in servers() {
        let lab = lab("", server);
        block(async {
            let session = connect(&lab.state, "s1", "root").await.unwrap();
            let mut channel = session.channel_open_session().await.unwrap();
            channel
                .request_pty(true, "vt100", 80, 24, 0, 0, &[])
                .await
                .unwrap();
            channel
                .exec(
                    true,
                    "stty size; tty; read x; stty size; echo got $x; sleep 60",
                )
                .await
                .unwrap();
            let mut screen = Screen::default();
            screen.until(&mut channel, "/dev/pts/").await;
            assert!(screen.0.contains("24 80"), "{}", screen.0);
            channel.window_change(132, 50, 0, 0).await.unwrap();
            channel.data(&b"word\n"[..]).await.unwrap();
            screen.until(&mut channel, "got word").await;
            assert!(screen.0.contains("50 132"), "{}", screen.0);
            channel.data(&b"\x03"[..]).await.unwrap();
            let ended = async { while channel.wait().await.is_some() {} };
            tokio::time::timeout(Duration::from_secs(10), ended)
                .await
                .expect("the interrupt key does not interrupt");
        });
    }
}

/// What a terminal has shown.
#[derive(Default)]
struct Screen(String);

impl Screen {
    async fn until(&mut self, channel: &mut russh::Channel<client::Msg>, wanted: &str) {
        while !self.0.contains(wanted) {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => self.0.push_str(&String::from_utf8_lossy(&data)),
                Some(_) => {}
                None => panic!("{wanted:?} was never shown, only {:?}", self.0),
            }
        }
    }
}

#[test]
fn only_those_who_may_log_in_can() {
    for server in servers() {
        check_logins(server);
    }
}

fn check_logins(server: Sshd) {
    let lab = lab("", server);
    let passwords = Passwords::read(&lab.state.secrets()).unwrap();
    block(async {
        let mut session = knock(&lab, "s1").await.unwrap();
        assert!(
            !session
                .authenticate_password("operator", "wrong")
                .await
                .unwrap()
                .success()
        );
        let right = passwords.0["operator"].clone();
        assert!(
            session
                .authenticate_password("operator", right)
                .await
                .unwrap()
                .success()
        );
        let mut stranger = knock(&lab, "s1").await.unwrap();
        let key = PrivateKeyWithHashAlg::new(Arc::new(keys::make("stranger").unwrap()), None);
        assert!(
            !stranger
                .authenticate_publickey("root", key)
                .await
                .unwrap()
                .success()
        );
        assert!(connect(&lab.state, "s1", "oracle").await.is_err());
    });
    if server == Sshd::Openssh {
        return;
    }
    let logins: Vec<_> = lab
        .events()
        .unwrap()
        .into_iter()
        .filter(|event| event.what == "ssh.login")
        .collect();
    assert_eq!(
        logins
            .iter()
            .filter(|event| event.details["ok"] == true)
            .count(),
        1
    );
    assert!(!format!("{logins:?}").contains(&passwords.0["operator"]));
}

#[test]
fn operator_becomes_root_with_the_password_only() {
    let lab = lab("hosts: {s2: {sudo: {require_tty: true}}}\n", Sshd::Embedded);
    let password = Passwords::read(&lab.state.secrets()).unwrap().0["operator"].clone();
    let root = Passwords::read(&lab.state.secrets()).unwrap().0["root"].clone();
    block(async {
        let session = connect(&lab.state, "s1", "operator").await.unwrap();
        assert_eq!(
            run(&session, "id -un; pwd", b"").await.unwrap().text(),
            "operator\n/home/operator\n"
        );
        let input = format!("{password}\nrest");
        let sudo = run(
            &session,
            "sudo -S -p 'pw> ' sh -c 'id -u; cat'",
            input.as_bytes(),
        )
        .await
        .unwrap();
        assert_eq!(
            (sudo.text().as_str(), sudo.stderr.as_slice()),
            ("0\nrest", &b"pw> "[..]),
            "{sudo:?}"
        );
        let wrong = run(&session, "sudo -S -p '' id -u", b"wrong\n")
            .await
            .unwrap();
        assert_eq!((wrong.status, wrong.text().as_str()), (Some(1), ""));
        let silent = run(&session, "sudo -n id -u", b"").await.unwrap();
        assert!(String::from_utf8_lossy(&silent.stderr).contains("a password is required"));
        let other = run(&session, "sudo -S -p '' -u oracle id -un", input.as_bytes())
            .await
            .unwrap();
        assert_eq!(other.text(), "oracle\n");
        let su = run(
            &session,
            "su - root -c 'id -un; echo $USER'",
            format!("{root}\n").as_bytes(),
        )
        .await
        .unwrap();
        assert_eq!(su.text(), "root\nroot\n");
        assert_eq!(
            run(&session, "su - root -c id", b"wrong\n")
                .await
                .unwrap()
                .status,
            Some(1)
        );
        let strict = connect(&lab.state, "s2", "operator").await.unwrap();
        let refused = run(&strict, "sudo -S id", input.as_bytes()).await.unwrap();
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("must have a tty"),
            "{refused:?}"
        );
    });
}

#[test]
fn a_host_forwards_to_other_hosts_of_the_mesh() {
    for server in servers() {
        let lab = lab("", server);
        block(async {
            let session = connect(&lab.state, "s1", "root").await.unwrap();
            let mut channel = session
                .channel_open_direct_tcpip("127.61.9.2", u32::from(lab.port), "127.0.0.1", 0)
                .await
                .unwrap();
            let Some(ChannelMsg::Data { data }) = channel.wait().await else {
                panic!("nothing came back")
            };
            assert!(data.starts_with(b"SSH-2.0"));
            assert!(
                session
                    .channel_open_direct_tcpip("127.61.9.2", 1, "127.0.0.1", 0)
                    .await
                    .is_err()
            );
        });
    }
}

#[test]
fn faults_are_staged_and_can_be_changed_while_the_lab_runs() {
    let lab = lab(
        "hosts:\n  s1: {ssh: {refuse: true}}\n  s2: {ssh: {other_host_key: true, banner: 'mind'}}\n",
        Sshd::Embedded,
    );
    block(async {
        assert!(knock(&lab, "s1").await.is_err());
        let refused = connect(&lab.state, "s2", "root").await.err().unwrap();
        assert!(
            format!("{refused:#}").to_lowercase().contains("key"),
            "{refused:#}"
        );
        lab.change_scenario("hosts: {s1: {ssh: {cut_after_bytes: 4000}}}\n")
            .unwrap();
        assert!(connect(&lab.state, "s2", "root").await.is_ok());
        let session = connect(&lab.state, "s1", "root").await.unwrap();
        let cut = run(&session, "head -c 100000 /dev/zero", b"").await;
        assert!(
            cut.as_ref().map_or(true, |output| output.status.is_none()),
            "{cut:?}"
        );
        lab.change_scenario(
            "hosts: {s1: {ssh: {reject_logins: true}}, s2: {ssh: {latency_ms: 100}}}\n",
        )
        .unwrap();
        assert!(connect(&lab.state, "s1", "root").await.is_err());
        let session = connect(&lab.state, "s2", "root").await.unwrap();
        let before = Instant::now();
        run(&session, "true", b"").await.unwrap();
        assert!(before.elapsed() >= Duration::from_millis(100));
    });
}

#[test]
fn a_connection_is_cut_when_a_file_appears() {
    let lab = lab(
        "hosts: {s1: {ssh: {cut_when_file: /tmp/cut}}}\n",
        Sshd::Embedded,
    );
    block(async {
        let session = connect(&lab.state, "s1", "root").await.unwrap();
        let output = run(&session, "touch /tmp/cut; sleep 30; echo late", b"").await;
        assert!(
            output
                .as_ref()
                .map_or(true, |output| output.status.is_none()),
            "{output:?}"
        );
        let again = connect(&lab.state, "s1", "root").await.unwrap();
        assert_eq!(
            run(&again, "ls /tmp/cut", b"").await.unwrap().status,
            Some(2),
            "the file is taken away"
        );
    });
}

#[test]
fn a_host_that_is_down_from_the_start_refuses_connections() {
    let lab = lab("hosts: {s2: {ssh: {down: true}}}\n", Sshd::Embedded);
    let error = std::net::TcpStream::connect(lab.running.hosts["s2"].address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(lab.exec("s1", "echo up").unwrap().text(), "up\n");
}
