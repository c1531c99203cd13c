//! `state: touch`: an empty file, or new times for one that is there.

use sasrun_plugin::{FileStatus, ModuleResult};

use super::{Task, times};
use crate::answers::{Answers, look, run};
use crate::attributes::{self, Difference};
use crate::paths;

pub(super) async fn touch(task: &Task, status: FileStatus) -> ModuleResult {
    let exists = status.exists();
    let difference = if exists {
        task.attributes.difference(&status)
    } else {
        Difference {
            owner: task.attributes.owner.clone(),
            group: task.attributes.group.clone(),
            mode: task.attributes.bits_of_new(false),
            marks: false,
        }
    };
    let stamp = times::command(task, &status, "now").await?;
    if exists {
        let mut outcome = task.settle(status, difference, stamp).await?;
        outcome = outcome.with("dest", task.path.as_str());
        return Ok(outcome);
    }
    let shown_difference = Difference::default();
    task.declare("make", ("absent", "touch"), &status, &shown_difference)
        .await?;
    let word = paths::word(&task.path);
    let mut steps = vec![format!(": >> {word}")];
    steps.extend(stamp);
    steps.push(difference.script(&task.path));
    // A file that cannot be as it shall be is not left behind: a second run would find it.
    let script = format!(
        "{{ {}; }} || {{ rm -f {word}; exit 1; }}",
        steps.join(" && ")
    );
    run(&task.host, script, "touching the file").await?;
    let after = Answers::of(&task.host, vec![look(&task.path, true)])
        .await?
        .status()?;
    let mut outcome = task.outcome(true, &after);
    outcome
        .result
        .insert("state".into(), attributes::state(&after).into());
    Ok(outcome.with("dest", task.path.as_str()))
}
