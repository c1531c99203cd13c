//! Tools of the machine that the lab takes the place of on single hosts, the real one kept at hand.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::Private;

/// Names under which the lab's program may lie over a tool.
pub const NAMES: &[&str] = &["ls", "sh"];

/// Where a host has the machine's own tools.
const TOOLS: &str = "/.lab/usr/bin";

fn real(name: &str) -> PathBuf {
    Private::inside().scratch().join("real").join(name)
}

/// Lays the lab's program over a tool of this host, in the mounts of this host alone.
pub fn lay_over(name: &str) -> io::Result<()> {
    let tool = std::fs::canonicalize(Path::new(TOOLS).join(name))?;
    let kept = real(name);
    if let Some(parent) = kept.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&kept, "")?;
    rustix::mount::mount_bind(&tool, &kept)?;
    rustix::mount::mount_bind(Private::inside().saslab(), &tool)?;
    Ok(())
}

/// The command that runs the tool itself, under its own name.
pub fn command(name: &str, args: &[String]) -> Command {
    let mut command = Command::new(real(name));
    // A dash before the name makes a login shell.
    let is_login = std::env::args()
        .next()
        .is_some_and(|called| called.starts_with('-'));
    let called = if is_login {
        format!("-{name}")
    } else {
        name.to_owned()
    };
    command.arg0(called).args(args);
    command
}

/// Becomes a command that hangs and does not mind being asked to end, as one that waits for a dead server does.
pub fn hang() -> io::Error {
    Command::new("/bin/sh")
        .args(["-c", "trap '' HUP INT QUIT TERM; exec sleep 86400"])
        .exec()
}
