//! The files of a host, as the machine sees them below the host's root directory.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(rename = "type")]
    pub kind: String,
    /// Octal, as `ls` and `chmod` speak of it.
    pub mode: String,
    pub uid: u32,
    pub gid: u32,
    /// Nanoseconds since 1970; none for directories in which reading programs leave nothing but traces of passing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PathBuf>,
}

/// What belongs to the lab, not to the host.
const LEFT_OUT: [&str; 2] = [".lab", "proc"];

/// Directories whose own times say nothing: a file that came and went.
const PASSAGES: [&str; 4] = ["tmp", "var/tmp", "dev/shm", "run"];

/// Looks at everything below the root directory of a host.
pub fn tree(root: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(sub) = waiting.pop() {
        for entry in std::fs::read_dir(root.join(&sub))? {
            let name = sub.join(entry?.file_name());
            if LEFT_OUT.iter().any(|left| name == Path::new(left)) {
                continue;
            }
            // What vanishes while one looks was a passer-by.
            let Some(entry) = vanished(look(root, &name))? else {
                continue;
            };
            if entry.kind == "directory" {
                waiting.push(name.clone());
            }
            found.insert(format!("/{}", name.display()), entry);
        }
    }
    Ok(found)
}

fn vanished<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn look(root: &Path, name: &Path) -> io::Result<Entry> {
    let path = root.join(name);
    let meta = path.symlink_metadata()?;
    let kind = meta.file_type();
    let is_passage = PASSAGES.iter().any(|passage| name == Path::new(passage));
    let mtime = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Ok(Entry {
        kind: type_name(kind).to_owned(),
        mode: format!("{:04o}", meta.mode() & 0o7777),
        uid: meta.uid(),
        gid: meta.gid(),
        mtime_ns: (!is_passage).then_some(mtime),
        size_bytes: kind.is_file().then_some(meta.len()),
        sha256: if kind.is_file() {
            Some(hash(&path)?)
        } else {
            None
        },
        target: if kind.is_symlink() {
            Some(std::fs::read_link(&path)?)
        } else {
            None
        },
    })
}

fn type_name(kind: std::fs::FileType) -> &'static str {
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "link",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () => "device",
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_mode_show_and_the_labs_own_files_do_not() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join(".lab")).unwrap();
        std::fs::write(dir.path().join(".lab/x"), "1").unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "one").unwrap();
        let before = tree(dir.path()).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["/f"]);
        assert_eq!(before, tree(dir.path()).unwrap());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let closed = tree(dir.path()).unwrap();
        assert_eq!(closed["/f"].mode, "0600");
        std::fs::write(&file, "two").unwrap();
        assert_ne!(closed["/f"].sha256, tree(dir.path()).unwrap()["/f"].sha256);
    }
}
