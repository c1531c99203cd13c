//! The commands `df` and `showmount`.

use std::process::ExitCode;

use serde_json::json;

use super::table::{self, Mount};
use crate::standin::machine::overlay;
use crate::standin::response::parameters;
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, say};

/// What the filer of this core exports.
pub fn exports(_site: &Site) -> Vec<&'static str> {
    vec![parameters::STORE_EXPORT, parameters::AUDIT_EXPORT]
}

/// `df`: sizes are made up, sources and mount points are true.
pub fn df(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("df", json!({"argv": args}));
    let mounts = table::read(site);
    let asks_all = args.iter().all(|arg| arg.starts_with('-'));
    let is_held = |mount: &Mount| super::trouble::waits_for_ever(site, &mount.target);
    if asks_all && mounts.iter().any(is_held) {
        complain(&overlay::hang().to_string());
        return ExitCode::from(1);
    }
    let free_kb = match site.faults().volumes.free_kb {
        0 => 20_971_520,
        staged => staged,
    };
    let places: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let shows_type = args
        .iter()
        .any(|arg| arg == "-T" || arg == "-PT" || arg == "-kT");
    let kind = |text: &str| {
        if shows_type {
            format!("{text:<8} ")
        } else {
            String::new()
        }
    };
    say(&format!(
        "Filesystem           {}1K-blocks      Used Available Use% Mounted on",
        kind("Type")
    ));
    let root = Mount {
        source: "/dev/sda1".into(),
        target: "/".into(),
        kind: "ext3".into(),
        ..Mount::default()
    };
    let is_full = |place: &str| {
        site.faults()
            .volumes
            .full
            .iter()
            .any(|full| place.starts_with(full.as_str()))
    };
    let line = |mount: &Mount| {
        say(&format!(
            "{:<20} {}41943040  20971520  {free_kb}  50% {}",
            mount.source,
            kind(&mount.kind),
            mount.target
        ));
    };
    if places.is_empty() {
        line(&root);
        mounts.iter().for_each(line);
        return ExitCode::SUCCESS;
    }
    let mut status = 0;
    for place in places {
        if !std::path::Path::new(place).exists() {
            complain(&format!("df: `{place}': No such file or directory"));
            status = 1;
            continue;
        }
        if is_full(place) {
            say(&format!(
                "/dev/sdb1            {}128  128  0  100% {place}",
                kind("ext3")
            ));
            continue;
        }
        line(holding(&mounts, place).unwrap_or(&root));
    }
    ExitCode::from(status)
}

/// The mount that a path lies in: the one with the longest mount point.
fn holding<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    mounts
        .iter()
        .filter(|mount| std::path::Path::new(path).starts_with(&mount.target))
        .max_by_key(|mount| mount.target.len())
}

/// `showmount -e`: the exports of a server.
pub fn showmount(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("showmount", json!({"argv": args}));
    let server = args.iter().find(|arg| !arg.starts_with('-'));
    let name = server.map_or(site.host.name.as_str(), String::as_str);
    let is_known = site
        .world
        .cores
        .iter()
        .any(|core| parameters::filer(core) == *name);
    if !is_known {
        complain("showmount: RPC: Program not registered");
        return ExitCode::from(1);
    }
    say(&format!("Export list for {name}:"));
    exports(site)
        .iter()
        .for_each(|path| say(&format!("{path} *")));
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_in_the_deepest_mount() {
        let mounts = [Mount::nfs("f:/a", "/mnt"), Mount::nfs("f:/b", "/mnt/b")];
        let source = |path| holding(&mounts, path).map(|mount| mount.source.as_str());
        let table = [
            ("/mnt/x", Some("f:/a")),
            ("/mnt/b/c", Some("f:/b")),
            ("/mntx", None),
        ];
        for (path, wanted) in table {
            assert_eq!(source(path), wanted, "{path}");
        }
    }
}
