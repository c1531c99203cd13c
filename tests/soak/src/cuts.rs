//! T5: the connection to a host is cut at random while long steps run there. Each step begins once, and its output comes whole.
//!
//! The host is this machine behind its own OpenSSH server, reached through a proxy that cuts.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::run::Site;
use crate::{Bench, Dice, Failure};

/// Where the long step writes, and how many lines.
const LINES: u32 = 4000;
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Cuts one run's connections a few times.
pub(crate) fn once(bench: &Bench, seed: u64) -> Result<(), Failure> {
    let mut dice = Dice::new(seed);
    let site = Site::empty(bench)?;
    let system = |what: &str| {
        let what = what.to_owned();
        move |error| Failure::System(what, error)
    };
    let server = Server::start(site.folder()).map_err(system("sshd"))?;
    let proxy = Proxy::start(server.port).map_err(system("a proxy"))?;
    write(site.folder(), &server, proxy.port).map_err(system("the playbook"))?;
    let mut started = site.start(&["playbook", "-i", "hosts.yml", "site.yml"])?;
    // Logging in is not what is tried here.
    let ledger = site.folder().join("count");
    let began = Instant::now();
    while !ledger.exists() && began.elapsed() < LONGEST_WAIT {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..=dice.below(3) {
        std::thread::sleep(dice.moment(Duration::from_millis(1500)));
        proxy.cut();
    }
    let status = started.end()?;
    if !status.success() {
        return Err(started.failure(status.code()));
    }
    let count = fs::read_to_string(&ledger).map_err(system("the ledger"))?;
    if count != "first\nlong\nlast\n" {
        return Err(Failure::Output(format!("steps began as {count:?}")));
    }
    for (name, line) in [("stdout", "out"), ("stderr", "err")] {
        let seen = fs::read_to_string(site.folder().join(name)).map_err(system(name))?;
        let expected: Vec<String> = (0..LINES).map(|i| format!("{line} {i}")).collect();
        if seen.trim_end() != expected.join("\n") {
            let bytes = seen.len();
            return Err(Failure::Output(format!(
                "{name} came with {bytes} bytes that are not those written"
            )));
        }
    }
    Ok(())
}

fn write(folder: &Path, server: &Server, port: u16) -> io::Result<()> {
    let known = fs::read_to_string(folder.join("host.pub"))?;
    fs::write(
        folder.join("known_hosts"),
        format!("[127.0.0.1]:{port} {known}"),
    )?;
    let at = folder.display();
    fs::write(
        folder.join("hosts.yml"),
        format!(
            "all: {{hosts: {{h1: {{ansible_host: 127.0.0.1, ansible_port: {port}, ansible_user: {user}, \
             ansible_ssh_private_key_file: {at}/user, ansible_ssh_known_hosts_file: {at}/known_hosts}}}}}}\n",
            user = server.user
        ),
    )?;
    fs::write(
        folder.join("site.yml"),
        format!(
            "- hosts: h1\n  gather_facts: false\n  job: true\n  tasks:\n    \
             - shell: echo first >>{at}/count; sleep 0.2\n    \
             - shell: echo long >>{at}/count; i=0; while [ $i -lt {LINES} ]; do echo out $i; echo err $i >&2; i=$((i+1)); if [ $((i%200)) = 0 ]; then sleep 0.1; fi; done\n      register: long\n    \
             - shell: echo last >>{at}/count\n    \
             - copy: {{content: '{{{{ long[item] }}}}', dest: '{at}/{{{{ item }}}}'}}\n      loop: [stdout, stderr]\n      \
             delegate_to: localhost\n      vars: {{ansible_connection: local}}\n"
        ),
    )
}

/// This machine's OpenSSH server, on a port of its own.
struct Server {
    child: Child,
    port: u16,
    user: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path) -> io::Result<Self> {
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key))
                .status()?;
            if !made.success() {
                return Err(io::Error::other("ssh-keygen makes no key"));
            }
        }
        // sshd asks for it, and has no way to be told another place.
        let _ = fs::create_dir_all("/run/sshd");
        let user = std::env::var("LOGNAME").or_else(|_| std::env::var("USER"));
        for _ in 0..10 {
            // Free a moment ago; somebody else may be quicker, then another one.
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let at = folder.display();
            let config = format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPermitRootLogin yes\nPrintMotd no\n"
            );
            fs::write(folder.join("sshd_config"), config)?;
            let mut child = Command::new("/usr/sbin/sshd")
                .args(["-D", "-e", "-f"])
                .arg(folder.join("sshd_config"))
                .stderr(Stdio::null())
                .spawn()?;
            let began = Instant::now();
            while began.elapsed() < LONGEST_WAIT && child.try_wait()?.is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    let user = user.unwrap_or_else(|_| "root".to_owned());
                    return Ok(Self { child, port, user });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        Err(io::Error::other("sshd does not start"))
    }
}

/// The network between, which can be cut.
struct Proxy {
    port: u16,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let streams = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&streams);
        // It ends with the process; a trial has no way to wake it.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                if let Err(error) = carry(&client, &server, &kept) {
                    drop(error);
                }
            }
        });
        Ok(Self { port, streams })
    }

    /// Cuts all connections that there are.
    fn cut(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.drain(..) {
            // One that is gone already needs no cutting.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn carry(client: &TcpStream, server: &TcpStream, kept: &Mutex<Vec<TcpStream>>) -> io::Result<()> {
    for stream in [client, server] {
        stream.set_nodelay(true)?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(stream.try_clone()?);
    }
    for (from, to) in [(client, server), (server, client)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}
