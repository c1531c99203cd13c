//! Answers to gates, left in the run's directory by `sasrun approve` for the run to find.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sasrun_engine::seams::Approval;
use serde_json::json;

/// The folder of answers in a run's directory.
pub(crate) fn folder(run_directory: &Path) -> PathBuf {
    run_directory.join("approvals")
}

/// Leaves an answer, unless the gate has one.
///
/// # Errors
/// It cannot be written; `AlreadyExists` when there is one.
pub(crate) fn leave(folder: &Path, gate: &str, approval: &Approval) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let text = json!({
        "gate": gate, "answer": approval.answer, "by": approval.by, "reason": approval.reason,
    });
    // Whoever looks sees the whole answer or none: a link is made in one step, and only once.
    let draft = folder.join(format!("{}.{}.new", file_name(gate), std::process::id()));
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(text.to_string().as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, folder.join(file_name(gate)));
    fs::remove_file(&draft)?;
    linked
}

/// The answer that was left for a gate.
pub(crate) fn find(folder: &Path, gate: &str) -> Option<Approval> {
    let text = fs::read(folder.join(file_name(gate))).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let field = |name: &str| json.get(name)?.as_str().map(str::to_owned);
    Some(Approval {
        answer: field("answer")?,
        by: field("by")?,
        reason: field("reason")?,
    })
}

/// A name that no gate's text can lead out of the folder with.
fn file_name(gate: &str) -> String {
    let mut name = String::from("gate-");
    for byte in gate.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(by: &str) -> Approval {
        Approval {
            answer: "yes".to_owned(),
            by: by.to_owned(),
            reason: "seen".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_found_by_its_gate_alone_and_is_given_once() {
        let run = tempfile::tempdir().unwrap();
        let folder = folder(run.path());
        assert_eq!(find(&folder, "a/../b"), None);
        leave(&folder, "a/../b", &approval("ann")).unwrap();
        assert_eq!(find(&folder, "a/../b"), Some(approval("ann")));
        assert_eq!(find(&folder, "b"), None);
        let again = leave(&folder, "a/../b", &approval("bob")).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(find(&folder, "a/../b"), Some(approval("ann")));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
