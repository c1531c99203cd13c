//! Trees of files that are sent from the controller in one stream.

use std::collections::BTreeMap;

use sasrun_plugin::{
    Arguments, Call, Change, Content, ControllerEntry, ControllerFile, Declaration, Failure,
    FileKind, FileStatus, Host, Mode, ModuleResult, Outcome, TreeEntry, TreeEntryKind, WriteTree,
};

use super::placing::content_of;
use crate::answers::{Answers, look, look_inside};
use crate::attributes::Attributes;
use crate::{digest, paths};

/// Sends a directory of the controller's; only what differs travels.
pub(super) async fn send(
    host: &Host,
    call: &Call,
    src: &str,
    mut file: ControllerFile,
) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    refuse_special(&file)?;
    let opened = match arguments.flag("decrypt") {
        true => open(host, &mut file).await?,
        false => Opened::new(),
    };
    let mut attributes = Attributes::of(&arguments);
    let preserves = attributes.mode == Some(Mode::Preserve);
    if preserves {
        attributes.mode = None;
    }
    let dest = paths::expand(host, arguments.text_or_empty("dest")).await?;
    let base = if src.ends_with('/') {
        dest.trim_end_matches('/').to_owned()
    } else {
        paths::join(&dest, paths::file_name(src))
    };
    let found = survey(host, &base, &file.entries).await?;
    let directory_mode = arguments.mode("directory_mode", 0o755, true);
    let force = arguments.given_flag("force") != Some(false);
    // What is there keeps its owner, so it is replaced file by file.
    let (mut entries, mut updates) = (Vec::new(), Vec::new());
    if found.first().is_some_and(|status| !status.exists()) {
        entries.push(TreeEntry {
            path: String::new(),
            mode: directory_mode,
            kind: TreeEntryKind::Directory,
        });
    }
    for (entry, status) in file.entries.iter().zip(found.iter().skip(1)) {
        let wanted = Wanted {
            attributes: &attributes,
            directory_mode,
            preserves,
            force,
            opened: &opened,
        };
        let to = if status.exists() {
            &mut updates
        } else {
            &mut entries
        };
        to.extend(wanted.of(&file.path, entry, status));
    }
    let outcome = |changed| {
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with("dest", format!("{}/", dest.trim_end_matches('/')))
        .with("src", file.path.as_str())
    };
    let count = entries.len() + updates.len();
    if count == 0 {
        return Ok(outcome(false));
    }
    host.declare(Declaration {
        summary: format!("send {count} files and directories to {base}"),
        diff: Vec::new(),
        result: outcome(true).result,
    })
    .await?;
    let tree = |entries| WriteTree {
        directory: base.clone(),
        entries,
        owner: attributes.owner.clone(),
        group: attributes.group.clone(),
    };
    let mut changes: Vec<Change> = Vec::new();
    if !entries.is_empty() {
        changes.push(Change::Tree(tree(entries)));
    }
    let updates = updates.into_iter();
    changes.extend(updates.map(|entry| Change::Tree(tree(vec![entry]))));
    for change in changes {
        host.written(change).await?;
    }
    Ok(outcome(true))
}

/// Contents of the files of a tree that are in a vault, by their paths below it.
type Opened = BTreeMap<String, Vec<u8>>;

/// Opens the files that are in a vault; the checksums are then those of what they hold.
async fn open(host: &Host, file: &mut ControllerFile) -> Result<Opened, Failure> {
    let mut all = Opened::new();
    let mut sealed: Vec<_> = file
        .entries
        .iter_mut()
        .filter(|entry| entry.is_vaulted)
        .collect();
    // The nearest come first, so that it is the nearest that is named where none can be opened.
    sealed.sort_by_key(|entry| entry.path.matches('/').count());
    for entry in sealed {
        let bytes = super::copy::opened(host, &paths::join(&file.path, &entry.path)).await?;
        entry.checksum = Some(digest::sha1(&bytes));
        all.insert(entry.path.clone(), bytes);
    }
    Ok(all)
}

/// Refuses what cannot be sent, before anything is.
fn refuse_special(file: &ControllerFile) -> Result<(), Failure> {
    let sent = [FileKind::File, FileKind::Directory, FileKind::Link];
    match file
        .entries
        .iter()
        .find(|entry| !sent.contains(&entry.kind))
    {
        Some(entry) => Err(Failure::new(format!(
            "Cannot copy {}: it is neither a file, a directory nor a link",
            paths::join(&file.path, &entry.path)
        ))),
        None => Ok(()),
    }
}

/// Looks at the target and at everything that shall be below it, in one round trip.
async fn survey(
    host: &Host,
    base: &str,
    entries: &[ControllerEntry],
) -> Result<Vec<FileStatus>, Failure> {
    let mut reads = vec![look(base, true)];
    for entry in entries {
        let path = paths::join(base, &entry.path);
        reads.push(match entry.kind {
            FileKind::File => look_inside(&path, false),
            FileKind::Directory => look(&path, true),
            _ => look(&path, false),
        });
    }
    let mut answers = Answers::of(host, reads).await?;
    (0..=entries.len()).map(|_| answers.status()).collect()
}

/// What is asked of the entries of a tree.
struct Wanted<'a> {
    attributes: &'a Attributes,
    directory_mode: Option<u32>,
    preserves: bool,
    force: bool,
    opened: &'a Opened,
}

impl Wanted<'_> {
    /// Returns the entry to send, if what is there is not as wanted.
    fn of(&self, source: &str, entry: &ControllerEntry, status: &FileStatus) -> Option<TreeEntry> {
        let exists = status.exists();
        match entry.kind {
            FileKind::Directory => (!exists).then(|| TreeEntry {
                path: entry.path.clone(),
                mode: self.directory_mode,
                kind: TreeEntryKind::Directory,
            }),
            FileKind::Link => {
                let target = entry.link_target.clone()?;
                (status.link_target.as_ref() != Some(&target)).then(|| TreeEntry {
                    path: entry.path.clone(),
                    mode: None,
                    kind: TreeEntryKind::Link { target },
                })
            }
            _ => {
                let is_same = exists && status.checksum == entry.checksum;
                let mode = if self.preserves {
                    Some(entry.mode & 0o7777)
                } else if exists {
                    self.attributes.bits(status)
                } else {
                    self.attributes.bits_of_new(false)
                };
                let has_attributes = self.attributes.difference(status).is_empty()
                    && mode.is_none_or(|mode| mode == status.mode);
                let keeps = exists && !self.force;
                (!(keeps || is_same && has_attributes)).then(|| TreeEntry {
                    path: entry.path.clone(),
                    mode,
                    kind: TreeEntryKind::File {
                        content: match self.opened.get(&entry.path) {
                            Some(bytes) => content_of(bytes),
                            None => Content::ControllerFile(paths::join(source, &entry.path)),
                        },
                    },
                })
            }
        }
    }
}
