//! SSH against a real OpenSSH server, sudo and su included; needs root, for sshd changes users.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod suite;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::time::{Duration, Instant};

use sasrun_connection::{
    Become, Command, Connection, ConnectionError, ExitStatus, Identity, Secret, SshTarget, Target,
};
use suite::Subject;

const LOGIN: Identity = Identity::Login;

/// Tells whether these tests can run, and says so where they cannot.
fn is_possible() -> bool {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let is_there = ["/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/usr/bin/sudo"]
        .iter()
        .all(|path| Path::new(path).exists());
    if !is_root || !is_there {
        eprintln!("SKIPPED: needs root, openssh-server and sudo");
    }
    is_root && is_there
}

/// A running sshd.
struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn check(program: &mut Program) {
    let output = program.output().unwrap();
    assert!(output.status.success(), "{program:?}: {output:?}");
}

impl Sshd {
    fn start(extra: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for key in ["host", "user"] {
            check(
                Program::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                    .arg(path(key)),
            );
        }
        std::fs::create_dir_all("/run/sshd").unwrap();
        // A port that was free a moment ago; somebody else may be quicker, then another one.
        for _ in 0..10 {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let config = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\nPrintMotd no\n{extra}\n",
                path("host").display(),
                path("user.pub").display(),
            );
            std::fs::write(path("config"), config).unwrap();
            let mut child = Program::new("/usr/sbin/sshd")
                .args(["-D", "-e", "-f"])
                .arg(path("config"))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(10) {
                if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    let host = std::fs::read_to_string(path("host.pub")).unwrap();
                    std::fs::write(path("known_hosts"), format!("[127.0.0.1]:{port} {host}"))
                        .unwrap();
                    return Self {
                        child,
                        directory,
                        port,
                    };
                }
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("sshd does not start");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn target(&self) -> SshTarget {
        SshTarget {
            port: self.port,
            identity_files: vec![self.path("user")],
            known_hosts: vec![self.path("known_hosts")],
            use_agent: false,
            ..SshTarget::new("127.0.0.1", "root")
        }
    }
}

async fn connect(target: SshTarget) -> Result<Connection, ConnectionError> {
    Connection::connect(Target::ssh("test host", target)).await
}

async fn open_root() -> Option<Subject> {
    if !is_possible() {
        return None;
    }
    let sshd = Sshd::start("");
    Some(Subject {
        connection: connect(sshd.target()).await.unwrap(),
        identity: LOGIN,
        directory: tempfile::tempdir().unwrap(),
        _keep: Box::new(sshd),
    })
}

mod plain {
    crate::suite!(super::open_root());
}

const PASSWORD: &str = "pass 'word' $1";

/// A user made for one test.
struct User(String);

impl User {
    fn new(sudoers: &str) -> Self {
        let name = format!("sasrun-t{:06x}", rand::random::<u32>() & 0xff_ffff);
        let user = Self(name);
        let name = &user.0;
        retried(|| {
            Program::new("useradd")
                .args(["-m", "-s", "/bin/bash", name])
                .output()
                .unwrap()
        });
        retried(|| {
            let mut child = Program::new("chpasswd")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let text = format!("{name}:{PASSWORD}\n");
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        if !sudoers.is_empty() {
            let path = format!("/etc/sudoers.d/{name}");
            let beside = format!("/etc/sudoers.d/.{name}");
            std::fs::write(&beside, sudoers.replace("USER", name)).unwrap();
            check(Program::new("chmod").args(["0440", &beside]));
            std::fs::rename(beside, path).unwrap();
        }
        user
    }
}

/// Repeats what waits for no lock of the user files.
fn retried(mut run: impl FnMut() -> std::process::Output) {
    for _ in 0..200 {
        if run().status.success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{:?}", run());
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(format!("/etc/sudoers.d/{}", self.0));
        for _ in 0..100 {
            let output = Program::new("userdel")
                .args(["-f", "-r", &self.0])
                .output()
                .unwrap();
            if output.status.success()
                || output.status.code() == Some(6)
                || output.status.code() == Some(12)
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

async fn open_sudo(sudoers: &str) -> Option<Subject> {
    if !is_possible() {
        return None;
    }
    let (sshd, user) = (Sshd::start(""), User::new(sudoers));
    let target = SshTarget {
        user: user.0.clone(),
        ..sshd.target()
    };
    Some(Subject {
        connection: connect(target).await.unwrap(),
        identity: Identity::Become(Become::sudo("root", Some(Secret::new(PASSWORD)))),
        directory: tempfile::tempdir().unwrap(),
        _keep: Box::new((sshd, user)),
    })
}

mod through_sudo {
    crate::suite!(super::open_sudo(
        "USER ALL=(ALL) ALL\nDefaults:USER lecture=always\n"
    ));
}

mod through_sudo_that_wants_a_terminal {
    crate::suite!(super::open_sudo(
        "USER ALL=(ALL) ALL\nDefaults:USER requiretty\n"
    ));
}

async fn who(connection: &Connection, identity: &Identity) -> Result<String, ConnectionError> {
    let command = Command::shell("id -un; echo $HOME; echo err >&2");
    let output = connection.run(identity, &command, None).await?;
    assert_eq!(output.stderr.text(), "err\n");
    Ok(output.stdout.text().into_owned())
}

fn sudo(user: &str, password: Option<&str>) -> Identity {
    Identity::Become(Become::sudo(user, password.map(Secret::from)))
}

fn su(user: &str, password: Option<&str>) -> Identity {
    Identity::Become(Become::su(user, password.map(Secret::from)))
}

#[tokio::test]
async fn becoming_somebody_works_or_says_why_not() {
    if !is_possible() {
        return;
    }
    let sshd = Sshd::start("");
    let user = User::new("USER ALL=(root) ALL\n");
    let outsider = User::new("");
    let target = |user: &User| SshTarget {
        user: user.0.clone(),
        ..sshd.target()
    };
    let connection = connect(target(&user)).await.unwrap();
    let home = format!("{0}\n/home/{0}\n", user.0);
    assert_eq!(who(&connection, &LOGIN).await.unwrap(), home);
    assert_eq!(
        who(&connection, &sudo("root", Some(PASSWORD)))
            .await
            .unwrap(),
        "root\n/root\n"
    );
    let failures = [
        (sudo("root", Some("wrong")), "become_password"),
        (su(&outsider.0, Some("wrong")), "become_password"),
        (su(&outsider.0, None), "become_password_missing"),
        (sudo(&outsider.0, Some(PASSWORD)), "become_refused"),
        (sudo("no-such-user", Some(PASSWORD)), "become_refused"),
    ];
    for (identity, kind) in failures {
        let error = who(&connection, &identity).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{identity:?}: {error}");
        assert!(error.failed() && !error.to_string().contains(PASSWORD));
    }
    let as_outsider = su(&outsider.0, Some(PASSWORD));
    assert_eq!(
        who(&connection, &as_outsider).await.unwrap(),
        format!("{0}\n/home/{0}\n", outsider.0)
    );
    let refused = connect(target(&outsider)).await.unwrap();
    let error = who(&refused, &sudo("root", Some(PASSWORD)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "become_refused", "{error}");
    let error = who(&refused, &sudo("root", None)).await.unwrap_err();
    assert_eq!(error.kind(), "become_password_missing", "{error}");
    // The login user is no worse off for all that.
    assert_eq!(who(&connection, &LOGIN).await.unwrap(), home);
    let root = connect(sshd.target()).await.unwrap();
    for identity in [sudo(&user.0, None), su(&user.0, None)] {
        assert_eq!(who(&root, &identity).await.unwrap(), home);
    }
}

#[tokio::test]
async fn a_password_is_in_no_argument_and_no_environment() {
    if !is_possible() {
        return;
    }
    let sshd = Sshd::start("");
    let user = User::new("USER ALL=(ALL) ALL\n");
    let target = SshTarget {
        user: user.0.clone(),
        ..sshd.target()
    };
    let connection = connect(target).await.unwrap();
    let command =
        Command::shell("for p in /proc/[0-9]*; do cat $p/cmdline $p/environ 2>/dev/null; done");
    let identity = sudo("root", Some(PASSWORD));
    let output = connection.run(&identity, &command, None).await.unwrap();
    assert!(output.stdout.total_bytes() > 1000);
    let seen = output.stdout.bytes();
    assert!(
        !seen
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes())
    );
}

#[tokio::test]
async fn passwords_and_wrong_users_at_a_real_server() {
    if !is_possible() {
        return;
    }
    let sshd = Sshd::start("MaxAuthTries 3");
    let user = User::new("");
    let target = SshTarget {
        user: user.0.clone(),
        identity_files: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
        ..sshd.target()
    };
    let connection = connect(target.clone()).await.unwrap();
    assert!(who(&connection, &LOGIN).await.unwrap().starts_with(&user.0));
    let wrong = SshTarget {
        password: Some(Secret::new("wrong")),
        ..target.clone()
    };
    let error = connect(wrong).await.unwrap_err();
    assert_eq!(error.kind(), "authentication");
    assert!(error.is_unreachable());
    let nobody = SshTarget {
        password: None,
        identity_files: Vec::new(),
        ..target
    };
    let error = connect(nobody).await.unwrap_err().to_string();
    assert!(error.contains("no key, agent or password"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowded_server_lets_all_in() {
    if !is_possible() {
        return;
    }
    let sshd = Sshd::start("MaxStartups 2:100:2\nLoginGraceTime 20");
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let mut target = Target::ssh("crowd", sshd.target());
            target.limits.connect_attempts = 12;
            tokio::spawn(async move {
                let connection = Connection::connect(target).await?;
                connection
                    .run(&LOGIN, &Command::argv(&["true"]), None)
                    .await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, ExitStatus::Code(0));
    }
}

#[tokio::test]
async fn an_agent_signs() {
    if !is_possible() || !Path::new("/usr/bin/ssh-agent").exists() {
        return;
    }
    let sshd = Sshd::start("");
    let socket = sshd.path("agent");
    let mut agent = Program::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !socket.exists() && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(
        Program::new("ssh-add")
            .arg(sshd.path("user"))
            .env("SSH_AUTH_SOCK", &socket),
    );
    let mut target = SshTarget {
        identity_files: Vec::new(),
        use_agent: true,
        agent_socket: Some(socket),
        ..sshd.target()
    };
    let connection = connect(target.clone()).await.unwrap();
    assert!(who(&connection, &LOGIN).await.unwrap().starts_with("root"));
    // An encrypted file whose key the agent holds needs no passphrase.
    let encrypted = sshd.path("encrypted");
    std::fs::copy(sshd.path("user"), &encrypted).unwrap();
    check(
        Program::new("ssh-keygen")
            .args(["-q", "-p", "-P", "", "-N", "words", "-f"])
            .arg(&encrypted),
    );
    target.identity_files = vec![encrypted];
    target.identities_only = true;
    let connection = connect(target).await.unwrap();
    assert!(who(&connection, &LOGIN).await.unwrap().starts_with("root"));
    let _ = agent.kill();
    let _ = agent.wait();
}

#[tokio::test]
async fn host_names_hashed_by_openssh_are_found() {
    if !is_possible() {
        return;
    }
    let sshd = Sshd::start("");
    check(
        Program::new("ssh-keygen")
            .arg("-q")
            .arg("-H")
            .arg("-f")
            .arg(sshd.path("known_hosts")),
    );
    let text = std::fs::read_to_string(sshd.path("known_hosts")).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    assert!(
        who(&connect(sshd.target()).await.unwrap(), &LOGIN)
            .await
            .is_ok()
    );
}

/// Command lines of processes that were started under a name.
fn processes_of(name: &Path) -> Vec<String> {
    let name = name.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(name))
        .collect()
}

const SUDO: &str = "exec SUDO \"$@\"";

/// A server, users whose sudo wants a terminal or does not, and a sudo that the process table tells apart.
struct OnTerminal {
    sshd: Sshd,
    users: [User; 2],
    exe: PathBuf,
}

impl OnTerminal {
    /// `script` is the text of that sudo, for `/bin/sh`; `LOG` stands for its log and `SUDO` for the real one.
    fn new(script: &str) -> Self {
        let sshd = Sshd::start("");
        let users = [
            User::new("USER ALL=(ALL) ALL\n"),
            User::new("USER ALL=(ALL) ALL\nDefaults:USER requiretty\n"),
        ];
        let exe = sshd.path("sudo");
        let log = sshd.path("log");
        let script = script
            .replace("LOG", log.to_str().unwrap())
            .replace("SUDO", sshd.path("sudo-real").to_str().unwrap());
        std::os::unix::fs::symlink("/usr/bin/sudo", sshd.path("sudo-real")).unwrap();
        let script = format!("#!/bin/sh\n{script}\n");
        std::fs::write(&exe, script).unwrap();
        check(Program::new("chmod").arg("755").arg(&exe));
        check(Program::new("chmod").arg("777").arg(sshd.directory.path()));
        Self { sshd, users, exe }
    }

    fn log(&self) -> PathBuf {
        self.sshd.path("log")
    }

    async fn connect(&self, wants_terminal: bool) -> Connection {
        let target = SshTarget {
            user: self.users[usize::from(wants_terminal)].0.clone(),
            ..self.sshd.target()
        };
        connect(target).await.unwrap()
    }

    fn identity(&self, password: &str) -> Identity {
        Identity::Become(Become {
            exe: Some(self.exe.to_str().unwrap().to_owned()),
            ..Become::sudo("root", Some(Secret::new(password)))
        })
    }

    async fn await_begin(&self) {
        let begun = Instant::now();
        while processes_of(&self.exe).is_empty() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "sudo never began"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn assert_all_end(&self, how: &str) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(8) {
            if processes_of(&self.exe).is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{how}: still there: {:#?}", processes_of(&self.exe));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_of_others_end_before_their_connection() {
    if !is_possible() {
        return;
    }
    let host = OnTerminal::new("trap : 1; SUDO \"$@\"; echo $? >>LOG");
    for wants_terminal in [true, false] {
        let connection = host.connect(wants_terminal).await;
        let identity = host.identity(PASSWORD);
        assert_eq!(user_of(&connection, &identity).await, "root\n");
        assert!(!processes_of(&host.exe).is_empty());
        connection.close().await;
        host.assert_all_end("closed while idle").await;
        let ends = std::fs::read_to_string(host.log()).unwrap();
        // The first one was refused, for it had no terminal.
        let expected = if wants_terminal { "1\n0\n" } else { "0\n" };
        assert_eq!(ends, expected, "terminal: {wants_terminal}");
        std::fs::remove_file(host.log()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_behind_a_terminal_end_with_their_connection() {
    if !is_possible() {
        return;
    }
    let host = OnTerminal::new(SUDO);
    let identity = host.identity(PASSWORD);
    let noisy = Command::shell("(trap '' 1; yes) & sleep 600");
    for wait in [0, 50, 700] {
        let connection = host.connect(true).await;
        let running = {
            let (connection, identity) = (connection.clone(), identity.clone());
            let noisy = noisy.clone();
            tokio::spawn(async move { connection.run(&identity, &noisy, None).await })
        };
        host.await_begin().await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        connection.close().await;
        assert!(running.await.unwrap().is_err());
        host.assert_all_end(&format!("closed after {wait} ms"))
            .await;
    }
    let connection = host.connect(true).await;
    let wrong = host.identity("wrong");
    assert!(connection.run(&wrong, &noisy, None).await.is_err());
    // Some versions of sudo spin for ever on input that nobody read.
    let unread = Command {
        stdin: Some(vec![b'x'; 1 << 20].into()),
        ..Command::shell("head -c 10; sh -c 'kill -9 $$'; exit 7")
    };
    let output = connection.run(&identity, &unread, None).await.unwrap();
    assert_eq!(output.stdout.text(), "xxxxxxxxxx");
    assert_eq!(output.status, ExitStatus::Code(7));
    connection.close().await;
    host.assert_all_end("closed after a wrong password and input that nobody read")
        .await;
}

#[test]
fn shells_behind_a_terminal_end_with_their_controller() {
    if !is_possible() {
        return;
    }
    let host = OnTerminal::new(SUDO);
    for wait in [0, 20, 400] {
        let identity = host.identity(PASSWORD);
        let runtime = runtime();
        runtime.block_on(async {
            let connection = host.connect(true).await;
            tokio::spawn(async move {
                let long = Command::shell("sleep 600");
                connection.run(&identity, &long, None).await
            });
            host.await_begin().await;
            tokio::time::sleep(Duration::from_millis(wait)).await;
        });
        // As if it was killed: no destructor says anything to the host.
        runtime.shutdown_background();
        self::runtime().block_on(host.assert_all_end(&format!("gone after {wait} ms")));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn user_of(connection: &Connection, identity: &Identity) -> String {
    let output = connection
        .run(identity, &Command::shell("id -un"), None)
        .await;
    output.unwrap().stdout.text().into_owned()
}
