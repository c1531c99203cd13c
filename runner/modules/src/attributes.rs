//! Owner, group and mode of a file: what is asked for, what differs, how it is changed.

use sasrun_plugin::{Arguments, CommandOutput, FileKind, FileStatus, Mode, Object};
use serde_json::{Value, json};

use crate::paths;

/// What the arguments ask of a file's owner, group and mode.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) owner: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) mode: Option<Mode>,
}

/// What of it is not so yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) owner: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) mode: Option<u32>,
    /// Set-user and set-group marks of a directory that must go: a number does not take them away
    /// with every `chmod`, though it does with the call of the kernel.
    pub(crate) marks: bool,
}

/// Set-user-id and set-group-id.
pub(crate) const MARKS: u32 = 0o6000;

impl Attributes {
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let given = |name| arguments.text(name).filter(|text| !text.is_empty());
        Self {
            owner: given("owner").map(str::to_owned),
            group: given("group").map(str::to_owned),
            mode: arguments.mode_form("mode"),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.owner.is_none() && self.group.is_none() && self.mode.is_none()
    }

    /// Returns what has to change of a file that is there.
    pub(crate) fn difference(&self, status: &FileStatus) -> Difference {
        let is =
            |wanted: &str, name: &str, number: u32| wanted == name || wanted.parse() == Ok(number);
        let differs = |wanted: &Option<String>, name: &str, number: u32| {
            wanted.clone().filter(|wanted| !is(wanted, name, number))
        };
        // The bits of a symbolic link mean nothing, and most systems cannot set them.
        let has_mode = status.kind != FileKind::Link;
        let mode = self
            .bits(status)
            .filter(|bits| has_mode && *bits != status.mode);
        let is_marked = status.kind == FileKind::Directory && status.mode & MARKS != 0;
        Difference {
            owner: differs(&self.owner, &status.owner, status.uid),
            group: differs(&self.group, &status.group, status.gid),
            mode,
            marks: is_marked && mode.is_some_and(|bits| bits & status.mode & MARKS == 0),
        }
    }

    /// Returns the permission bits asked for, given those that are there.
    pub(crate) fn bits(&self, status: &FileStatus) -> Option<u32> {
        let is_directory = status.kind == FileKind::Directory;
        self.mode.as_ref()?.bits(status.mode, is_directory)
    }

    /// Returns the bits for a file or directory that is yet to be made.
    pub(crate) fn bits_of_new(&self, is_directory: bool) -> Option<u32> {
        let usual = if is_directory { 0o755 } else { 0o644 };
        self.mode.as_ref()?.bits(usual, is_directory)
    }
}

impl Difference {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes shell text that makes the change and then shows an owner that it set, by number and by name.
    pub(crate) fn script(&self, path: &str) -> String {
        let word = paths::word(path);
        let mut steps = Vec::new();
        let links = if self.mode.is_none() { "-h " } else { "" };
        if let Some(owner) = &self.owner {
            steps.push(format!("chown {links}{} {word}", paths::word(owner)));
        }
        if let Some(group) = &self.group {
            steps.push(format!("chgrp {links}{} {word}", paths::word(group)));
        }
        if let Some(mode) = self.mode {
            if self.marks {
                steps.push(format!("chmod u-s,g-s {word}"));
            }
            steps.push(format!("chmod {mode:04o} {word}"));
        }
        // Permissions are what was asked for; an owner may be a number or a name.
        if self.owner.is_some() || self.group.is_some() {
            steps.push(format!("ls -ldn {word}"));
            steps.push(format!("ls -ld {word}"));
        } else if self.mode.is_none() {
            steps.push(":".to_owned());
        }
        steps.join(" && ")
    }

    /// Returns what the file is after the change, from what the script showed.
    pub(crate) fn apply(&self, status: &FileStatus, shown: &CommandOutput) -> FileStatus {
        let mut after = status.clone();
        after.mode = self.mode.unwrap_or(status.mode);
        let mut lines = shown
            .stdout
            .lines()
            .map(|line| line.split_whitespace().skip(2).take(2));
        if let Some(mut numbers) = lines.next() {
            let mut number = || numbers.next().and_then(|word| word.parse().ok());
            after.uid = number().unwrap_or(status.uid);
            after.gid = number().unwrap_or(status.gid);
        }
        if let Some(mut names) = lines.next() {
            let mut name = || names.next().map(str::to_owned);
            after.owner = name().unwrap_or_default();
            after.group = name().unwrap_or_default();
        }
        after
    }

    /// Adds what differs to both sides of a difference that is shown.
    pub(crate) fn show(&self, status: &FileStatus, before: &mut Object, after: &mut Object) {
        let mut add = |key: &str, old: Value, new: Value| {
            before.insert(key.to_owned(), old);
            after.insert(key.to_owned(), new);
        };
        if let Some(owner) = &self.owner {
            add("owner", json!(status.owner), json!(owner));
        }
        if let Some(group) = &self.group {
            add("group", json!(status.group), json!(group));
        }
        if let Some(mode) = self.mode {
            add("mode", json!(octal(status.mode)), json!(octal(mode)));
        }
    }
}

/// Writes permission bits as results of changes show them: `0644`, `01777`. That is not how `stat`
/// and `find` show them.
fn octal(mode: u32) -> String {
    format!("0{mode:03o}")
}

/// Returns what a path is, in the words of the module `file`.
pub(crate) fn state(status: &FileStatus) -> &'static str {
    match status.kind {
        FileKind::Absent => "absent",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        _ if status.links > 1 => "hard",
        _ => "file",
    }
}

/// Returns the result fields about a file that is there.
pub(crate) fn fields(status: &FileStatus) -> Object {
    let fields = json!({
        "uid": status.uid,
        "gid": status.gid,
        "owner": status.owner,
        "group": status.group,
        "mode": octal(status.mode),
        "size": status.size_bytes,
        "state": state(status),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Object::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> FileStatus {
        FileStatus {
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            owner: "root".into(),
            group: "root".into(),
            links: 1,
            ..FileStatus::default()
        }
    }

    #[test]
    fn numbers_and_names_of_an_owner_are_the_same() {
        let by_number = Attributes {
            owner: Some("0".into()),
            group: Some("root".into()),
            mode: Some(Mode::Bits(0o644)),
        };
        assert!(by_number.difference(&status()).is_empty());
    }

    #[test]
    fn a_number_takes_the_marks_of_a_directory_away_too() {
        let marked = FileStatus {
            kind: FileKind::Directory,
            mode: 0o2755,
            ..status()
        };
        let script = |bits| {
            let attributes = Attributes {
                mode: Some(Mode::Bits(bits)),
                ..Attributes::default()
            };
            attributes.difference(&marked).script("/d")
        };
        assert_eq!(script(0o755), "chmod u-s,g-s /d && chmod 0755 /d");
        assert_eq!(script(0o2750), "chmod 2750 /d");
    }

    #[test]
    fn a_change_is_read_back_from_what_ls_shows() {
        let difference = Difference {
            owner: Some("www".into()),
            group: None,
            mode: Some(0o600),
            marks: false,
        };
        let script = difference.script("/a b");
        assert_eq!(
            script,
            "chown www '/a b' && chmod 0600 '/a b' && ls -ldn '/a b' && ls -ld '/a b'"
        );
        let shown = CommandOutput {
            stdout:
                "-rw------- 1 33 0 5 Jan 1 00:00 /a b\n-rw------- 1 www root 5 Jan 1 00:00 /a b\n"
                    .into(),
            ..CommandOutput::default()
        };
        let after = difference.apply(&status(), &shown);
        assert_eq!(
            (after.uid, after.owner.as_str(), after.mode),
            (33, "www", 0o600)
        );
    }
}
