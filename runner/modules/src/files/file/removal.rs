//! `state: absent`.

use sasrun_plugin::{FileKind, ModuleResult, Outcome};

use super::Task;
use crate::answers::{Answers, look, run};
use crate::attributes::{self, Difference};
use crate::paths;

pub(super) async fn remove(task: &Task) -> ModuleResult {
    let status = Answers::of(&task.host, vec![look(&task.path, false)])
        .await?
        .status()?;
    let gone = |changed| {
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with("path", task.path.as_str())
        .with("state", "absent")
    };
    if !status.exists() {
        return Ok(gone(false));
    }
    let state = attributes::state(&status);
    task.declare("remove", (state, "absent"), &status, &Difference::default())
        .await?;
    let word = paths::word(&task.path);
    // A trailing slash would make rm follow a link.
    let script = match status.kind {
        FileKind::Directory => format!("rm -rf {word}"),
        _ => format!("rm -f {}", paths::word(task.path.trim_end_matches('/'))),
    };
    run(&task.host, script, "removing the path").await?;
    Ok(gone(true))
}
