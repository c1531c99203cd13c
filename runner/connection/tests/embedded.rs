//! SSH against a small server of our own: the whole suite, and what only a misbehaving server can show.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod server;
mod suite;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sasrun_connection::{
    Command, Connection, ConnectionError, ExitStatus, Identity, Limits, Secret, SshTarget, Target,
};
use server::proxy::{Fate, Proxy};
use server::{Behaviour, Server, random_key};
use suite::Subject;

const LOGIN: Identity = Identity::Login;

/// A server and a target that gets in.
struct Setup {
    server: Server,
    target: SshTarget,
    _directory: tempfile::TempDir,
    key: PathBuf,
}

async fn setup(mut behaviour: Behaviour) -> Setup {
    let directory = tempfile::tempdir().unwrap();
    let key = random_key();
    behaviour.user_key = Some(key.public_key().clone());
    let key_path = directory.path().join("id");
    std::fs::write(
        &key_path,
        key.to_openssh(Default::default()).unwrap().as_bytes(),
    )
    .unwrap();
    let server = Server::start(behaviour).await;
    let known = directory.path().join("known_hosts");
    std::fs::write(&known, server.known_host()).unwrap();
    let target = SshTarget {
        port: server.port,
        identity_files: vec![key_path.clone()],
        known_hosts: vec![known],
        use_agent: false,
        ..SshTarget::new("127.0.0.1", "root")
    };
    Setup {
        server,
        target,
        _directory: directory,
        key: key_path,
    }
}

async fn connect(target: SshTarget) -> Result<Connection, ConnectionError> {
    Connection::connect(Target::ssh("test host", target)).await
}

async fn open(behaviour: Behaviour) -> Option<Subject> {
    let setup = setup(behaviour).await;
    Some(Subject {
        connection: connect(setup.target.clone()).await.unwrap(),
        identity: LOGIN,
        directory: tempfile::tempdir().unwrap(),
        _keep: Box::new(setup),
    })
}

mod plain {
    crate::suite!(super::open(super::Behaviour::default()));
}

/// A login shell that says a lot before it does what it is told.
fn noisy() -> Behaviour {
    let noise = "echo Welcome; echo Warning >&2; printf 'no newline \\033[31m'; printf oh >&2; shift; exec /bin/sh \"$@\"";
    Behaviour {
        login_shell: ["/bin/sh", "-c", noise, "login", "x"]
            .map(str::to_owned)
            .to_vec(),
        ..Behaviour::default()
    }
}

mod behind_a_noisy_login {
    crate::suite!(super::open(super::noisy()));
}

async fn works(connection: &Connection) {
    let output = connection
        .run(&LOGIN, &Command::shell("echo in; exit 3"), None)
        .await
        .unwrap();
    assert_eq!(
        (output.stdout.text().as_ref(), output.status),
        ("in\n", ExitStatus::Code(3))
    );
}

#[tokio::test]
async fn unknown_and_changed_host_keys_are_refused_before_any_password() {
    let setup = setup(Behaviour {
        password: Some("right".into()),
        ..Behaviour::default()
    })
    .await;
    let mut target = SshTarget {
        password: Some(Secret::new("right")),
        identity_files: Vec::new(),
        ..setup.target.clone()
    };
    target.known_hosts = vec![setup.key.with_file_name("absent")];
    let error = connect(target.clone()).await.unwrap_err();
    assert_eq!(error.kind(), "host_key_unknown");
    assert!(error.is_unreachable());
    // The way out that the message names works.
    let message = error.to_string();
    let line = message.lines().last().unwrap().trim();
    assert_eq!(line.trim(), setup.server.known_host().trim());
    let other = random_key().public_key().to_openssh().unwrap();
    let changed = setup.key.with_file_name("changed");
    std::fs::write(&changed, format!("[127.0.0.1]:{} {other}\n", target.port)).unwrap();
    target.known_hosts = vec![changed];
    assert_eq!(
        connect(target.clone()).await.unwrap_err().kind(),
        "host_key_changed"
    );
    assert_eq!(setup.server.attempts.load(Ordering::SeqCst), 0);
    target.pinned_keys = vec![other];
    assert_eq!(
        connect(target.clone()).await.unwrap_err().kind(),
        "host_key_changed"
    );
    target.pinned_keys = vec![setup.server.host_key.to_openssh().unwrap()];
    works(&connect(target.clone()).await.unwrap()).await;
    target.pinned_keys.clear();
    target.host_key_checking = false;
    works(&connect(target).await.unwrap()).await;
    assert_eq!(setup.server.attempts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn passwords_are_tried_once_by_either_method() {
    for only_questions in [false, true] {
        let setup = setup(Behaviour {
            password: Some("right".into()),
            only_questions,
            ..Behaviour::default()
        })
        .await;
        let mut target = SshTarget {
            identity_files: Vec::new(),
            password: Some(Secret::new("right")),
            ..setup.target.clone()
        };
        if !only_questions {
            works(&connect(target.clone()).await.unwrap()).await;
        }
        target.password = Some(Secret::new("wrong"));
        let before = setup.server.attempts.load(Ordering::SeqCst);
        let error = connect(target.clone()).await.unwrap_err();
        assert_eq!(error.kind(), "authentication");
        assert!(!error.to_string().contains("wrong"), "{error}");
        assert!(setup.server.attempts.load(Ordering::SeqCst) <= before + 1);
        target.password = None;
        let error = connect(target).await.unwrap_err();
        assert!(
            error.to_string().contains("no key, agent or password"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_named() {
    let setup = setup(Behaviour::default()).await;
    let key = std::fs::read_to_string(&setup.key).unwrap();
    let key = russh::keys::PrivateKey::from_openssh(&key).unwrap();
    let encrypted = key
        .encrypt(&mut russh::keys::key::safe_rng(), "secret words")
        .unwrap();
    let path = setup.key.with_file_name("encrypted");
    std::fs::write(
        &path,
        encrypted.to_openssh(Default::default()).unwrap().as_bytes(),
    )
    .unwrap();
    let mut target = SshTarget {
        identity_files: vec![path.clone()],
        ..setup.target.clone()
    };
    let error = connect(target.clone()).await.unwrap_err();
    assert_eq!(error.kind(), "authentication");
    assert!(error.to_string().contains("encrypted"), "{error}");
    target.passphrase = Some(Secret::new("secret words"));
    works(&connect(target.clone()).await.unwrap()).await;
    target.identity_files = vec![path.with_file_name("absent"), setup.key.clone()];
    works(&connect(target.clone()).await.unwrap()).await;
    target.identities_required = true;
    assert_eq!(connect(target).await.unwrap_err().kind(), "identity_file");
}

#[tokio::test]
async fn dropped_greetings_are_tried_again_and_refusals_are_not() {
    let setup = setup(Behaviour {
        dropped_first: 3,
        ..Behaviour::default()
    })
    .await;
    works(&connect(setup.target.clone()).await.unwrap()).await;
    let port = setup.target.port;
    drop(setup);
    let begun = Instant::now();
    let target = SshTarget {
        port,
        ..SshTarget::new("127.0.0.1", "root")
    };
    let error = connect(target).await.unwrap_err();
    assert_eq!(error.kind(), "connect");
    assert!(begun.elapsed() < Duration::from_secs(2));
    let error = connect(SshTarget::new("no-such-host.invalid", "root"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "resolve");
}

#[tokio::test]
async fn silent_servers_run_into_the_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = SshTarget {
        port: listener.local_addr().unwrap().port(),
        ..SshTarget::new("127.0.0.1", "root")
    };
    let mut target = Target::ssh("silent", target);
    target.limits = Limits {
        connect: Duration::from_millis(300),
        ..Limits::default()
    };
    let error = Connection::connect(target).await.unwrap_err();
    assert_eq!(error.kind(), "timeout");
    assert!(error.is_unreachable());
}

#[tokio::test]
async fn jump_hosts_lead_to_hosts() {
    let (outer, inner) = (
        setup(Behaviour::default()).await,
        setup(Behaviour::default()).await,
    );
    let mut target = inner.target.clone();
    target.jump = vec![outer.target.clone(), outer.target.clone()];
    works(&connect(target.clone()).await.unwrap()).await;
    target.port = 1;
    let error = connect(target.clone()).await.unwrap_err();
    assert_eq!(error.kind(), "connect");
    // The hop's own key is checked too.
    target.jump[1].known_hosts.clear();
    assert_eq!(
        connect(target).await.unwrap_err().kind(),
        "host_key_unknown"
    );
}

#[tokio::test]
async fn a_lost_connection_is_told_and_the_next_request_opens_it_again() {
    let mut setup = setup(Behaviour::default()).await;
    // A relay that can be cut.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), setup.target.port);
    let (cut, _) = tokio::sync::broadcast::channel::<()>(1);
    let cuts = cut.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut cut = cuts.subscribe();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", to))
                    .await
                    .unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = cut.recv() => {}
                }
            });
        }
    });
    setup.target.port = port;
    setup.target.host_key_alias = Some(format!("[127.0.0.1]:{to}"));
    let connection = connect(setup.target.clone()).await.unwrap();
    works(&connection).await;
    let running = connection.clone();
    let command = Command::shell("echo begun; sleep 30");
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut begun = Some(begun);
        let mut sink = move |_, _: &[u8]| {
            let _ = begun.take().map(|begun| begun.send(()));
        };
        running.run(&LOGIN, &command, Some(&mut sink)).await
    });
    has_begun.await.unwrap();
    cut.send(()).unwrap();
    let error = task.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), "lost");
    assert!(error.is_unreachable());
    works(&connection).await;
    // Cut while nothing runs: the next request does not notice.
    cut.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    works(&connection).await;
}

#[tokio::test]
async fn silence_of_the_network_is_noticed() {
    let setup = setup(Behaviour::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), setup.target.port);
    let (freeze, _) = tokio::sync::broadcast::channel::<()>(1);
    let freezes = freeze.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut freeze = freezes.subscribe();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", to))
                    .await
                    .unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                    _ = freeze.recv() => {}
                }
                std::future::pending::<()>().await;
            });
        }
    });
    let mut target = Target::ssh(
        "frozen",
        SshTarget {
            port,
            host_key_alias: Some(format!("[127.0.0.1]:{to}")),
            ..setup.target.clone()
        },
    );
    target.limits.keepalive = Duration::from_millis(200);
    let connection = Connection::connect(target).await.unwrap();
    works(&connection).await;
    freeze.send(()).unwrap();
    let begun = Instant::now();
    let error = connection
        .run(&LOGIN, &Command::shell("echo never"), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "lost");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_without_channels_is_told() {
    let setup = setup(Behaviour {
        max_sessions: Some(0),
        ..Behaviour::default()
    })
    .await;
    let connection = connect(setup.target.clone()).await.unwrap();
    let error = connection
        .run(&LOGIN, &Command::shell("true"), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "channel");
}

/// A target that goes through a proxy; the host's key is known under the proxy's port.
fn through(setup: &Setup, proxy: &Proxy) -> SshTarget {
    let known = setup._directory.path().join("known_through");
    let line = setup.server.known_host();
    let line = line.replace(&setup.server.port.to_string(), &proxy.port.to_string());
    std::fs::write(&known, line).unwrap();
    SshTarget {
        port: proxy.port,
        known_hosts: vec![known],
        ..setup.target.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_under_a_login_is_no_refusal() {
    let setup = setup(Behaviour::default()).await;
    // Bytes of the key exchange, the login and the shell.
    let cuts: Vec<usize> = (1200..2400).step_by(40).collect();
    let fates = cuts.clone();
    let proxy = Proxy::start(setup.server.port, move |number| {
        fates.get(number).copied().map_or(Fate::Lives, Fate::IsCut)
    })
    .await;
    let mut words = std::collections::BTreeSet::new();
    for bytes in cuts {
        let mut target = Target::ssh("cut host", through(&setup, &proxy));
        target.limits.connect_attempts = 1;
        let error = async {
            let connection = Connection::connect(target).await?;
            connection.run(&LOGIN, &Command::shell("true"), None).await
        };
        let Err(error) = error.await else { continue };
        assert_ne!(error.kind(), "authentication", "{bytes}: {error}");
        assert!(error.is_unreachable(), "{bytes}: {error}");
        words.insert(error.to_string());
    }
    let all = words.into_iter().collect::<Vec<_>>().join("\n");
    assert!(all.contains("while logging in"), "{all}");
}

#[tokio::test]
async fn a_server_that_goes_away_under_a_login_refuses_nobody() {
    use russh::Disconnect;
    type Farewell = fn() -> Disconnect;
    let cases: [(Farewell, &str); 4] = [
        (|| Disconnect::ByApplication, "lost"),
        (|| Disconnect::TooManyConnections, "lost"),
        (|| Disconnect::ProtocolError, "authentication"),
        (|| Disconnect::NoMoreAuthMethodsAvailable, "authentication"),
    ];
    for (farewell, kind) in cases {
        let setup = setup(Behaviour {
            farewell: Some(farewell),
            ..Behaviour::default()
        })
        .await;
        let mut target = Target::ssh("going host", setup.target.clone());
        target.limits.connect_attempts = 1;
        let error = Connection::connect(target).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{:?}: {error}", farewell());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_while_a_shell_starts_is_told() {
    let setup = setup(Behaviour::default()).await;
    let swallowed = [2350, 2400, 2450, 2500, 2550, 2600, 2650, 2700];
    let proxy = Proxy::start(setup.server.port, move |number| {
        Fate::IsSwallowed(swallowed.get(number).copied().unwrap_or(usize::MAX))
    })
    .await;
    let mut starts = 0;
    for bytes in swallowed {
        let mut target = Target::ssh("silent host", through(&setup, &proxy));
        // Signs of life are missed long before the shell is given up.
        target.limits = Limits {
            connect: Duration::from_millis(300),
            authenticate: Duration::from_millis(300),
            shell_start: Duration::from_secs(20),
            keepalive: Duration::from_millis(100),
            keepalive_count: 3,
            ..Limits::default()
        };
        let command = Command::shell("head -c 100000 /dev/zero; sleep 20");
        let ran = async {
            let connection = Connection::connect(target).await?;
            connection.run(&LOGIN, &command, None).await
        };
        let error = ran.await.unwrap_err();
        // Before that only the login's own limit tells.
        if error.kind() != "timeout" {
            let said = error.to_string();
            assert!(said.contains("no sign of life"), "{bytes}: {said}");
        }
        starts += usize::from(error.kind() == "shell_start");
    }
    assert!(
        starts > 0,
        "no shell was starting when the host fell silent"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_falls_silent_is_noticed_in_every_phase() {
    let setup = setup(Behaviour::default()).await;
    // Bytes of the greeting, the key exchange, the login, the shell, a command, and of nothing in particular.
    let swallowed = [0, 600, 1800, 2300, 2400, 2450, 2500, 2550, 2600, 9000];
    let proxy = Proxy::start(setup.server.port, move |number| {
        Fate::IsSwallowed(swallowed.get(number).copied().unwrap_or(usize::MAX))
    })
    .await;
    let limits = Limits {
        connect: Duration::from_millis(400),
        authenticate: Duration::from_millis(400),
        shell_start: Duration::from_millis(400),
        keepalive: Duration::from_millis(150),
        keepalive_count: 3,
        ..Limits::default()
    };
    let mut words = std::collections::BTreeSet::new();
    for bytes in swallowed {
        let mut target = Target::ssh("silent host", through(&setup, &proxy));
        target.limits = limits.clone();
        let begun = Instant::now();
        let error = async {
            let connection = Connection::connect(target).await?;
            let command = Command::shell("head -c 100000 /dev/zero; sleep 20");
            connection.run(&LOGIN, &command, None).await
        }
        .await
        .unwrap_err();
        // Three limits in a row at most, each a tenth or less of the usual one.
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{bytes}: {took:?}: {error}");
        assert!(error.is_unreachable(), "{bytes}: {error}");
        words.insert(error.to_string());
    }
    let all = words.into_iter().collect::<Vec<_>>().join("\n");
    for phase in [
        "the SSH handshake",
        "the authentication",
        "starting a shell",
        "no sign of life for",
    ] {
        assert!(all.contains(phase), "no {phase:?} in\n{all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_followed_through_cut_connections_without_a_byte_lost_or_doubled() {
    use sasrun_connection::{JobId, JobOffsets, JobRequest, JobState, Patience, Stream};

    let setup = setup(Behaviour::default()).await;
    let cuts = 8;
    let proxy = Proxy::start(setup.server.port, move |number| match number {
        number if number < cuts => Fate::IsCut(2500 + rand::random_range(0..40_000)),
        _ => Fate::Lives,
    })
    .await;
    let mut target = Target::ssh("cut off host", through(&setup, &proxy));
    target.limits.connect_attempts = 10;
    let request = JobRequest {
        id: JobId::new(&format!("cuts-{:016x}", rand::random::<u64>())).unwrap(),
        command: Command::shell(
            "i=0; while [ $i -lt 20000 ]; do echo \"line $i of the output\"; echo $i >&2; i=`expr $i + 1`; \
             if [ `expr $i % 1000` = 0 ]; then sleep 0.05; fi; done; exit 5"
                .replace("`expr $i + 1`", "$((i+1))")
                .replace("`expr $i % 1000`", "$((i%1000))"),
        ),
        about: Vec::new(),
    };
    let connection = loop {
        // The first connections may be cut while they log in; that is somebody else's test.
        if let Ok(connection) = Connection::connect(target.clone()).await {
            break connection;
        }
    };
    let patience = Patience::default();
    let begun = connection.ensure_job(&LOGIN, &request, &patience).await;
    begun.unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut sink = |stream: Stream, bytes: &[u8]| match stream {
        Stream::Stdout => stdout.extend_from_slice(bytes),
        Stream::Stderr => stderr.extend_from_slice(bytes),
    };
    let mut offsets = JobOffsets::default();
    let view = connection
        .follow_job(&LOGIN, &request.id, &mut offsets, &mut sink, &patience)
        .await
        .unwrap();
    assert_eq!(view.state, JobState::Finished(ExitStatus::Code(5)));
    let expected = |line: &dyn Fn(u32) -> String| (0..20_000).map(line).collect::<String>();
    assert!(stdout == expected(&|i| format!("line {i} of the output\n")).as_bytes());
    assert!(stderr == expected(&|i| format!("{i}\n")).as_bytes());
    let connections = proxy.connections.load(Ordering::Relaxed);
    assert!(
        connections > cuts / 2,
        "{connections} connections were made"
    );
    assert!(connection.remove_job(&LOGIN, &request.id).await.unwrap());
}
