//! Trees of files on their way to a host: in one stream where that can be, else entry by entry.

use sasrun_plugin::{
    Command, Content, Place, ReadAnswer, TreeEntry, TreeEntryKind, WriteFile, WriteTree, Written,
};

use super::archive::{Archive, Kind};
use super::host::refused;
use super::{Reply, Talking, convert};

/// Fewer entries go one by one, each behind a rename.
const FEW: usize = 4;
/// Larger files go one by one, as they are read.
const LARGE_BYTES: u64 = 1 << 20;
/// Bytes of one stream; a longer tree takes several.
const STREAM_BYTES: usize = 8 << 20;
/// Mode of what says none: what the usual umask leaves.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

/// What a stream came to.
enum Sent {
    Whole,
    /// The host has no `tar`, or one that does not read this.
    Unfit,
}

impl Talking<'_> {
    /// Writes a tree.
    pub(super) async fn tree(&mut self, tree: &WriteTree) -> Result<ReadAnswer, Reply> {
        let has_owner = tree.owner.is_some() || tree.group.is_some();
        let mut rest: Vec<&TreeEntry> = tree.entries.iter().collect();
        if rest.len() > FEW && !has_owner {
            let (root, below): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|entry| entry.path.is_empty());
            if let Some(stopped) = self.one_by_one(tree, &root).await? {
                return Ok(stopped);
            }
            rest = match self.streamed(tree, &below).await? {
                Ok(left) => left,
                Err(message) => return Ok(refused(message)),
            };
        }
        match self.one_by_one(tree, &rest).await? {
            Some(stopped) => Ok(stopped),
            None => Ok(ReadAnswer::Written(Written::default())),
        }
    }

    /// Sends what fits a stream; gives the entries that are left, or why it failed.
    async fn streamed<'t>(
        &mut self,
        tree: &WriteTree,
        entries: &[&'t TreeEntry],
    ) -> Result<Result<Vec<&'t TreeEntry>, String>, Reply> {
        let mut left = Vec::new();
        let mut archive = Archive::default();
        let mut packed: Vec<&TreeEntry> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            match self.pack(&mut archive, entry) {
                true => packed.push(entry),
                false => left.push(*entry),
            }
            let is_last = at + 1 == entries.len();
            if packed.is_empty() || !(is_last || archive.len() >= STREAM_BYTES) {
                continue;
            }
            let full = std::mem::take(&mut archive);
            match self.unpack_there(&tree.directory, full).await? {
                Ok(Sent::Whole) => packed.clear(),
                Ok(Sent::Unfit) => {
                    left.append(&mut packed);
                    left.extend(entries.iter().skip(at + 1));
                    break;
                }
                Err(message) => return Ok(Err(message)),
            }
        }
        // Directories must be there before what is in them.
        left.sort_by_key(|entry| {
            let is_directory = matches!(entry.kind, TreeEntryKind::Directory);
            (!is_directory, entry.path.matches('/').count())
        });
        Ok(Ok(left))
    }

    /// Adds an entry to an archive; false for one that has to go by itself.
    fn pack(&self, archive: &mut Archive, entry: &TreeEntry) -> bool {
        match &entry.kind {
            TreeEntryKind::Directory => archive.add(
                &entry.path,
                entry.mode.unwrap_or(DIRECTORY_MODE),
                Kind::Directory,
            ),
            TreeEntryKind::Link { target } => archive.add(&entry.path, 0o777, Kind::Link(target)),
            TreeEntryKind::File { content } => {
                let Some(bytes) = self.small_content(content) else {
                    return false;
                };
                let mode = entry.mode.unwrap_or(FILE_MODE);
                archive.add(&entry.path, mode, Kind::File(&bytes))
            }
        }
    }

    fn small_content(&self, content: &Content) -> Option<Vec<u8>> {
        if let Content::ControllerFile(path) = content {
            let path = std::path::Path::new(path);
            let file = self.host_run.run.files.describe(path, None).ok()?;
            return (file.size_bytes <= LARGE_BYTES)
                .then(|| std::fs::read(path).ok())
                .flatten();
        }
        convert::bytes(content).ok().flatten()
    }

    async fn unpack_there(
        &mut self,
        directory: &str,
        archive: Archive,
    ) -> Result<Result<Sent, String>, Reply> {
        let (connection, identity) = self.connection().await?;
        let quoted = sasrun_plugin::Host::quote(directory);
        // Status 90: there is no tar that reads it. Owners and times are those of the moment.
        let script = format!(
            "cd {quoted} || exit 1\n\
             if tar cf - /dev/null >/dev/null 2>&1; then :; else cat >/dev/null; exit 90; fi\n\
             tar xpomf -"
        );
        let command = Command {
            script,
            place: Place::Target,
            ..Command::default()
        };
        let mut ready = convert::command(&command, &[], self.left());
        ready.stdin = Some(archive.finish().into());
        match connection.run(&identity, &ready, None).await {
            Ok(output) => {
                let output = convert::output(&output);
                Ok(match output.rc {
                    0 => Ok(Sent::Whole),
                    90 => Ok(Sent::Unfit),
                    _ => Err(output.stderr),
                })
            }
            Err(error) => Err(super::lost(&error)),
        }
    }

    /// Writes entries each by itself; gives the answer that stopped it, if one did.
    async fn one_by_one(
        &mut self,
        tree: &WriteTree,
        entries: &[&TreeEntry],
    ) -> Result<Option<ReadAnswer>, Reply> {
        for entry in entries {
            let path = format!("{}/{}", tree.directory.trim_end_matches('/'), entry.path);
            let answer = match &entry.kind {
                TreeEntryKind::File { content } => {
                    let file = WriteFile {
                        path,
                        content: content.clone(),
                        mode: entry.mode,
                        owner: tree.owner.clone(),
                        group: tree.group.clone(),
                        backup: false,
                        validate: None,
                        unsafe_writes: false,
                    };
                    self.write(&file).await?
                }
                other => self.tree_command(&path, other, entry.mode).await?,
            };
            match answer {
                ReadAnswer::Written(_) => {}
                ReadAnswer::Command(output) if output.succeeded() => {}
                ReadAnswer::Command(output) => return Ok(Some(refused(output.stderr))),
                other => return Ok(Some(other)),
            }
        }
        Ok(None)
    }

    async fn tree_command(
        &mut self,
        path: &str,
        kind: &TreeEntryKind,
        mode: Option<u32>,
    ) -> Result<ReadAnswer, Reply> {
        let quoted = sasrun_plugin::Host::quote(path);
        let script = match kind {
            TreeEntryKind::Link { target } => {
                format!(
                    "rm -f {quoted} && ln -s {} {quoted}",
                    sasrun_plugin::Host::quote(target)
                )
            }
            _ => match mode {
                Some(mode) => format!("mkdir -p {quoted} && chmod {mode:o} {quoted}"),
                None => format!("mkdir -p {quoted}"),
            },
        };
        self.command(&Command {
            script,
            ..Command::default()
        })
        .await
    }
}
