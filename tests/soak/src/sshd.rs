//! This machine's OpenSSH server behind loopback addresses of its own: each of them plays a host.
//!
//! Must not: touch the system's own server.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to listen.
const LONGEST_START: Duration = Duration::from_secs(20);
/// How often another port is tried when somebody took the first.
const ATTEMPTS: u32 = 10;

/// A server; dropping it ends it.
pub(crate) struct Sshd {
    child: Child,
    folder: PathBuf,
    /// Its port, on each address.
    pub(crate) port: u16,
    user: String,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that plays the n-th host.
pub(crate) fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 23, 7, u8::try_from(host + 1).unwrap_or(u8::MAX))
}

impl Sshd {
    /// Starts a server for a number of hosts, with its files in a folder. What runs there has a variable set.
    pub(crate) fn start(folder: &Path, hosts: usize, variable: &str) -> io::Result<Self> {
        let folder = folder.join("sshd");
        fs::create_dir_all(&folder)?;
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key))
                .status()?;
            if !made.success() {
                return Err(io::Error::other("ssh-keygen makes no key"));
            }
        }
        // sshd asks for it when root starts it, and has no way to be told another place.
        let _ = fs::create_dir_all("/run/sshd");
        let user = Command::new("id").arg("-un").output()?.stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        for _ in 0..ATTEMPTS {
            // Free a moment ago; somebody else may be quicker, then another one.
            let port = TcpListener::bind((address(0), 0))?.local_addr()?.port();
            fs::write(
                folder.join("config"),
                configuration(&folder, hosts, port, variable),
            )?;
            let log = fs::File::create(folder.join("log"))?;
            let child = Command::new("/usr/sbin/sshd")
                .args(["-D", "-e", "-f"])
                .arg(folder.join("config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()?;
            let mut server = Self {
                child,
                folder: folder.clone(),
                port,
                user: user.clone(),
            };
            if server.listens(hosts)? {
                return Ok(server);
            }
        }
        let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
        Err(io::Error::other(format!("sshd does not start: {said}")))
    }

    fn listens(&mut self, hosts: usize) -> io::Result<bool> {
        let began = Instant::now();
        for host in 0..hosts {
            while TcpStream::connect((address(host), self.port)).is_err() {
                if self.child.try_wait()?.is_some() || began.elapsed() > LONGEST_START {
                    return Ok(false);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(true)
    }

    /// Variables of an inventory by which a host is reached, at a port that leads to this server.
    pub(crate) fn variables(&self, at: Ipv4Addr, port: u16) -> io::Result<Vec<String>> {
        let folder = self.folder.display();
        let key = fs::read_to_string(self.folder.join("host.pub"))?;
        let key: Vec<&str> = key.split_whitespace().take(2).collect();
        Ok(vec![
            format!("ansible_host={at}"),
            format!("ansible_port={port}"),
            format!("ansible_user={}", self.user),
            format!("ansible_ssh_private_key_file={folder}/user"),
            format!("ansible_ssh_host_key='{}'", key.join(" ")),
        ])
    }
}

/// `SHLVL` keeps bash from reading the user's `.bashrc`: what is killed in the middle of that may leave anything behind, and
/// it is no part of what is disturbed here.
fn configuration(folder: &Path, hosts: usize, port: u16, variable: &str) -> String {
    let mut text: String = (0..hosts)
        .map(|host| format!("ListenAddress {}\n", address(host)))
        .collect();
    let at = folder.display();
    text.push_str(&format!(
        "Port {port}\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nPidFile none\nStrictModes no\nUsePAM no\n\
         UseDNS no\nPermitRootLogin yes\nPasswordAuthentication no\nPrintMotd no\nMaxStartups 500\nMaxSessions 50\n\
         LogLevel ERROR\nSetEnv {variable} SHLVL=1\n"
    ));
    text
}
