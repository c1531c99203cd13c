//! OpenSSH's server in place of the lab's own: one `sshd -i` for every connection.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, bail};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::host::init::PATH;
use crate::world::Host;

const PROGRAM: &str = "/usr/sbin/sshd";
const CONFIG: &str = "/.lab/sshd_config";

/// Writes the configuration of the host's server; refuses where there is none.
pub fn configure(host: &Host) -> Result<()> {
    if !Path::new(PROGRAM).exists() {
        bail!(
            "{}: {PROGRAM} is missing: install openssh-server",
            host.name
        );
    }
    let text = format!(
        "HostKey /.lab/host_key\nAuthorizedKeysFile /.lab/authorized_keys\nStrictModes no\nPermitRootLogin yes\n\
         PubkeyAuthentication yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\n\
         AllowUsers root operator\nPrintMotd no\nPrintLastLog no\nAllowTcpForwarding yes\nAcceptEnv LANG LC_*\nPidFile none\n\
         LogLevel VERBOSE\nSetEnv PATH={PATH}\n"
    );
    std::fs::write(CONFIG, text)?;
    Ok(())
}

/// Hands a connection to a server of its own and waits for its end.
pub async fn serve(stream: TcpStream) {
    let Ok(stream) = stream.into_std() else {
        return;
    };
    if stream.set_nonblocking(false).is_err() {
        return;
    }
    let Ok(twin) = stream.try_clone() else { return };
    let child = Command::new(PROGRAM)
        .args(["-i", "-f", CONFIG, "-E", "/.lab/scratch/sshd.log"])
        .env_clear()
        .env("PATH", PATH)
        .stdin(Stdio::from(OwnedFd::from(stream)))
        .stdout(Stdio::from(OwnedFd::from(twin)))
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut child) = child {
        let _ = child.wait().await;
    }
}
