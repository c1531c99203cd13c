//! `state: directory`, with everything below it if asked.

use sasrun_plugin::{Failure, FileKind, FileStatus, Mode, ModuleResult};

use super::{Task, times};
use crate::answers::{Answers, look, run, script};
use crate::attributes::{self, Difference, MARKS};
use crate::paths;

pub(super) async fn ensure(task: &Task, status: FileStatus) -> ModuleResult {
    match status.kind {
        FileKind::Absent => make(task, status).await,
        FileKind::Directory if task.arguments.flag("recurse") => recurse(task, status).await,
        FileKind::Directory => {
            let difference = task.attributes.difference(&status);
            let stamp = times::command(task, &status, "preserve").await?;
            task.settle(status, difference, stamp).await
        }
        _ => Err(task.fail(format!(
            "{} already exists as a {}",
            task.path,
            attributes::state(&status)
        ))),
    }
}

/// Makes the directory and those above it that are missing; the attributes go to all that are new.
async fn make(task: &Task, status: FileStatus) -> ModuleResult {
    task.declare(
        "make directory",
        ("absent", "directory"),
        &status,
        &Difference::default(),
    )
    .await?;
    let mode = task.attributes.bits_of_new(true);
    let is_plain = task.attributes.owner.is_none() && task.attributes.group.is_none();
    let mut steps = Vec::new();
    let mut first = "mkdir \"$p\"".to_owned();
    match mode {
        Some(mode) if is_plain && mode & !0o777 == 0 => {
            first = format!("mkdir -m {mode:04o} \"$p\"")
        }
        Some(mode) => steps.push(format!("chmod {mode:04o} \"$p\"")),
        None => {}
    }
    if let Some(owner) = &task.attributes.owner {
        steps.insert(0, format!("chown {} \"$p\"", paths::word(owner)));
    }
    if let Some(group) = &task.attributes.group {
        steps.insert(0, format!("chgrp {} \"$p\"", paths::word(group)));
    }
    steps.insert(0, first);
    let each = steps.join(" && ");
    // Collects what is missing from the bottom up, then makes it from the top down.
    let body = format!(
        "set x; shift\n\
         for p in {}; do\n\
         if [ -d \"$p\" ]; then break; fi\n\
         set x \"$p\" ${{1+\"$@\"}}; shift\n\
         done\n\
         for p in ${{1+\"$@\"}}; do {each} || exit 1; done",
        upwards(&task.path)
    );
    run(&task.host, body, "making the directory").await?;
    let after = Answers::of(&task.host, vec![look(&task.path, true)])
        .await?
        .status()?;
    if after.kind != FileKind::Directory {
        return Err(task.fail("the directory was made but is not there"));
    }
    // One that is made in a marked directory is marked as well.
    let rest = task.attributes.difference(&after);
    if rest.marks {
        let shown = run(&task.host, rest.script(&task.path), "setting the mode").await?;
        return Ok(task.outcome(true, &rest.apply(&after, &shown)));
    }
    Ok(task.outcome(true, &after))
}

/// The words of a path and of all above it that have a name, the lowest first.
fn upwards(path: &str) -> String {
    let mut words = Vec::new();
    let mut path = path.trim_end_matches('/');
    while !path.is_empty() {
        words.push(paths::word(path));
        path = match path.rsplit_once('/') {
            Some((above, _)) => above.trim_end_matches('/'),
            None => "",
        };
    }
    words.join(" ")
}

async fn recurse(task: &Task, status: FileStatus) -> ModuleResult {
    let real = task.real(&status).to_owned();
    let wanted = &task.attributes;
    let mut differs = !wanted.difference(&status).is_empty();
    if !wanted.is_empty() && !differs {
        differs = any_below(task, &real).await?;
    }
    if !differs {
        return Ok(task.outcome(false, &status));
    }
    let difference = Difference {
        owner: wanted.owner.clone(),
        group: wanted.group.clone(),
        mode: wanted.bits(&status),
        marks: false,
    };
    task.declare(
        "change all below",
        ("directory", "directory"),
        &status,
        &difference,
    )
    .await?;
    let word = paths::word(&real);
    // Where links are followed, what they lead to is below as well.
    let all = |program: &str, wanted: &str| match task.follow {
        true => format!("find -L {word} ! -type l -exec {program} {wanted} {{}} +"),
        false => format!("{program} -R {wanted} {word}"),
    };
    let mut steps = Vec::new();
    for (program, owner) in [("chown", &wanted.owner), ("chgrp", &wanted.group)] {
        if let Some(owner) = owner {
            let owner = paths::word(owner);
            steps.push(format!("{program} -h -R {owner} {word}"));
            steps.extend(task.follow.then(|| all(program, &owner)));
        }
    }
    match &wanted.mode {
        Some(Mode::Bits(bits)) => {
            if bits & MARKS == 0 {
                steps.push(all("chmod", "u-s,g-s"));
            }
            steps.push(all("chmod", &format!("{bits:04o}")));
        }
        Some(Mode::Symbolic(_)) => {
            let text = paths::word(task.arguments.text_or_empty("mode"));
            steps.push(all("chmod", &text));
        }
        _ => {}
    }
    run(&task.host, steps.join(" && "), "changing owner or mode").await?;
    let after = Answers::of(&task.host, vec![look(&task.path, true)])
        .await?
        .status()?;
    Ok(task.outcome(true, &after))
}

/// Tells whether anything below differs from what is asked for.
async fn any_below(task: &Task, path: &str) -> Result<bool, Failure> {
    let word = paths::word(path);
    let (find, ls) = match task.follow {
        true => ("find -L", "ls -ldL"),
        false => ("find", "ls -ld"),
    };
    let list = |numeric: &str| {
        format!(
            "{find} {word} ! -type l -exec {ls}{numeric} {{}} + 2>/dev/null || {find} {word} ! -type l -exec {ls}{numeric} {{}} \\;"
        )
    };
    let mut answers = Answers::of(&task.host, vec![script(list("n")), script(list(""))]).await?;
    let (numbers, names) = (answers.command()?, answers.command()?);
    let below = numbers
        .stdout
        .lines()
        .zip(names.stdout.lines())
        .filter_map(|(number, name)| {
            let mode = listed_mode(number)?;
            let mut status = FileStatus {
                kind: if number.starts_with('d') {
                    FileKind::Directory
                } else {
                    FileKind::File
                },
                mode,
                ..FileStatus::default()
            };
            let mut ids = number.split_whitespace().skip(2);
            status.uid = ids.next()?.parse().ok()?;
            status.gid = ids.next()?.parse().ok()?;
            let mut names = name.split_whitespace().skip(2);
            status.owner = names.next()?.to_owned();
            status.group = names.next()?.to_owned();
            Some(status)
        });
    for status in below {
        if !task.attributes.difference(&status).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the permission bits at the start of a line of `ls -l`.
fn listed_mode(line: &str) -> Option<u32> {
    let letters: Vec<char> = line.chars().skip(1).take(9).collect();
    if letters.len() < 9 {
        return None;
    }
    let mut mode = 0;
    for (at, letter) in letters.iter().enumerate() {
        let bit = 1 << (8 - at);
        let special = match at {
            2 => 0o4000,
            5 => 0o2000,
            _ => 0o1000,
        };
        mode |= match letter {
            'r' | 'w' | 'x' => bit,
            's' | 't' => bit | special,
            'S' | 'T' | 'l' => special,
            '-' => 0,
            _ => return None,
        };
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::listed_mode;

    #[test]
    fn modes_are_read_from_listings() {
        assert_eq!(listed_mode("-rw-r--r-- 1 0 0 5 Jan 1 x"), Some(0o644));
        assert_eq!(listed_mode("drwxrwxrwt 1 0 0 5 Jan 1 x"), Some(0o1777));
        assert_eq!(listed_mode("-rwsr-sr-x. 1 0 0 5 Jan 1 x"), Some(0o6755));
        assert_eq!(listed_mode("-rwSr--r-- 1 0 0 5 Jan 1 x"), Some(0o4644));
        assert_eq!(listed_mode("total 5"), None);
    }
}
