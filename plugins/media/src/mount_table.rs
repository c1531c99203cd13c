//! The table of mounts, as Linux and Solaris write it.

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mount {
    pub(crate) source: String,
    pub(crate) point: String,
    pub(crate) filesystem: String,
    pub(crate) options: String,
}

impl Mount {
    /// Tells whether it comes from another machine.
    pub(crate) fn is_nfs(&self) -> bool {
        matches!(self.filesystem.as_str(), "nfs" | "nfs3" | "nfs4")
    }
}

/// Reads `/proc/mounts`, `/etc/mtab` or `/etc/mnttab`: source, point, type and options, parted by
/// blanks or tabs; what follows is no matter.
pub(crate) fn read(text: &str) -> Vec<Mount> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split_whitespace().map(unescaped);
            Some(Mount {
                source: fields.next()?,
                point: fields.next()?,
                filesystem: fields.next()?,
                options: fields.next().unwrap_or_default(),
            })
        })
        .collect()
}

/// The mount that one sees at a path: the last of those on it.
pub(crate) fn at<'a>(table: &'a [Mount], path: &str) -> Option<&'a Mount> {
    table.iter().rev().find(|mount| mount.point == path)
}

/// Blanks in names are written as octal escapes.
fn unescaped(field: &str) -> String {
    let mut text = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let code = after
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (code, after.get(3..)) {
            (Some(code), Some(behind)) if code.is_ascii() => {
                text.push(char::from(code));
                rest = behind;
            }
            _ => {
                text.push('\\');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_systems() {
        let linux = "/dev/sda1 / ext3 rw 0 0\nfiler:/vol/audit /var/opt/OPSWmnt/audit nfs rw,hard,addr=10.0.0.9 0 0\n/dev/sr0 /mnt/my\\040disc iso9660 ro 0 0\n";
        let solaris = "/dev/dsk/c0t0d0s0\t/\tufs\trw,intr\t1196421600\nfiler:/vol/audit\t/var/opt/opsware/ogfs/mnt/audit\tnfs\trw,dev=45c0002\t1196421700\n";
        let table = read(linux);
        assert_eq!(at(&table, "/mnt/my disc").unwrap().filesystem, "iso9660");
        assert!(at(&table, "/var/opt/OPSWmnt/audit").unwrap().is_nfs());
        assert!(at(&table, "/var").is_none());
        let table = read(solaris);
        let audit = at(&table, "/var/opt/opsware/ogfs/mnt/audit").unwrap();
        assert_eq!(
            (audit.source.as_str(), audit.is_nfs()),
            ("filer:/vol/audit", true)
        );
    }

    #[test]
    fn of_stacked_mounts_the_last_is_seen() {
        let table = read("a /m x ro\nb /m y ro\n");
        assert_eq!(at(&table, "/m").unwrap().source, "b");
    }

    #[test]
    fn odd_lines_do_no_harm() {
        assert_eq!(read("\nonly two\n# a b c\n"), []);
        assert_eq!(unescaped("a\\"), "a\\");
        assert_eq!(unescaped("a\\9b"), "a\\9b");
        assert_eq!(unescaped("a\\134040"), "a\\040");
    }
}
