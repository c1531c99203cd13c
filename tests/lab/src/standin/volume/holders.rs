//! Who holds a file system: the command `fuser`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::standin::service::process;
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, print};

/// A process that holds a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub command: String,
    /// `c` for the current directory, `f` for an open file.
    pub access: char,
}

/// The processes that hold a directory or something below it.
pub fn of(directory: &Path) -> Vec<Holder> {
    let own = std::process::id();
    process::pids()
        .filter(|pid| *pid != own)
        .filter_map(|pid| {
            let access = access(pid, directory)?;
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let first = command.split(|byte| *byte == 0).next().unwrap_or_default();
            Some(Holder {
                pid,
                command: String::from_utf8_lossy(first).into_owned(),
                access,
            })
        })
        .collect()
}

fn access(pid: u32, directory: &Path) -> Option<char> {
    let holds =
        |link: PathBuf| std::fs::read_link(link).is_ok_and(|path| path.starts_with(directory));
    if holds(PathBuf::from(format!("/proc/{pid}/cwd"))) {
        return Some('c');
    }
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    open.map(|entry| entry.path()).any(holds).then_some('f')
}

/// `fuser`: with `-v` a table, otherwise pids.
pub fn run(_site: &Site, args: &[String]) -> ExitCode {
    site::log_read("fuser", json!({"argv": args}));
    let is_verbose = args
        .iter()
        .any(|arg| arg.starts_with('-') && arg.contains('v'));
    let mut is_held = false;
    for place in args.iter().filter(|arg| !arg.starts_with('-')) {
        let holders = of(Path::new(place.trim_end_matches('/')));
        is_held |= !holders.is_empty();
        if is_verbose {
            complain("                     USER        PID ACCESS COMMAND");
        }
        for (index, holder) in holders.iter().enumerate() {
            let shown = if index == 0 {
                format!("{place}:")
            } else {
                String::new()
            };
            if is_verbose {
                let line = format!(
                    "{shown:<20} {:<8} {:>6} ..{}.. {}",
                    "root", holder.pid, holder.access, holder.command
                );
                complain(&line);
            } else {
                if index == 0 {
                    print(&format!("{place}:"));
                }
                print(&format!(" {}{}", holder.pid, holder.access));
            }
        }
        if !is_verbose && !holders.is_empty() {
            print("\n");
        }
    }
    ExitCode::from(u8::from(!is_held))
}
