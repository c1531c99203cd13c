//! The commands `mount` and `umount`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::source::{self, Content, SourceError};
use super::table::{self, DetachError, Mount};
use super::trouble;
use crate::standin::machine::overlay;
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, say};

/// What a command line of `mount` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    kind: String,
    options: Vec<String>,
    places: Vec<String>,
}

/// `mount`: shows the table, or mounts.
pub fn mount(site: &Site, args: &[String]) -> ExitCode {
    let Some(asked) = parse(args) else {
        complain("mount: usage: mount [-t type] [-o options] source directory");
        return ExitCode::from(1);
    };
    if asked.places.is_empty() {
        site::log_read("mount.list", json!({"argv": args}));
        return list(site);
    }
    if asked
        .places
        .iter()
        .any(|place| trouble::waits_for_ever(site, place))
    {
        return wait_for_ever("mount.mount", args);
    }
    let result = mount_asked(site, &asked);
    let (status, message) = match &result {
        Ok(_) => (0, String::new()),
        Err(Refusal { status, message }) => (*status, message.clone()),
    };
    let details = json!({"argv": args, "mount": result.ok(), "status": status, "cause": message});
    site::log_effect("mount.mount", details);
    if status != 0 {
        complain(&format!("mount: {message}"));
    }
    ExitCode::from(status)
}

fn parse(args: &[String]) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-t" | "-F" | "--types" => asked.kind.clone_from(args.next()?),
            "-o" | "--options" => asked
                .options
                .extend(args.next()?.split(',').map(str::to_owned)),
            "-r" | "--read-only" => asked.options.push("ro".to_owned()),
            "-B" | "--bind" => asked.options.push("bind".to_owned()),
            "-v" | "-p" | "-l" => {}
            other if other.starts_with("-t") => {
                asked.kind = other.trim_start_matches("-t").to_owned()
            }
            other if other.starts_with('-') => return None,
            place => asked.places.push(place.to_owned()),
        }
    }
    (asked.places.len() <= 2).then_some(asked)
}

fn list(site: &Site) -> ExitCode {
    for mount in table::read(site) {
        if site.is_solaris() {
            say(&format!(
                "{} on {} {} on Fri Nov 30 14:05:11 2007",
                mount.target, mount.source, mount.options
            ));
        } else {
            say(&format!(
                "{} on {} type {} ({})",
                mount.source, mount.target, mount.kind, mount.options
            ));
        }
    }
    ExitCode::SUCCESS
}

/// Why a mount was refused, with the exit status.
struct Refusal {
    status: u8,
    message: String,
}

impl Refusal {
    fn new(status: u8, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

fn mount_asked(site: &Site, asked: &Asked) -> Result<Mount, Refusal> {
    if !rustix::process::geteuid().is_root() {
        return Err(Refusal::new(1, "only root can do that"));
    }
    let (source, target) = match asked.places.as_slice() {
        [source, target] => (source.clone(), target.clone()),
        [place] => from_fstab(place).ok_or_else(|| {
            Refusal::new(1, format!("can't find {place} in /etc/fstab or /etc/mtab"))
        })?,
        _ => return Err(Refusal::new(1, "usage")),
    };
    let target = target.trim_end_matches('/').to_owned();
    if !Path::new(&target).is_dir() {
        return Err(Refusal::new(
            32,
            format!("mount point {target} does not exist"),
        ));
    }
    if let Some(there) = table::read(site)
        .iter()
        .find(|mount| mount.target == target)
    {
        let text = if site.is_solaris() {
            format!(
                "{source} is already mounted, {target} is busy, or allowable number of mount points exceeded"
            )
        } else {
            format!("{} already mounted or {target} busy", there.source)
        };
        return Err(Refusal::new(if site.is_solaris() { 33 } else { 32 }, text));
    }
    let content = source::resolve(site, &source, &target).map_err(|error| refusal(site, &error))?;
    let mount = describe(site, asked, source, target, content);
    table::attach(site, &mount).map_err(|error| Refusal::new(32, error.to_string()))?;
    Ok(mount)
}

fn refusal(site: &Site, error: &SourceError) -> Refusal {
    match error {
        SourceError::NoDisc(device) if site.is_solaris() => {
            Refusal::new(33, format!("{device}: No such device or address"))
        }
        SourceError::NoDisc(device) => Refusal::new(32, format!("{device}: No medium found")),
        other => Refusal::new(32, other.to_string()),
    }
}

fn describe(site: &Site, asked: &Asked, source: String, target: String, content: Content) -> Mount {
    let default_kind = if site.is_solaris() { "hsfs" } else { "iso9660" };
    let kind = if asked.kind.is_empty() {
        default_kind
    } else {
        asked.kind.as_str()
    };
    match content {
        Content::Medium(medium) => {
            let kind = if source.contains(":/") { "nfs" } else { kind };
            Mount::disc(&source, &target, kind, &medium)
        }
        Content::Export => Mount::nfs(&source, &target),
        Content::Directory(directory) => Mount {
            kind: "none".to_owned(),
            options: asked.options.join(","),
            directory: directory.to_string_lossy().into_owned(),
            source,
            target,
            ..Mount::default()
        },
    }
}

/// Source and target of a place that the table of file systems knows.
fn from_fstab(place: &str) -> Option<(String, String)> {
    let text = std::fs::read_to_string("/etc/fstab").ok()?;
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut fields = line.split_whitespace();
            let (source, target) = (fields.next()?, fields.next()?);
            (source == place || target == place).then(|| (source.to_owned(), target.to_owned()))
        })
}

/// Waits for a server that does not answer.
fn wait_for_ever(what: &str, args: &[String]) -> ExitCode {
    let server = "the server does not answer";
    site::log_effect(what, json!({"argv": args, "status": null, "cause": server}));
    complain(&overlay::hang().to_string());
    ExitCode::from(1)
}

/// `umount`: takes a mount off.
pub fn umount(site: &Site, args: &[String]) -> ExitCode {
    let Some(place) = args.iter().find(|arg| !arg.starts_with('-')) else {
        complain("umount: usage: umount directory");
        return ExitCode::from(1);
    };
    if !rustix::process::geteuid().is_root() {
        complain("umount: only root can do that");
        return ExitCode::from(1);
    }
    if trouble::waits_for_ever(site, place) {
        return wait_for_ever("mount.umount", args);
    }
    let result = table::detach(site, place);
    let (status, message) = match &result {
        Ok(_) => (0, String::new()),
        Err(DetachError::Busy) if site.is_solaris() => (1, format!("{place} busy")),
        Err(error) => (
            if site.is_solaris() { 1 } else { 32 },
            format!("{place}: {error}"),
        ),
    };
    let taken = result.ok();
    site::log_effect(
        "mount.umount",
        json!({"argv": args, "mount": taken, "status": status, "cause": message}),
    );
    if status != 0 {
        complain(&format!("umount: {message}"));
    }
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_calls_are_understood() {
        let asked = |line: &str| parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let wanted = Asked {
            kind: "iso9660".into(),
            options: vec!["ro".into(), "loop".into()],
            places: vec!["/depot/upload.iso".into(), "/mnt/upload".into()],
        };
        assert_eq!(
            asked("-t iso9660 -o ro,loop /depot/upload.iso /mnt/upload"),
            Some(wanted.clone())
        );
        assert_eq!(
            asked("-F iso9660 -o ro -o loop /depot/upload.iso /mnt/upload"),
            Some(wanted)
        );
        assert_eq!(asked("--wonder /a /b"), None);
        assert_eq!(asked("-o"), None);
        assert_eq!(asked("/a /b /c"), None);
    }
}
