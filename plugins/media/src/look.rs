//! A host's mounts and the source in question, in one read that no dead server can hold: the mount
//! table is read, the mounts are not touched.

use sasrun_plugin::{Command, Failure, Host};

use crate::mount_table::{self, Mount};
use crate::system::{Kind, System, Wanted};

/// What was seen.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) system: System,
    pub(crate) table: Vec<Mount>,
    /// The source, free of symbolic links.
    source: String,
    /// Loop devices and the files behind them.
    loops: Vec<(String, String)>,
    /// Device and inode of source and mount point.
    same_directory: bool,
}

/// Looks. `limit_ms` bounds the look at the source of a bind mount, which may lie on a dead server.
pub(crate) async fn look(
    host: &Host,
    wanted: Option<&Wanted>,
    limit_ms: u64,
) -> Result<Look, Failure> {
    let output = host
        .read_command(Command {
            script: script(wanted),
            timeout_ms: Some(limit_ms),
            ..Command::default()
        })
        .await?;
    if output.timed_out {
        return Err(Failure::new(
            "the host's mounts could not be looked at in time; a server that it mounts from may be dead",
        ));
    }
    Look::read(&output.stdout).ok_or_else(|| {
        Failure::new("the host's mount table could not be read").with("stderr", output.stderr)
    })
}

fn script(wanted: Option<&Wanted>) -> String {
    // A link in place of /etc/mtab leads to the kernel's table; a file is the system's own.
    let mut script = "uname -s\n\
        if [ -f /etc/mnttab ]; then t=/etc/mnttab\n\
        elif [ -f /etc/mtab ] && [ ! -h /etc/mtab ]; then t=/etc/mtab\n\
        else t=/proc/mounts; fi\n\
        sed 's/^/T /' $t\n"
        .to_owned();
    if let Some(wanted) = wanted {
        let (source, path) = (Host::quote(&wanted.source), Host::quote(&wanted.path));
        match wanted.kind {
            Kind::Nfs => {}
            Kind::Dvd => {
                script.push_str(&format!(
                    "r=`readlink -f {source} 2>/dev/null` && echo \"S $r\"\n"
                ));
            }
            Kind::Image => script.push_str(
                "for f in /sys/block/loop*/loop/backing_file; do\n\
                 [ -f \"$f\" ] && echo \"L `echo $f | sed 's|/sys/block/\\([^/]*\\)/.*|/dev/\\1|'` `cat $f`\"\n\
                 done\n\
                 lofiadm 2>/dev/null | sed -n 's|^\\(/dev/lofi/[0-9]*\\)[ \t]*\\(/.*[^ ]\\)[ ]*$|L \\1 \\2|p'\n",
            ),
            Kind::Bind => script.push_str(&format!(
                "a=`stat -c %d:%i {source}/. 2>/dev/null` && b=`stat -c %d:%i {path}/. 2>/dev/null` \
                 && [ \"$a\" = \"$b\" ] && echo D\n"
            )),
        }
    }
    script.push_str("exit 0\n");
    script
}

impl Look {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut look = Self {
            system: System::named(lines.next()?.trim()),
            table: Vec::new(),
            source: String::new(),
            loops: Vec::new(),
            same_directory: false,
        };
        let mut table = String::new();
        for line in lines {
            match line.split_once(' ') {
                Some(("T", row)) => {
                    table.push_str(row);
                    table.push('\n');
                }
                Some(("S", source)) => look.source = source.to_owned(),
                Some(("L", pair)) => {
                    let (device, file) = pair.split_once(' ')?;
                    look.loops.push((device.to_owned(), file.to_owned()));
                }
                None if line == "D" => look.same_directory = true,
                _ => {}
            }
        }
        look.table = mount_table::read(&table);
        (!look.table.is_empty()).then_some(look)
    }

    /// What is mounted at a path.
    pub(crate) fn at(&self, path: &str) -> Option<&Mount> {
        mount_table::at(&self.table, path)
    }

    /// Tells whether a mount is the wanted one by its source.
    pub(crate) fn is(&self, mount: &Mount, wanted: &Wanted) -> bool {
        let tidy = |text: &str| match text.trim_end_matches('/') {
            "" => "/".to_owned(),
            rest => rest.to_owned(),
        };
        let (found, source) = (tidy(&mount.source), tidy(&wanted.source));
        if found == source {
            return true;
        }
        match wanted.kind {
            Kind::Nfs => false,
            Kind::Dvd => !self.source.is_empty() && found == self.source,
            Kind::Image => self
                .loops
                .iter()
                .any(|(device, file)| *device == found && *file == source),
            Kind::Bind => self.same_directory && mount.point == wanted.path,
        }
    }

    /// Where the wanted medium is mounted besides its own mount point. A volume daemon's mount has
    /// a device name of its own, so on Solaris any disc below `/cdrom` may be it.
    pub(crate) fn elsewhere(&self, wanted: &Wanted) -> Vec<&Mount> {
        if wanted.kind == Kind::Bind {
            return Vec::new();
        }
        let volume = |mount: &Mount| {
            self.system == System::Solaris
                && wanted.kind == Kind::Dvd
                && mount.point.starts_with("/cdrom/")
                && matches!(mount.filesystem.as_str(), "hsfs" | "udfs")
        };
        self.table
            .iter()
            .filter(|mount| mount.point != wanted.path)
            .filter(|mount| self.is(mount, wanted) || volume(mount))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(kind: Kind, source: &str) -> Wanted {
        Wanted {
            kind,
            source: source.into(),
            path: "/mnt/m".into(),
            options: vec![],
            filesystem: None,
        }
    }

    #[test]
    fn a_source_is_known_under_its_other_names() {
        let text = "Linux\nT /dev/sr0 /mnt/m iso9660 ro 0 0\nT /dev/loop3 /mnt/i ext4 ro 0 0\nT filer:/depot /mnt/n nfs ro 0 0\nS /dev/sr0\nL /dev/loop3 /depot/upload.iso\n";
        let look = Look::read(text).unwrap();
        let yes = [
            ("/mnt/m", wanted(Kind::Dvd, "/dev/cdrom")),
            ("/mnt/i", wanted(Kind::Image, "/depot/upload.iso")),
            ("/mnt/n", wanted(Kind::Nfs, "filer:/depot/")),
        ];
        for (point, wanted) in &yes {
            assert!(look.is(look.at(point).unwrap(), wanted), "{point}");
        }
        let no = [
            ("/mnt/i", wanted(Kind::Image, "/depot/primary.iso")),
            ("/mnt/n", wanted(Kind::Nfs, "other:/depot")),
            ("/mnt/n", wanted(Kind::Dvd, "/dev/cdrom")),
        ];
        for (point, wanted) in &no {
            assert!(!look.is(look.at(point).unwrap(), wanted), "{point}");
        }
    }

    #[test]
    fn a_volume_daemons_mount_is_found() {
        let text = "SunOS\nT /dev/dsk/c0t0d0s0\t/\tufs\trw\t1\nT /vol/dev/dsk/c0t6d0/sas\t/cdrom/sas\thsfs\tro\t2\n";
        let look = Look::read(text).unwrap();
        let found = look.elsewhere(&wanted(Kind::Dvd, "/dev/dsk/c0t6d0s0"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].point, "/cdrom/sas");
        assert!(
            look.elsewhere(&wanted(Kind::Image, "/depot/x.iso"))
                .is_empty()
        );
    }

    #[test]
    fn no_table_is_no_look() {
        assert!(Look::read("").is_none());
        assert!(Look::read("Linux\n").is_none());
    }
}
