//! Snapshots and the event log tell what happened, and only that.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use saslab::events::Class;
use saslab::lab::trial::Trial;

fn lab() -> Trial {
    let mesh: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml");
    Trial::start(Path::new(env!("CARGO_BIN_EXE_saslab")), &mesh, "").unwrap()
}

#[test]
fn looking_changes_nothing_in_the_look() {
    let lab = lab();
    let before = lab.snapshot().unwrap();
    for host in lab.running.hosts.keys() {
        lab.exec(
            host,
            "ls -lR /etc /opt /var >/dev/null; cat /etc/passwd >/dev/null; ps -ef >/dev/null",
        )
        .unwrap();
    }
    assert_eq!(before.differences(&lab.snapshot().unwrap()), [""; 0]);
    assert_eq!(
        before.to_text().unwrap(),
        lab.snapshot().unwrap().to_text().unwrap()
    );
    assert!(
        lab.events()
            .unwrap()
            .iter()
            .all(|event| event.class == Class::Read)
    );
}

#[test]
fn every_kind_of_change_shows() {
    let lab = lab();
    let changes = [
        ("echo x > /etc/new", "/etc/new: new"),
        ("echo 127.0.0.9 x >> /etc/hosts", "/etc/hosts/sha256"),
        ("chmod 600 /etc/hosts", "/etc/hosts/mode"),
        ("touch -d @1000000 /etc/passwd", "/etc/passwd/mtime_ns"),
        ("rm /etc/hostname", "/etc/hostname: gone"),
        (
            "setsid sleep 3000 >/dev/null 2>&1 </dev/null & sleep 0.2",
            "/processes",
        ),
        (
            "mount --bind /opt /mnt 2>/dev/null || /.lab/usr/bin/mount --bind /opt /mnt",
            "/mounts",
        ),
    ];
    for (command, wanted) in changes {
        let before = lab.snapshot().unwrap();
        lab.exec("a2", command).unwrap();
        let found = before.differences(&lab.snapshot().unwrap());
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("/hosts/a2/") && line.contains(wanted)),
            "{command}: {found:#?}"
        );
    }
}
