//! The host as an installer would find it: versions, places of the installer, response file, who runs one already.

use sasrun_plugin::{Command, Failure, FileKind, FileStatus, Host, Read, ReadAnswer, Stat};

use super::order::Order;
use crate::probe::Versions;
use crate::processes;

/// What the first look at the host shows.
pub(super) struct Situation {
    pub(super) versions: Versions,
    places: [FileStatus; 2],
    pub(super) response: FileStatus,
    pub(super) is_root: bool,
    pub(super) running: Vec<String>,
}

/// Looks at everything in one round trip.
pub(super) async fn look(order: &Order, host: &Host) -> Result<Situation, Failure> {
    let script = format!(
        "{}echo USER\nid\n{}",
        order.version_script(),
        running_script()
    );
    let stat = |path: String| {
        Read::Stat(Stat {
            path,
            follow: true,
            checksum: None,
        })
    };
    let reads = vec![
        Read::Command(Command {
            script,
            ..Command::default()
        }),
        stat(format!(
            "{}/opsware_installer/upgrade_opsware.sh",
            order.medium
        )),
        stat(format!(
            "{}/disk001/opsware_installer/upgrade_opsware.sh",
            order.medium
        )),
        stat(order.response_file.clone()),
    ];
    let mut answers = host.read(reads).await?.into_iter();
    let output = match answers.next() {
        Some(ReadAnswer::Command(output)) => output.stdout,
        Some(ReadAnswer::Refused(refusal)) => return Err(Failure::new(refusal.message)),
        _ => return Err(Failure::new("the host's state could not be read")),
    };
    let mut status = || match answers.next() {
        Some(ReadAnswer::Stat(status)) => status,
        _ => FileStatus::default(),
    };
    let places = [status(), status()];
    let response = status();
    let (packages, rest) = output.split_once("USER\n").unwrap_or((&output, ""));
    let (user, processes) = rest.split_once("PROCESSES\n").unwrap_or((rest, ""));
    Ok(Situation {
        versions: order.versions(packages),
        places,
        response,
        is_root: user.trim_start().starts_with("uid=0"),
        running: running(processes),
    })
}

/// Makes sure that the installer may be started, and finds it.
pub(super) fn installer<'a>(
    order: &Order,
    situation: &'a Situation,
    check_mode: bool,
) -> Result<&'a str, Failure> {
    if !situation.is_root {
        return Err(Failure::new(
            "the installer must be run as root; add `become: true`",
        ));
    }
    if !situation.running.is_empty() {
        return Err(Failure::new(format!(
            "an installer is running on this host already: {}; wait for its end",
            situation.running.join(" / ")
        )));
    }
    if situation.response.kind != FileKind::File {
        return Err(Failure::new(format!(
            "there is no response file {}",
            order.response_file
        )));
    }
    let found: Vec<&str> = situation
        .places
        .iter()
        .filter(|place| place.kind == FileKind::File)
        .map(|place| place.path.as_str())
        .collect();
    match found.as_slice() {
        [path] => Ok(path),
        // The medium need not be mounted yet: an earlier task would have done that.
        [] if check_mode => Ok(""),
        [] => Err(Failure::new(format!(
            "there is no installer below {}: is the medium mounted, and is it the right one?",
            order.medium
        ))),
        several => Err(Failure::new(format!(
            "the installer is in two places: {}",
            several.join(" and ")
        ))),
    }
}

/// Shell text that lists the installers that run, after a line of its own.
pub(super) fn running_script() -> String {
    format!(
        "echo PROCESSES\n({}) | grep '[u]pgrade_opsware\\.sh'\nexit 0\n",
        processes::LIST
    )
}

pub(super) fn running(processes: &str) -> Vec<String> {
    let lines = processes.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}
