//! Processes of services: starting them detached, finding them, ending them.
//!
//! A process is known by a variable of its environment, which stays true when pid files lie. Whether a service of
//! another host runs is told by a lock that its first process holds in the shared directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal};

use crate::paths::{Private, Shared};
use crate::standin::site::Site;

/// Variable that names the service a process belongs to.
pub const SERVICE: &str = "SASLAB_SERVICE";
/// Variable that tells which of the service's processes it is, from 0.
pub const ROLE: &str = "SASLAB_ROLE";
/// Variable that is set when ports are to open at once.
pub const AT_ONCE: &str = "SASLAB_AT_ONCE";

const STOP_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// A process to be started.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    pub service: &'a str,
    pub role: usize,
    /// Command line that `ps` shows.
    pub title: &'a [String],
    pub user: &'a str,
    /// Opens its ports without the usual delay.
    pub at_once: bool,
}

/// Starts one process of a service in a session of its own, with nothing of the caller's left open.
pub fn launch(launch: &Launch<'_>) -> io::Result<u32> {
    let spawn = |user: Option<u32>| {
        let mut command = Command::new(Private::inside().saslab());
        if let Some((first, rest)) = launch.title.split_first() {
            command.arg0(first).args(rest);
        }
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env(SERVICE, launch.service)
            .env(ROLE, launch.role.to_string())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        if launch.at_once {
            command.env(AT_ONCE, "1");
        }
        if let Some(id) = user {
            command.uid(id);
        }
        command.spawn()
    };
    let user = user_id(launch.user).filter(|id| *id != 0);
    // Where the lab has a single user of its own, every service runs as that one.
    let child = spawn(user).or_else(|error| {
        if user.is_some() {
            spawn(None)
        } else {
            Err(error)
        }
    })?;
    Ok(child.id())
}

/// Pids of a service's processes on this host, the first started one first.
pub fn find(service: &str) -> Vec<u32> {
    let wanted = format!("{SERVICE}={service}");
    let mut found: Vec<u32> = pids()
        .filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == wanted.as_bytes())
        })
        .collect();
    found.sort_unstable();
    found
}

/// Pids of all processes that this host can see.
pub fn pids() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Ends every process of a service; false when one is still there after the limit.
pub fn end(service: &str) -> bool {
    let started = Instant::now();
    let mut signal = Signal::TERM;
    loop {
        let left = find(service);
        if left.is_empty() {
            return true;
        }
        if started.elapsed() > STOP_LIMIT {
            return false;
        }
        for pid in left {
            send(pid, signal);
        }
        if started.elapsed() > STOP_LIMIT / 2 {
            signal = Signal::KILL;
        }
        std::thread::sleep(POLL);
    }
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // One that is gone already is what we want.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Takes the lock that tells the other hosts that a service of this host runs.
pub fn hold_lock(site: &Site, service: &str) -> io::Result<File> {
    let file = open_lock(site, &site.host.name, service)?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Tells whether a service of any host of the lab runs.
pub fn is_alive(site: &Site, host: &str, service: &str) -> bool {
    is_alive_in(&site.shared, host, service)
}

/// Tells whether a service of any host of the lab with this shared directory runs.
pub fn is_alive_in(shared: &Shared, host: &str, service: &str) -> bool {
    let Ok(file) = File::open(lock_path(shared, host, service)) else {
        return false;
    };
    matches!(
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK
    )
}

/// Makes the folder of the locks, for every user to lock in; done before anything starts on a host.
///
/// Whoever came first would otherwise leave it closed to the others for a moment.
pub fn open_lock_folder(site: &Site) -> io::Result<()> {
    if let Some(parent) = lock_path(&site.shared, &site.host.name, "any").parent() {
        std::fs::create_dir_all(parent)?;
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o777));
    }
    Ok(())
}

fn open_lock(site: &Site, host: &str, service: &str) -> io::Result<File> {
    let path = lock_path(&site.shared, host, service);
    open_lock_folder(site)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn lock_path(shared: &Shared, host: &str, service: &str) -> PathBuf {
    shared
        .scratch()
        .join("run")
        .join(format!("{host}.{service}"))
}

/// The number of a user of this host.
pub fn user_id(name: &str) -> Option<u32> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}
