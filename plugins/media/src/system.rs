//! What the two systems call the same things.

use sasrun_plugin::Host;

/// Kind of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dvd,
    Image,
    Nfs,
    Bind,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "image" => Self::Image,
            "nfs" => Self::Nfs,
            "bind" => Self::Bind,
            _ => Self::Dvd,
        }
    }
}

/// A host's system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    Solaris,
}

impl System {
    /// By what `uname -s` says.
    pub(crate) fn named(uname: &str) -> Self {
        match uname {
            "SunOS" => Self::Solaris,
            _ => Self::Linux,
        }
    }
}

/// What is to be mounted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) source: String,
    pub(crate) path: String,
    /// Options besides `ro`.
    pub(crate) options: Vec<String>,
    pub(crate) filesystem: Option<String>,
}

impl Wanted {
    /// Shell text that makes the mount point and mounts, read-only. A mount that fails leaves no new
    /// directory behind.
    pub(crate) fn command(&self, system: System) -> String {
        let (source, path) = (Host::quote(&self.source), Host::quote(&self.path));
        let options = |first: &[&str]| {
            let mut all = first.to_vec();
            all.extend(self.options.iter().map(String::as_str));
            Host::quote(&all.join(","))
        };
        let usual = |name: &str| {
            let name = self.filesystem.as_deref().unwrap_or(name);
            Host::quote(name)
        };
        let mount = match (system, self.kind) {
            (System::Linux, Kind::Dvd) => {
                format!(
                    "mount -t {} -o {} {source} {path}",
                    usual("iso9660"),
                    options(&["ro"])
                )
            }
            (System::Linux, Kind::Image) => {
                let filesystem = match &self.filesystem {
                    Some(name) => format!("-t {} ", Host::quote(name)),
                    None => String::new(),
                };
                format!(
                    "mount {filesystem}-o {} {source} {path}",
                    options(&["ro", "loop"])
                )
            }
            (System::Linux, Kind::Nfs) => {
                format!(
                    "mount -t {} -o {} {source} {path}",
                    usual("nfs"),
                    options(&["ro"])
                )
            }
            // A bind mount takes its options only when it is mounted anew.
            (System::Linux, Kind::Bind) => format!(
                "mount -o bind {source} {path} && {{ mount -o {} {path} || {{ umount {path}; false; }}; }}",
                options(&["remount", "bind", "ro"])
            ),
            (System::Solaris, Kind::Dvd) => {
                format!(
                    "mount -F {} -o {} {source} {path}",
                    usual("hsfs"),
                    options(&["ro"])
                )
            }
            (System::Solaris, Kind::Image) => format!(
                "d=`lofiadm {source} 2>/dev/null || lofiadm -a {source}` && mount -F {} -o {} \"$d\" {path}",
                usual("hsfs"),
                options(&["ro"])
            ),
            (System::Solaris, Kind::Nfs) => {
                format!(
                    "mount -F {} -o {} {source} {path}",
                    usual("nfs"),
                    options(&["ro"])
                )
            }
            (System::Solaris, Kind::Bind) => {
                format!(
                    "mount -F {} -o {} {source} {path}",
                    usual("lofs"),
                    options(&["ro"])
                )
            }
        };
        format!(
            "if [ -d {path} ]; then made=no; else mkdir -p {path} || exit 1; made=yes; fi\n\
             {mount}\n\
             r=$?\n\
             [ $r -eq 0 ] || [ $made = no ] || rmdir {path}\n\
             exit $r\n"
        )
    }
}

/// What a failed mount means, by the words of either system.
pub(crate) fn mount_failure(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let words: &[(&str, &str)] = &[
        (
            "no medium found",
            "there is no disc in the drive; insert it",
        ),
        (
            "no such device or address",
            "there is no disc in the drive; insert it",
        ),
        (
            "i/o error",
            "the disc cannot be read; a single-layer drive cannot read a dual-layer disc, mount it by NFS instead",
        ),
        (
            "input/output error",
            "the disc cannot be read; a single-layer drive cannot read a dual-layer disc, mount it by NFS instead",
        ),
        ("does not exist", "the source is not there"),
        ("no such file", "the source is not there"),
        (
            "already mounted",
            "something holds the source or the mount point already",
        ),
        (
            "busy",
            "something holds the source or the mount point already",
        ),
        (
            "access denied",
            "the server does not export it to this host",
        ),
        (
            "permission denied",
            "the server does not export it to this host",
        ),
        (
            "wrong fs type",
            "the medium has another type of file system; name it with `filesystem`",
        ),
        (
            "unknown filesystem",
            "this host does not know the medium's type of file system",
        ),
        ("not responding", "the server does not answer"),
        ("timed out", "the server does not answer"),
        ("rpc", "the server does not answer"),
    ];
    words
        .iter()
        .find(|(sign, _)| text.contains(sign))
        .map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(system: System, kind: Kind, options: &[&str], filesystem: Option<&str>) -> String {
        let wanted = Wanted {
            kind,
            source: "/dev/c d".into(),
            path: "/mnt/m".into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            filesystem: filesystem.map(str::to_owned),
        };
        wanted.command(system).lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn each_system_has_its_own_commands() {
        use Kind::{Bind, Dvd, Image, Nfs};
        use System::{Linux, Solaris};
        let cases = [
            (
                command(Linux, Dvd, &[], None),
                "mount -t iso9660 -o ro '/dev/c d' /mnt/m",
            ),
            (
                command(Linux, Dvd, &[], Some("udf")),
                "mount -t udf -o ro '/dev/c d' /mnt/m",
            ),
            (
                command(Linux, Image, &["noexec"], None),
                "mount -o ro,loop,noexec '/dev/c d' /mnt/m",
            ),
            (
                command(Linux, Nfs, &["soft"], None),
                "mount -t nfs -o ro,soft '/dev/c d' /mnt/m",
            ),
            (
                command(Solaris, Dvd, &[], None),
                "mount -F hsfs -o ro '/dev/c d' /mnt/m",
            ),
            (
                command(Solaris, Nfs, &[], None),
                "mount -F nfs -o ro '/dev/c d' /mnt/m",
            ),
            (
                command(Solaris, Bind, &[], None),
                "mount -F lofs -o ro '/dev/c d' /mnt/m",
            ),
        ];
        for (made, expected) in cases {
            assert_eq!(made, expected);
        }
        assert!(command(Solaris, Image, &[], None).contains("lofiadm -a '/dev/c d'"));
        assert!(command(Linux, Bind, &[], None).contains("remount,bind,ro"));
    }

    #[test]
    fn failures_are_told_by_their_words() {
        let cases = [
            ("mount: No medium found", "no disc"),
            (
                "mount: /dev/dsk/c0t6d0s0: No such device or address",
                "no disc",
            ),
            ("mount: /dev/dsk/c0t6d0s0: I/O error", "single-layer"),
            ("mount: special device /dev/x does not exist", "not there"),
            (
                "mount: filer:/x failed, reason given by server: Permission denied",
                "does not export",
            ),
            (
                "NFS server filer not responding still trying",
                "does not answer",
            ),
        ];
        for (text, meaning) in cases {
            assert!(mount_failure(text).unwrap().contains(meaning), "{text}");
        }
        assert_eq!(mount_failure("something new"), None);
    }
}
