//! Private OpenSSH servers: own keys, own configuration, loopback addresses, a port nobody else has.
//!
//! They let the user in who started them, so that no root is needed. Must not: touch the system's own sshd.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Addresses that one sshd can listen on.
const ADDRESSES_EACH: usize = 16;
/// How often another port is tried when somebody took the first.
const PORT_ATTEMPTS: usize = 5;

/// The servers; dropping it ends them.
pub(crate) struct Server {
    children: Vec<Child>,
    pub port: u16,
    pub key: PathBuf,
    pub known_hosts: PathBuf,
    pub user: String,
}

/// The address of a host, by its number from 0.
pub(crate) fn address(host: usize) -> String {
    format!("127.19.{}.{}", host / 200, host % 200 + 1)
}

impl Server {
    /// Starts enough servers for a number of hosts.
    pub(crate) fn start(place: &Path, hosts: usize) -> anyhow::Result<Self> {
        let program = sshd()?;
        let directory = place.join("sshd");
        fs::create_dir_all(directory.join("home"))?;
        for key in ["host", "login"] {
            make_key(&directory.join(key))?;
        }
        fs::copy(directory.join("login.pub"), directory.join("authorized"))?;
        if rustix::process::geteuid().is_root() {
            // sshd wants this directory when it is started as root.
            fs::create_dir_all("/run/sshd").context("/run/sshd")?;
        }
        let user = user_name()?;
        let mut last = None;
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            let mut server = Self {
                children: Vec::new(),
                port,
                key: directory.join("login"),
                known_hosts: directory.join("known_hosts"),
                user: user.clone(),
            };
            match server.listen(&program, &directory, hosts) {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no port")?)
    }

    fn listen(&mut self, program: &Path, directory: &Path, hosts: usize) -> anyhow::Result<()> {
        let host_key = fs::read_to_string(directory.join("host.pub"))?;
        let key: Vec<&str> = host_key.split_whitespace().take(2).collect();
        let mut known = String::new();
        let all: Vec<String> = (0..hosts).map(address).collect();
        for address in &all {
            known.push_str(&format!("[{address}]:{} {}\n", self.port, key.join(" ")));
        }
        fs::write(&self.known_hosts, known)?;
        for (number, addresses) in all.chunks(ADDRESSES_EACH).enumerate() {
            let file = directory.join(format!("config.{number}"));
            fs::write(&file, self.configuration(directory, addresses, number))?;
            let log = fs::File::create(directory.join(format!("log.{number}")))?;
            let child = Command::new(program)
                .args(["-D", "-e", "-f"])
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()?;
            self.children.push(child);
        }
        for (number, addresses) in all.chunks(ADDRESSES_EACH).enumerate() {
            for address in addresses {
                self.await_listener(directory, number, address)?;
            }
        }
        Ok(())
    }

    fn configuration(&self, directory: &Path, addresses: &[String], number: usize) -> String {
        let mut text = String::new();
        for address in addresses {
            text.push_str(&format!("ListenAddress {address}\n"));
        }
        let at = directory.display();
        text.push_str(&format!(
            "Port {port}\nHostKey {at}/host\nPidFile {at}/pid.{number}\n\
             AuthorizedKeysFile {at}/authorized\nPermitRootLogin prohibit-password\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\n\
             StrictModes no\nPrintMotd no\nPrintLastLog no\nMaxStartups 2000\nMaxSessions 2000\n\
             LogLevel ERROR\nSetEnv HOME={at}/home\nSubsystem sftp internal-sftp\n",
            port = self.port,
        ));
        text
    }

    fn await_listener(
        &mut self,
        directory: &Path,
        number: usize,
        address: &str,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((address, self.port)).is_err() {
            let child = self.children.get_mut(number).context("no server")?;
            if child.try_wait()?.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(directory.join(format!("log.{number}")))?;
                bail!("sshd does not listen on {address}: {}", log.trim());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself; then there is nothing to do.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Finds sshd, also where a user's PATH does not lead.
fn sshd() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|directory| directory.join("sshd"))
        .find(|program| program.is_file())
        .context("there is no sshd here; on Debian: apt-get install openssh-server")
}

fn make_key(path: &Path) -> anyhow::Result<()> {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f"])
        .arg(path)
        .status()
        .context("ssh-keygen; on Debian: apt-get install openssh-client")?;
    if !made.success() {
        bail!("ssh-keygen failed");
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.19.0.1", 0))?.local_addr()?.port())
}

fn user_name() -> anyhow::Result<String> {
    let output = Command::new("id").arg("-un").output().context("id")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
