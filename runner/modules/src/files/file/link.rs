//! `state: link` and `state: hard`.

use sasrun_plugin::{Failure, FileKind, FileStatus, ModuleResult};

use super::Task;
use crate::answers::{Answers, look, run, script};
use crate::attributes::{self, Difference};
use crate::paths;

pub(super) async fn symbolic(task: &Task) -> ModuleResult {
    let given = given_source(task).await?;
    let (status, target, is_empty) = survey(task, given.as_deref()).await?;
    let is_link = status.kind == FileKind::Link;
    let source = given.or_else(|| status.link_target.clone());
    let force = task.arguments.flag("force");
    let Some(source) = source else {
        return Err(task.fail("src is required for creating new symlinks"));
    };
    if !force && !target.exists() && task.arguments.has("src") {
        return Err(task
            .fail(format!(
                "src file does not exist, use 'force=yes' if you really want to create the link: {}",
                target.path
            ))
            .with("src", source));
    }
    refuse_conversion(task, &status, force, is_empty)?;
    let is_right = is_link && status.link_target.as_deref() == Some(source.as_str());
    // Attributes belong to what the link leads to, unless links are not followed.
    let aspect = if task.follow { &target } else { &status };
    let difference = if is_right && aspect.exists() {
        task.attributes.difference(aspect)
    } else {
        Difference::default()
    };
    let finish = |changed: bool, status: &FileStatus| {
        task.outcome(changed, status)
            .with("dest", task.path.as_str())
            .with("src", source.as_str())
    };
    if is_right && difference.is_empty() {
        return Ok(finish(false, &status));
    }
    let state = attributes::state(&status);
    task.declare("link", (state, "link"), aspect, &difference)
        .await?;
    let mut steps = Vec::new();
    if !is_right {
        steps.push(replace(
            &task.path,
            &status,
            &format!("ln -s {}", paths::word(&source)),
        ));
    }
    let attributes = if is_right {
        difference
    } else {
        of_target(task, &target)
    };
    if !attributes.is_empty() {
        let place = if task.follow && target.exists() {
            &target.path
        } else {
            &task.path
        };
        steps.push(attributes.script(place));
    }
    run(&task.host, steps.join(" && "), "making the link").await?;
    let after = Answers::of(&task.host, vec![look(&task.path, false)])
        .await?
        .status()?;
    Ok(finish(true, &after))
}

fn of_target(task: &Task, target: &FileStatus) -> Difference {
    if task.follow && target.exists() {
        task.attributes.difference(target)
    } else if task.follow {
        Difference::default()
    } else {
        Difference {
            owner: task.attributes.owner.clone(),
            group: task.attributes.group.clone(),
            mode: None,
            marks: false,
        }
    }
}

async fn given_source(task: &Task) -> Result<Option<String>, Failure> {
    match task.arguments.text("src") {
        Some(source) => Ok(Some(paths::expand(&task.host, source).await?)),
        None => Ok(None),
    }
}

/// Looks at the path, at what the link shall lead to, and whether a directory in its place is empty.
async fn survey(
    task: &Task,
    source: Option<&str>,
) -> Result<(FileStatus, FileStatus, bool), Failure> {
    let leads_to = match source {
        Some(source) => paths::join(paths::parent(&task.path), source),
        None => task.path.clone(),
    };
    let reads = vec![look(&task.path, false), look(&leads_to, true)];
    let mut answers = Answers::of(&task.host, reads).await?;
    let (status, mut target) = (answers.status()?, answers.status()?);
    target.path = leads_to;
    let may_convert = status.kind == FileKind::Directory && task.arguments.flag("force");
    let is_empty = if may_convert {
        let word = paths::word(&task.path);
        let count = script(format!("ls -a {word} | wc -l"));
        let entries = Answers::of(&task.host, vec![count]).await?.command()?;
        entries.stdout.trim().parse() == Ok(2)
    } else {
        false
    };
    Ok((status, target, is_empty))
}

fn refuse_conversion(
    task: &Task,
    status: &FileStatus,
    force: bool,
    is_empty: bool,
) -> Result<(), Failure> {
    let path = &task.path;
    match status.kind {
        FileKind::Absent | FileKind::Link => Ok(()),
        FileKind::Directory if force && is_empty => Ok(()),
        FileKind::Directory if force => Err(task.fail(format!(
            "the directory {path} is not empty, refusing to convert it"
        ))),
        _ if force => Ok(()),
        _ => Err(task.fail(format!(
            "refusing to convert from {} to symlink for {path}",
            attributes::state(status)
        ))),
    }
}

/// Writes shell text that puts a link into place by a rename, so that the path is never missing.
fn replace(path: &str, status: &FileStatus, make: &str) -> String {
    let word = paths::word(path);
    if !status.exists() {
        return format!("{make} {word}");
    }
    let beside = paths::word(&paths::join(
        paths::parent(path),
        &format!(".{}.sasrun-link", paths::file_name(path)),
    ));
    let clear = if status.kind == FileKind::Directory {
        format!("rmdir {word} && ")
    } else {
        String::new()
    };
    // `mv -T` keeps mv from moving into a directory that the old link leads to; where it is not
    // known, the old link goes first.
    format!(
        "rm -f {beside} && {make} {beside} && {clear}{{ mv -fT {beside} {word} 2>/dev/null || \
         {{ rm -f {word} && mv -f {beside} {word}; }}; }}"
    )
}

pub(super) async fn hard(task: &Task) -> ModuleResult {
    let source = given_source(task).await?;
    let place = source.clone().unwrap_or_else(|| task.path.clone());
    let mut answers = Answers::of(
        &task.host,
        vec![look(&task.path, false), look(&place, true)],
    )
    .await?;
    let (status, target) = (answers.status()?, answers.status()?);
    let state = attributes::state(&status);
    let Some(source) = source else {
        if state != "hard" {
            return Err(task.fail("src is required for creating new hardlinks"));
        }
        let difference = task.attributes.difference(&status);
        return task.settle(status, difference, None).await;
    };
    if !target.exists() {
        return Err(task
            .fail("src does not exist")
            .with("dest", task.path.as_str())
            .with("src", source));
    }
    let is_right = status.exists()
        && (status.inode, status.device) == (target.inode, target.device)
        && status.kind != FileKind::Link;
    if is_right {
        let difference = task.attributes.difference(&status);
        let outcome = task.settle(status, difference, None).await?;
        return Ok(outcome.with("dest", task.path.as_str()).with("src", source));
    }
    if status.exists() && status.kind != FileKind::Link && !task.arguments.flag("force") {
        let msg = match state {
            "hard" => "Cannot link, different hard link exists at destination".to_owned(),
            other => format!("Cannot link, {other} exists at destination"),
        };
        return Err(task.fail(msg).with("src", source));
    }
    let difference = task.attributes.difference(&target);
    task.declare("link", (state, "hard"), &target, &difference)
        .await?;
    let make = format!("ln {}", paths::word(&source));
    let mut steps = vec![replace(&task.path, &status, &make)];
    if !difference.is_empty() {
        steps.push(difference.script(&task.path));
    }
    run(&task.host, steps.join(" && "), "making the link").await?;
    let after = Answers::of(&task.host, vec![look(&task.path, false)])
        .await?
        .status()?;
    Ok(task
        .outcome(true, &after)
        .with("dest", task.path.as_str())
        .with("src", source))
}
