//! Putting one file with known content into place: the end of `copy`, `template` and `assemble`.

use base64::Engine as _;
use sasrun_plugin::{
    Arguments, Call, Command, Content, Declaration, Diff, Failure, FileKind, FileStatus, Host,
    Mode, ModuleResult, Object, Outcome, Place, WriteFile,
};

use super::edit::{FileText, shown, validation};
use crate::answers::{Answers, bytes_of, kind, look, look_inside, run, whole};
use crate::attributes::{self, Attributes, Difference};
use crate::{digest, paths};

/// Largest file whose difference is shown.
const DIFF_LIMIT_BYTES: u64 = 104_448;

/// A file to be put into place.
pub(super) struct Source {
    pub(super) content: Content,
    /// SHA-1 of the content.
    pub(super) checksum: String,
    pub(super) size_bytes: u64,
    /// Name that the file gets below a directory; none where a directory makes no sense.
    pub(super) name: Option<String>,
    /// Permission bits of the controller's file, for `mode: preserve`.
    pub(super) mode: Option<u32>,
    /// MD5 of the content, where it is cheap to know.
    pub(super) md5sum: Option<String>,
    /// Where the content is from, for results.
    pub(super) from: Option<String>,
    /// Whether it was in a vault, so that no difference shows it.
    pub(super) was_sealed: bool,
}

impl Source {
    /// Makes a source of bytes that are known here.
    pub(super) fn of_bytes(bytes: &[u8], name: Option<String>) -> Self {
        Self {
            content: content_of(bytes),
            checksum: digest::sha1(bytes),
            size_bytes: bytes.len() as u64,
            name,
            mode: None,
            md5sum: Some(digest::md5(bytes)),
            from: None,
            was_sealed: false,
        }
    }
}

/// Bytes as they travel: as text where they are some.
pub(crate) fn content_of(bytes: &[u8]) -> Content {
    match std::str::from_utf8(bytes) {
        Ok(text) => Content::Text(text.to_owned()),
        Err(_) => Content::Base64(base64::engine::general_purpose::STANDARD.encode(bytes)),
    }
}

/// Where the file goes, and what is there.
pub(super) struct Spot {
    pub(super) path: String,
    pub(super) status: FileStatus,
    /// Directory to make first: a `dest` that ends with a slash asks for one.
    pub(super) missing_parent: Option<String>,
}

/// Puts a file into place if it is not there as wanted.
pub(super) async fn place(host: &Host, call: &Call, source: Source) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let mut attributes = Attributes::of(&arguments);
    if attributes.mode == Some(Mode::Preserve) {
        attributes.mode = source.mode.map(Mode::Bits);
    }
    let spot = find_spot(host, &arguments, source.name.as_deref()).await?;
    let exists = spot.status.exists();
    let is_same = spot.status.checksum.as_deref() == Some(source.checksum.as_str());
    let keeps = exists && arguments.given_flag("force") == Some(false);
    if is_same || keeps {
        return settle(host, call, &attributes, &spot, &source.checksum).await;
    }
    let difference = if exists {
        attributes.difference(&spot.status)
    } else {
        Difference::default()
    };
    let mut diff = Vec::new();
    if call.diff {
        diff.push(content_diff(host, &spot, &source).await?);
        diff.extend(attribute_diff(&spot, &difference));
    }
    let expected = result(&spot.path, &source.checksum);
    host.declare(Declaration {
        summary: format!("write {}", spot.path),
        diff,
        result: expected.clone(),
    })
    .await?;
    make_parent(host, &arguments, &attributes, &spot).await?;
    let written = host
        .write(write_file(&arguments, &attributes, &spot, &source)?)
        .await?;
    let mut outcome = Outcome {
        result: expected,
        ..Outcome::changed()
    };
    outcome.result.extend(attributes::fields(&written.status));
    if let Some(from) = &source.from {
        outcome = outcome.with("src", from.as_str());
    }
    if let Some(md5sum) = &source.md5sum {
        outcome = outcome.with("md5sum", md5sum.as_str());
    }
    if let Some(backup) = written.backup {
        outcome = outcome.with("backup_file", backup);
    }
    Ok(outcome)
}

/// Makes the directory that a `dest` with a slash at its end asks for, and those above it that are
/// not there: with the owner and group of the file, and the permissions of `directory_mode`.
pub(super) async fn make_parent(
    host: &Host,
    arguments: &Arguments,
    attributes: &Attributes,
    spot: &Spot,
) -> Result<(), Failure> {
    let Some(parent) = &spot.missing_parent else {
        return Ok(());
    };
    let mut each = Vec::new();
    if let Some(owner) = &attributes.owner {
        each.push(format!("chown {} \"$d\"", paths::word(owner)));
    }
    if let Some(group) = &attributes.group {
        each.push(format!("chgrp {} \"$d\"", paths::word(group)));
    }
    if let Some(mode) = arguments.mode("directory_mode", 0o755, true) {
        each.push(format!("chmod {mode:04o} \"$d\""));
    }
    let parent = paths::word(parent);
    let script = if each.is_empty() {
        format!("mkdir -p {parent}")
    } else {
        // From the new directory up to the first that is there already.
        format!(
            "top={parent}; while [ ! -d \"$top\" ]; do top=`dirname \"$top\"`; done\n\
             mkdir -p {parent} && d={parent} && \
             while [ \"$d\" != \"$top\" ]; do {} || exit 1; d=`dirname \"$d\"`; done",
            each.join(" && ")
        )
    };
    run(host, script, "making the directory of the file").await?;
    Ok(())
}

/// Finds where a file goes; `name` is what it is called below a directory, if it may go there.
pub(super) async fn find_spot(
    host: &Host,
    arguments: &Arguments,
    name: Option<&str>,
) -> Result<Spot, Failure> {
    let follow = arguments.flag("follow");
    let dest = paths::expand(host, arguments.text_or_empty("dest")).await?;
    if dest.ends_with('/') {
        return match name {
            Some(name) => look_at(host, paths::join(&dest, name), follow, true).await,
            None => Err(Failure::new("can not use content with a dir as dest")),
        };
    }
    let spot = look_at(host, dest.clone(), follow, false).await?;
    // A link may lead to a directory, which takes the file as any directory does.
    let is_directory = match spot.status.kind {
        FileKind::Directory => true,
        FileKind::Link => {
            let inside = format!("{dest}/.");
            Answers::of(host, vec![look(&inside, true)])
                .await?
                .status()?
                .exists()
        }
        _ => false,
    };
    match (name, is_directory) {
        (_, false) => Ok(spot),
        (Some(name), true) => look_at(host, paths::join(&dest, name), follow, false).await,
        (None, true) => Err(Failure::new("can not use content with a dir as dest")),
    }
}

async fn look_at(
    host: &Host,
    path: String,
    follow: bool,
    makes_parent: bool,
) -> Result<Spot, Failure> {
    let parent = paths::parent(&path).to_owned();
    let reads = vec![look_inside(&path, follow), kind(&parent)];
    let mut answers = Answers::of(host, reads).await?;
    let (status, parent_status) = (answers.status()?, answers.status()?);
    let is_missing = makes_parent && !parent_status.exists();
    if parent_status.kind != FileKind::Directory && !is_missing {
        let msg = if parent_status.exists() {
            format!("Destination directory {parent} is not a directory")
        } else {
            format!("Destination directory {parent} does not exist")
        };
        return Err(Failure::new(msg).with("dest", path));
    }
    let followed = status
        .real_path
        .clone()
        .filter(|path| follow && !path.is_empty());
    Ok(Spot {
        path: followed.unwrap_or(path),
        status,
        missing_parent: is_missing.then_some(parent),
    })
}

/// Sets attributes of a file whose content is as wanted.
pub(super) async fn settle(
    host: &Host,
    call: &Call,
    attributes: &Attributes,
    spot: &Spot,
    checksum: &str,
) -> ModuleResult {
    let difference = attributes.difference(&spot.status);
    let mut outcome = Outcome {
        result: result(&spot.path, checksum),
        ..Outcome::unchanged()
    }
    .with("path", spot.path.as_str());
    if let Some(checksum) = &spot.status.checksum {
        outcome = outcome.with("checksum", checksum.as_str());
    }
    if difference.is_empty() {
        outcome.result.extend(attributes::fields(&spot.status));
        return Ok(outcome);
    }
    let diff = if call.diff {
        attribute_diff(spot, &difference)
    } else {
        None
    };
    host.will_change(
        format!("change {}", spot.path),
        diff,
        outcome.result.clone(),
    )
    .await?;
    let shown = run(
        host,
        difference.script(&spot.path),
        "changing owner or mode",
    )
    .await?;
    let after = difference.apply(&spot.status, &shown);
    outcome.changed = true;
    outcome.result.extend(attributes::fields(&after));
    Ok(outcome)
}

pub(super) fn result(path: &str, checksum: &str) -> Object {
    let mut result = Object::new();
    result.insert("dest".into(), path.into());
    result.insert("checksum".into(), checksum.into());
    result
}

fn write_file(
    arguments: &Arguments,
    attributes: &Attributes,
    spot: &Spot,
    source: &Source,
) -> Result<WriteFile, Failure> {
    let exists = spot.status.exists();
    // A new file's symbolic mode starts from what the umask usually leaves.
    let mode = if exists {
        attributes.bits(&spot.status)
    } else {
        attributes.bits_of_new(false)
    };
    Ok(WriteFile {
        path: spot.path.clone(),
        content: source.content.clone(),
        mode,
        owner: attributes.owner.clone(),
        group: attributes.group.clone(),
        backup: exists && arguments.flag("backup"),
        validate: validation(arguments)?,
        unsafe_writes: arguments.flag("unsafe_writes"),
    })
}

fn attribute_diff(spot: &Spot, difference: &Difference) -> Option<Diff> {
    if difference.is_empty() {
        return None;
    }
    let (mut before, mut after) = (Object::new(), Object::new());
    difference.show(&spot.status, &mut before, &mut after);
    let header = format!("{} (file attributes)", spot.path);
    Some(Diff::text(&header, shown(before), shown(after)))
}

/// Tells that a content differs, by checksums alone.
fn hidden_diff(spot: &Spot, source: &Source) -> Diff {
    let told = |checksum: &str| format!("(not shown: it was in a vault; checksum {checksum})\n");
    let before = spot.status.checksum.as_deref();
    Diff {
        before_header: Some(spot.path.clone()),
        after_header: Some(source.from.clone().unwrap_or_else(|| spot.path.clone())),
        before: before.map(told).unwrap_or_default(),
        after: told(&source.checksum),
    }
}

async fn content_diff(host: &Host, spot: &Spot, source: &Source) -> Result<Diff, Failure> {
    if source.was_sealed {
        return Ok(hidden_diff(spot, source));
    }
    let too_large = |size: u64| size > DIFF_LIMIT_BYTES;
    let is_file = spot.status.kind == FileKind::File;
    let before = if is_file && too_large(spot.status.size_bytes) {
        format!("(a file of {} bytes)\n", spot.status.size_bytes)
    } else if is_file {
        let content = Answers::of(host, vec![whole(&spot.path)]).await?.file()?;
        readable(bytes_of(&content)?)
    } else {
        String::new()
    };
    let after = match &source.content {
        _ if too_large(source.size_bytes) => format!("(a file of {} bytes)\n", source.size_bytes),
        Content::Text(text) => readable(text.clone().into_bytes()),
        Content::Base64(_) => "(bytes that are no text)\n".to_owned(),
        Content::ControllerFile(path) => {
            let command = Command {
                script: format!("cat {}", paths::word(path)),
                place: Place::Controller,
                ..Command::default()
            };
            readable(host.read_command(command).await?.stdout.into_bytes())
        }
    };
    Ok(Diff {
        before_header: Some(spot.path.clone()),
        after_header: Some(source.from.clone().unwrap_or_else(|| spot.path.clone())),
        before,
        after,
    })
}

fn readable(bytes: Vec<u8>) -> String {
    if bytes.contains(&0) {
        return "(bytes that are no text)\n".to_owned();
    }
    FileText::new(bytes).text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_travel_as_base64() {
        let source = Source::of_bytes(&[0xff, 0x00], None);
        assert_eq!(source.content, Content::Base64("/wA=".into()));
    }
}
