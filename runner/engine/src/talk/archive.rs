//! Archives of the form that every `tar` reads, made in memory: how a tree travels in one stream.
//!
//! Must not: read files, or know where an archive goes.

/// Size of a block; everything in an archive is a number of them.
const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Directory,
    File(&'a [u8]),
    Link(&'a str),
}

/// An archive in the making.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
}

impl Archive {
    /// Adds an entry; false, and nothing added, when its names do not fit the form.
    pub(super) fn add(&mut self, path: &str, mode: u32, kind: Kind<'_>) -> bool {
        let (flag, size, target) = match kind {
            Kind::Directory => (b'5', 0, ""),
            Kind::File(content) => (b'0', content.len(), ""),
            Kind::Link(target) => (b'2', 0, target),
        };
        let Some(header) = header(path, mode, flag, size, target) else {
            return false;
        };
        self.bytes.extend_from_slice(&header);
        if let Kind::File(content) = kind {
            self.bytes.extend_from_slice(content);
            self.bytes
                .resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        }
        true
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole archive, with the two empty blocks that end it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }
}

fn header(path: &str, mode: u32, flag: u8, size: usize, target: &str) -> Option<[u8; BLOCK]> {
    let (prefix, name) = split(path)?;
    if target.len() > 100 {
        return None;
    }
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8]| {
        if let Some(field) = block.get_mut(at..at + text.len()) {
            field.copy_from_slice(text);
        }
    };
    put(0, name.as_bytes());
    put(100, format!("{:07o}\0", mode & 0o7777).as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[flag]);
    put(157, target.as_bytes());
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    if let Some(field) = block.get_mut(148..156) {
        field.copy_from_slice(sum.as_bytes());
    }
    Some(block)
}

/// Splits a path at a slash so that both parts fit their fields.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.is_empty() || path.contains('\0') {
        return None;
    }
    if path.len() <= 100 {
        return Some(("", path));
    }
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let mut parts = slashes.map(|at| (&path[..at], &path[at + 1..]));
    parts.find(|(prefix, name)| {
        !prefix.is_empty() && prefix.len() <= 155 && !name.is_empty() && name.len() <= 100
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn tar_reads_what_was_written() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(90));
        let mut archive = Archive::default();
        assert!(archive.add("a dir", 0o750, Kind::Directory));
        assert!(archive.add("a dir/file", 0o640, Kind::File(b"content")));
        assert!(archive.add("a dir/empty", 0o600, Kind::File(b"")));
        assert!(archive.add("-link", 0o777, Kind::Link("a dir/file")));
        assert!(archive.add(&long, 0o644, Kind::File(&[7; 1000])));
        assert!(!archive.add(&"x".repeat(101), 0o644, Kind::File(b"")));
        assert!(!archive.add("l", 0o777, Kind::Link(&"x".repeat(101))));
        let mut tar = Command::new("tar")
            .args(["tvf", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = tar.stdin.take().unwrap();
        input.write_all(&archive.finish()).unwrap();
        drop(input);
        let output = tar.wait_with_output().unwrap();
        assert!(output.status.success());
        let listing = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = listing.lines().collect();
        assert_eq!(lines.len(), 5, "{listing}");
        assert!(
            lines[0].starts_with("drwxr-x---") && lines[0].trim_end_matches('/').ends_with("a dir")
        );
        assert!(lines[1].starts_with("-rw-r-----") && lines[1].contains(" 7 "));
        assert!(lines[3].ends_with("-link -> a dir/file"));
        assert!(lines[4].contains(" 1000 ") && lines[4].ends_with(&long));
    }
}
