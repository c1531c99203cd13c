//! What a file of the controller's is, and what is below a folder: for the modules that send them.

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use sasrun_plugin::{ControllerEntry, ControllerFile, FileKind};

use crate::digests::Digests;

/// How the content of a vault begins.
const VAULT: &[u8] = b"$ANSIBLE_VAULT;";

/// What is told of a symbolic link below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// That it is one.
    Kept,
    /// What it leads to, as if that stood there. It stays a link where it leads nowhere, or to a
    /// folder that it lies in.
    Followed,
}

/// What is asked of files.
pub(crate) struct Describing<'a> {
    /// Algorithm of the checksums, if any are asked for.
    pub checksum: Option<&'a str>,
    pub links: Links,
    pub digests: &'a Digests,
}

impl Describing<'_> {
    /// Describes a file, or a folder with everything below it, parents first.
    pub(crate) fn file(&self, path: &Path) -> io::Result<ControllerFile> {
        let absolute = std::path::absolute(path)?;
        let metadata = fs::metadata(&absolute)?;
        let mut file = ControllerFile {
            path: absolute.display().to_string(),
            is_directory: metadata.is_dir(),
            size_bytes: metadata.len(),
            mode: metadata.mode() & 0o7777,
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
            mtime: metadata.mtime() as f64,
            checksum: None,
            is_vaulted: !metadata.is_dir() && is_vaulted(&absolute)?,
            entries: Vec::new(),
        };
        if metadata.is_dir() {
            let mut around = vec![identity(&metadata)];
            self.below(&absolute, Path::new(""), &mut around, &mut file.entries)?;
        } else {
            file.checksum = self.sum(&absolute, &metadata)?;
        }
        Ok(file)
    }

    /// Describes what is below a folder; `around` are the folders that were come through.
    fn below(
        &self,
        root: &Path,
        inside: &Path,
        around: &mut Vec<Identity>,
        entries: &mut Vec<ControllerEntry>,
    ) -> io::Result<()> {
        let mut names: Vec<_> = fs::read_dir(root.join(inside))?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort();
        for name in names {
            let relative = inside.join(&name);
            let whole = root.join(&relative);
            let metadata = self.known(&whole, around)?;
            let entry = self.entry(&relative, &whole, &metadata)?;
            let is_directory = entry.kind == FileKind::Directory;
            entries.push(entry);
            if is_directory {
                around.push(identity(&metadata));
                self.below(root, &relative, around, entries)?;
                around.pop();
            }
        }
        Ok(())
    }

    /// What is known of an entry, or of what it leads to.
    fn known(&self, path: &Path, around: &[Identity]) -> io::Result<Metadata> {
        let own = fs::symlink_metadata(path)?;
        if self.links == Links::Kept || !own.is_symlink() {
            return Ok(own);
        }
        Ok(match fs::metadata(path) {
            Ok(target) if !around.contains(&identity(&target)) => target,
            _ => own,
        })
    }

    fn entry(
        &self,
        relative: &Path,
        whole: &Path,
        metadata: &Metadata,
    ) -> io::Result<ControllerEntry> {
        let mut entry = ControllerEntry {
            path: relative.display().to_string(),
            kind: kind(metadata.file_type()),
            size_bytes: metadata.len(),
            mode: metadata.mode() & 0o7777,
            ..ControllerEntry::default()
        };
        match entry.kind {
            FileKind::File => {
                entry.checksum = self.sum(whole, metadata)?;
                entry.is_vaulted = is_vaulted(whole)?;
            }
            FileKind::Link => {
                entry.link_target = Some(fs::read_link(whole)?.display().to_string());
            }
            _ => {}
        }
        Ok(entry)
    }

    fn sum(&self, path: &Path, metadata: &Metadata) -> io::Result<Option<String>> {
        self.checksum
            .map(|algorithm| self.digests.of(path, metadata, algorithm))
            .transpose()
    }
}

/// Device and inode: what makes two names the same folder.
type Identity = (u64, u64);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// Only files are opened: to look into a pipe would mean to wait for its writer.
fn kind(of: fs::FileType) -> FileKind {
    if of.is_dir() {
        FileKind::Directory
    } else if of.is_symlink() {
        FileKind::Link
    } else if of.is_fifo() {
        FileKind::Fifo
    } else if of.is_socket() {
        FileKind::Socket
    } else if of.is_char_device() {
        FileKind::CharacterDevice
    } else if of.is_block_device() {
        FileKind::BlockDevice
    } else {
        FileKind::File
    }
}

fn is_vaulted(path: &Path) -> io::Result<bool> {
    let mut start = Vec::with_capacity(VAULT.len());
    fs::File::open(path)?
        .take(VAULT.len() as u64)
        .read_to_end(&mut start)?;
    Ok(start == VAULT)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Kinds and paths of what is below a folder with links of every sort.
    fn told(links: Links) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("inner")).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(folder.path().join("elsewhere/file"), "content").unwrap();
        fs::write(root.join("sealed"), "$ANSIBLE_VAULT;1.1;AES256\n").unwrap();
        symlink("../elsewhere/file", root.join("to_file")).unwrap();
        symlink("../elsewhere", root.join("to_folder")).unwrap();
        symlink("nowhere", root.join("to_nothing")).unwrap();
        symlink("../../root", root.join("inner/around")).unwrap();
        let describing = Describing {
            checksum: Some("sha1"),
            links,
            digests: &Digests::default(),
        };
        let file = describing.file(&root).unwrap();
        let line = |entry: &ControllerEntry| {
            let sum = entry.checksum.as_deref().unwrap_or("-");
            let sealed = if entry.is_vaulted { " sealed" } else { "" };
            let to = entry.link_target.as_deref().unwrap_or("-");
            format!("{:?} {} {} {to}{sealed}", entry.kind, entry.path, &sum[..1])
        };
        file.entries.iter().map(line).collect()
    }

    #[test]
    fn links_are_told_as_they_are() {
        let expected = [
            "Directory inner - -",
            "Link inner/around - ../../root",
            "File sealed 0 - sealed",
            "Link to_file - ../elsewhere/file",
            "Link to_folder - ../elsewhere",
            "Link to_nothing - nowhere",
        ];
        assert_eq!(told(Links::Kept), expected);
    }

    #[test]
    fn links_are_followed_unless_they_lead_nowhere_or_around() {
        let expected = [
            "Directory inner - -",
            "Link inner/around - ../../root",
            "File sealed 0 - sealed",
            "File to_file 0 -",
            "Directory to_folder - -",
            "File to_folder/file 0 -",
            "Link to_nothing - nowhere",
        ];
        assert_eq!(told(Links::Followed), expected);
    }
}
