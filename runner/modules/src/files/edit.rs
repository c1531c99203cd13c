//! Editing a text file of the host: one read, a pure change of the text, one write.

use base64::Engine as _;
use sasrun_plugin::{
    Arguments, Call, Change, Command, Content, Declaration, Diff, Failure, FileKind, FileStatus,
    Host, ModuleResult, Object, Outcome, ReadAnswer, WriteFile,
};
use serde_json::Value;

use crate::answers::{Answers, bytes_of, look, succeeded, whole};
use crate::attributes::{Attributes, Difference};
use crate::paths;

/// Text of a file. Bytes that are not UTF-8 are kept as characters of Latin-1, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileText {
    pub(crate) text: String,
    is_utf8: bool,
}

impl FileText {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self {
                text,
                is_utf8: true,
            },
            Err(error) => Self {
                text: error
                    .as_bytes()
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect(),
                is_utf8: false,
            },
        }
    }

    /// Writes text of the playbook's the way this file is written.
    pub(crate) fn spell(&self, text: &str) -> String {
        if self.is_utf8 {
            text.to_owned()
        } else {
            text.bytes().map(char::from).collect()
        }
    }

    fn content(&self, text: &str) -> Content {
        if self.is_utf8 {
            return Content::Text(text.to_owned());
        }
        let bytes: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(c).unwrap_or(b'?'))
            .collect();
        Content::Base64(base64::engine::general_purpose::STANDARD.encode(bytes))
    }
}

/// A file as it was found.
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) status: FileStatus,
    pub(crate) file: FileText,
}

/// Reads a file and what is known of it in one round trip.
pub(crate) async fn find(host: &Host, path: &str) -> Result<Found, Failure> {
    let path = paths::expand(host, path).await?;
    let mut answers = Answers::of(host, vec![look(&path, true), whole(&path)]).await?;
    let status = answers.status()?;
    if status.kind == FileKind::Directory {
        return Err(Failure::new(format!("Path {path} is a directory !")).with("rc", 256));
    }
    let file = if status.exists() {
        FileText::new(bytes_of(&answers.file()?)?)
    } else {
        FileText::new(Vec::new())
    };
    Ok(Found { path, status, file })
}

/// What an edit came to.
pub(crate) struct Edit {
    pub(crate) text: String,
    /// What was done, for the result's `msg`.
    pub(crate) msg: String,
    /// Whether the text is new, also when it is empty as before.
    pub(crate) changed: bool,
}

/// Writes an edit, with owner, group and mode, if anything differs; `name` is the result field
/// for a kept copy.
pub(crate) async fn finish(
    host: &Host,
    call: &Call,
    found: Found,
    edit: Edit,
    result: Object,
) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let attributes = Attributes::of(&arguments);
    let exists = found.status.exists();
    let difference = if exists {
        attributes.difference(&found.status)
    } else {
        Difference::default()
    };
    let mut outcome = Outcome {
        result,
        ..Outcome::unchanged()
    };
    let msg = message(&edit, &difference);
    outcome = outcome.with("msg", msg.as_str());
    if !edit.changed && difference.is_empty() {
        return Ok(outcome);
    }
    host.declare(Declaration {
        summary: format!("{}: {msg}", found.path),
        diff: if call.diff {
            diffs(&found, &edit, &difference)
        } else {
            Vec::new()
        },
        result: outcome.result.clone(),
    })
    .await?;
    outcome.changed = true;
    if edit.changed {
        let backup = write(host, &arguments, &attributes, &found, &edit).await?;
        if let Some(backup) = backup {
            outcome = outcome
                .with("backup", backup.as_str())
                .with("backup_file", backup);
        }
    } else {
        let path = target(&found);
        let script = difference.script(&path);
        crate::answers::run(host, script, "changing owner or mode").await?;
    }
    Ok(outcome)
}

fn message(edit: &Edit, difference: &Difference) -> String {
    const ATTRIBUTES: &str = "ownership, perms or SE linux context changed";
    match (edit.changed, difference.is_empty()) {
        (_, true) => edit.msg.clone(),
        (true, false) => format!("{} and {ATTRIBUTES}", edit.msg),
        (false, false) => ATTRIBUTES.to_owned(),
    }
}

fn diffs(found: &Found, edit: &Edit, difference: &Difference) -> Vec<Diff> {
    let mut diffs = Vec::new();
    if edit.changed {
        let header = format!("{} (content)", found.path);
        diffs.push(Diff::text(
            &header,
            found.file.text.as_str(),
            edit.text.as_str(),
        ));
    }
    if !difference.is_empty() {
        let (mut before, mut after) = (Object::new(), Object::new());
        difference.show(&found.status, &mut before, &mut after);
        let header = format!("{} (file attributes)", found.path);
        diffs.push(Diff::text(&header, shown(before), shown(after)));
    }
    diffs
}

/// Writes one side of a difference of attributes as text.
pub(crate) fn shown(side: Object) -> String {
    let text = serde_json::to_string_pretty(&Value::Object(side)).unwrap_or_default();
    format!("{text}\n")
}

/// Returns the path to write: a link is followed, so that the file it leads to is the one edited.
fn target(found: &Found) -> String {
    found
        .status
        .real_path
        .clone()
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| found.path.clone())
}

async fn write(
    host: &Host,
    arguments: &Arguments,
    attributes: &Attributes,
    found: &Found,
    edit: &Edit,
) -> Result<Option<String>, Failure> {
    let exists = found.status.exists();
    let mode = if exists {
        attributes.bits(&found.status)
    } else {
        attributes.bits_of_new(false)
    };
    let mut changes = Vec::new();
    if !exists {
        changes.push(Change::Command(Command {
            script: format!("mkdir -p {}", paths::word(paths::parent(&found.path))),
            ..Command::default()
        }));
    }
    changes.push(Change::Write(WriteFile {
        path: target(found),
        content: found.file.content(&edit.text),
        mode,
        owner: attributes.owner.clone(),
        group: attributes.group.clone(),
        backup: exists && arguments.flag("backup"),
        validate: validation(arguments)?,
        unsafe_writes: arguments.flag("unsafe_writes"),
    }));
    match host.change(changes).await?.pop() {
        Some(ReadAnswer::Written(written)) => Ok(written.backup),
        Some(ReadAnswer::Refused(refusal)) => Err(Failure::new(refusal.message)),
        Some(ReadAnswer::Command(output)) => Err(match succeeded(output, "making the directory") {
            Err(failure) => failure,
            Ok(_) => Failure::new("the file was not written"),
        }),
        _ => Err(Failure::new("the file was not written")),
    }
}

/// Returns the command that must accept the new file first.
pub(crate) fn validation(arguments: &Arguments) -> Result<Option<String>, Failure> {
    match arguments.text("validate") {
        Some(command) if !command.contains("%s") => {
            Err(Failure::new(format!("validate must contain %s: {command}")))
        }
        command => Ok(command.map(str::to_owned)),
    }
}
