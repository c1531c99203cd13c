//! What a run keeps and leaves: here its state, on hosts what it put into their temporary directories.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use saslab::snapshot::Snapshot;

use crate::judge::files_below;
use crate::scene::Scene;

/// Directories of hosts in which sasrun works.
const WORK_PLACES: [&str; 2] = ["/tmp/", "/var/tmp/"];
/// The lock says whose it is to everybody.
const PUBLIC: &str = "/var/tmp/sasrun-lock-";

/// Files of the run that others may read, in a sentence each.
pub(crate) fn open_to_others(scene: &Scene, after: &Snapshot) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    files_below(&scene.state(), &mut files)?;
    if files.is_empty() {
        found.push("the run keeps nothing".to_owned());
    }
    for file in files {
        let mode = fs::symlink_metadata(&file)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            found.push(format!("{} has mode {mode:04o}", file.display()));
        }
    }
    for (host, path, mode) in own_files(after) {
        let is_open = !mode.ends_with("00");
        if is_open && !path.starts_with(PUBLIC) {
            found.push(format!("{host}: {path} has mode {mode}"));
        }
    }
    Ok(found)
}

/// What of the run's own is left on hosts, in a sentence each.
pub(crate) fn left_on_hosts(after: &Snapshot) -> Vec<String> {
    let left = own_files(after).into_iter();
    left.map(|(host, path, _)| format!("{host}: {path} is left"))
        .collect()
}

/// Files of sasrun's on hosts: host, path, mode.
fn own_files(after: &Snapshot) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (host, looks) in &after.hosts {
        for (path, entry) in &looks.files {
            let inside = WORK_PLACES
                .iter()
                .find_map(|place| path.strip_prefix(place));
            if inside.is_some_and(|rest| rest.trim_start_matches('.').starts_with("sasrun")) {
                found.push((host.clone(), path.clone(), entry.mode.clone()));
            }
        }
    }
    found
}
