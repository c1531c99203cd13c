//! Trees of files: sent from the controller in one stream, or copied on the host itself.

use sasrun_plugin::{
    Arguments, Call, Change, Content, ControllerEntry, ControllerFile, Declaration, Failure,
    FileKind, FileStatus, Host, Mode, ModuleResult, Object, Outcome, TreeEntry, TreeEntryKind,
    WriteTree,
};

use super::placing::{Source, place};
use crate::answers::{Answers, bytes_of, look, look_inside, run, whole};
use crate::attributes::Attributes;
use crate::paths;

/// Sends a directory of the controller's; only what differs travels.
pub(super) async fn send(
    host: &Host,
    call: &Call,
    src: &str,
    file: ControllerFile,
) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
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
                        content: Content::ControllerFile(paths::join(source, &entry.path)),
                    },
                })
            }
        }
    }
}

/// `remote_src`: the host copies from itself.
pub(super) async fn copy_on_host(host: &Host, call: &Call, src: &str) -> ModuleResult {
    let src = paths::expand(host, src).await?;
    let mut answers = Answers::of(host, vec![look(&src, true), look_inside(&src, true)]).await?;
    let (source, with_checksum) = (answers.status()?, answers.status()?);
    match source.kind {
        FileKind::Absent => Err(Failure::new(format!("Source {src} not found")).with("src", src)),
        FileKind::Directory => copy_directory(host, call, &src).await,
        // A file of this size is not worth a way of its own; it goes through this side.
        _ if source.size_bytes <= SMALL_BYTES => {
            let content = Answers::of(host, vec![whole(&src)]).await?.file()?;
            let mut file = Source::of_bytes(
                &bytes_of(&content)?,
                Some(paths::file_name(&src).to_owned()),
            );
            file.mode = Some(source.mode);
            file.from = Some(src);
            place(host, call, file).await
        }
        _ => copy_large(host, call, &src, &with_checksum).await,
    }
}

/// Largest file that is read and written again instead of copied by the host.
const SMALL_BYTES: u64 = 1 << 20;

async fn copy_large(host: &Host, call: &Call, src: &str, source: &FileStatus) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let mut dest = paths::expand(host, arguments.text_or_empty("dest")).await?;
    let status = Answers::of(host, vec![look(&dest, true)]).await?.status()?;
    if dest.ends_with('/') || status.kind == FileKind::Directory {
        dest = paths::join(&dest, paths::file_name(src));
    }
    let there = Answers::of(host, vec![look_inside(&dest, true)])
        .await?
        .status()?;
    let mut attributes = Attributes::of(&arguments);
    if attributes.mode == Some(Mode::Preserve) {
        attributes.mode = Some(Mode::Bits(source.mode));
    }
    let is_same = there.exists() && there.checksum == source.checksum;
    let difference = if there.exists() {
        attributes.difference(&there)
    } else {
        attributes.difference(&FileStatus::default())
    };
    let outcome = Outcome::default()
        .with("src", src)
        .with("dest", dest.as_str())
        .with("checksum", source.checksum.clone());
    if is_same && difference.is_empty() {
        return Ok(outcome);
    }
    host.will_change(
        format!("copy {src} to {dest}"),
        None,
        outcome.result.clone(),
    )
    .await?;
    let mut steps = Vec::new();
    if !is_same {
        let (from, to) = (paths::word(src), paths::word(&dest));
        let beside = paths::word(&format!("{dest}.sasrun-part"));
        steps.push(format!("cp {from} {beside} && mv -f {beside} {to}"));
    }
    steps.push(difference.script(&dest));
    run(host, steps.join(" && "), "copying the file").await?;
    Ok(Outcome {
        changed: true,
        ..outcome
    })
}

async fn copy_directory(host: &Host, call: &Call, src: &str) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let dest = paths::expand(host, arguments.text_or_empty("dest")).await?;
    let to = if src.ends_with('/') {
        dest.clone()
    } else {
        paths::join(&dest, paths::file_name(src))
    };
    let (from_word, to_word) = (paths::word(src), paths::word(&to));
    // Every file of the source must be there with the same content.
    let compare = format!(
        "cd {from_word} && find . -print | while read entry; do\n\
         if [ -d \"$entry\" ]; then [ -d {to_word}/\"$entry\" ] || echo differs\n\
         elif [ -f \"$entry\" ]; then cmp -s \"$entry\" {to_word}/\"$entry\" || echo differs\n\
         fi\ndone"
    );
    let output = host.read_script(compare).await?;
    let mut result = Object::new();
    result.insert("src".into(), src.into());
    result.insert("dest".into(), dest.as_str().into());
    let outcome = Outcome {
        result,
        ..Outcome::default()
    };
    if output.succeeded() && !output.stdout.contains("differs") {
        return Ok(outcome);
    }
    host.will_change(format!("copy {src} to {to}"), None, outcome.result.clone())
        .await?;
    let mut script = format!("mkdir -p {to_word} && cp -R {from_word}/. {to_word}/");
    let attributes = Attributes::of(&arguments);
    if let Some(owner) = &attributes.owner {
        script.push_str(&format!(" && chown -R {} {to_word}", paths::word(owner)));
    }
    if let Some(group) = &attributes.group {
        script.push_str(&format!(" && chgrp -R {} {to_word}", paths::word(group)));
    }
    if let Some(Mode::Bits(mode)) = attributes.mode {
        script.push_str(&format!(
            " && find {to_word} -type f -exec chmod {mode:04o} {{}} \\;"
        ));
    }
    run(host, script, "copying the directory").await?;
    Ok(Outcome {
        changed: true,
        ..outcome
    })
}
