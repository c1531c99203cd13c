//! `media_mount` with `state: unmounted`: asks, waits, names who holds it; never forces.

use sasrun_plugin::{Command, Failure, Host, ModuleResult, Object, Outcome};
use serde_json::Value;

use crate::holders::{Holder, holders};
use crate::look::look;
use crate::mount::Task;
use crate::mount_table::Mount;

/// Takes the file system off.
pub(crate) async fn unmount(task: &Task, host: &Host) -> ModuleResult {
    let seen = look(host, task.wanted.as_ref(), task.timeout_ms).await?;
    let Some(mount) = seen.at(&task.path).cloned() else {
        return Ok(outcome(false, task, &Mount::default()));
    };
    if let Some(wanted) = &task.wanted
        && !seen.is(&mount, wanted)
    {
        return Err(Failure::new(format!(
            "{} is mounted on {}, not {}; it was left as it is",
            mount.source, task.path, wanted.source
        )));
    }
    let after = outcome(true, task, &mount);
    let summary = format!("unmount {} from {}", mount.source, task.path);
    host.will_change(summary, None, after.result.clone())
        .await?;
    let mut left_ms = task.limit_ms;
    loop {
        let output = host
            .run(Command {
                script: format!("umount {}", Host::quote(&task.path)),
                timeout_ms: Some(task.timeout_ms),
                ..Command::default()
            })
            .await?;
        if output.succeeded() {
            break;
        }
        let said = format!("{}{}", output.stderr, output.stdout);
        if output.timed_out {
            return Err(Failure {
                unknown: true,
                ..Failure::new(format!(
                    "{}: umount did not come to an end; the server of {} may be dead",
                    task.path, mount.source
                ))
            });
        }
        if !said.to_lowercase().contains("busy") {
            return Err(
                Failure::new(format!("{}: umount failed: {}", task.path, said.trim()))
                    .with("rc", output.rc),
            );
        }
        let found = holders(host, &task.path).await?;
        if left_ms == 0 {
            return Err(busy(task, &found));
        }
        let names: Vec<String> = found.iter().map(Holder::named).collect();
        host.progress(format!("{} is busy: {}", task.path, names.join(", ")))
            .await?;
        let pause_ms = task.interval_ms.min(left_ms);
        host.sleep(pause_ms).await?;
        left_ms -= pause_ms;
    }
    let seen = look(host, None, task.timeout_ms).await?;
    match seen.at(&task.path) {
        None => Ok(after),
        Some(below) => Err(Failure::new(format!(
            "{} was unmounted, but {} is mounted there still",
            task.path, below.source
        ))),
    }
}

fn busy(task: &Task, holders: &[Holder]) -> Failure {
    let names: Vec<String> = holders.iter().map(Holder::named).collect();
    let who = match names.as_slice() {
        [] => "nobody that can be seen".to_owned(),
        names => names.join(", "),
    };
    let values: Vec<Value> = holders.iter().map(Holder::to_value).collect();
    Failure::new(format!(
        "{} is busy; it is held by {who}; end what holds it and start again, it is never forced off",
        task.path
    ))
    .with("holders", values)
    .with("mounted", true)
}

fn outcome(changed: bool, task: &Task, was: &Mount) -> Outcome {
    let mut result = Object::new();
    result.insert("path".into(), task.path.as_str().into());
    result.insert("mounted".into(), false.into());
    result.insert("source".into(), was.source.as_str().into());
    result.insert("filesystem".into(), was.filesystem.as_str().into());
    result.insert("options".into(), was.options.as_str().into());
    Outcome {
        changed,
        result,
        ..Outcome::default()
    }
}
