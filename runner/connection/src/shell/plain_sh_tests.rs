//! The test that what is sent to hosts is old-Bourne shell.

use crate::command::Command;
use crate::file::{batch, read, stat, write};
use crate::shell::frame::{self, Greeting, Input, Leftovers};
use crate::shell::timeout;

/// What an old Bourne shell, or one of the four shells that must work, does not read.
const FORBIDDEN: [&str; 17] = [
    "$(",
    "[[",
    "]]",
    "local ",
    "printf %q",
    "${",
    "<<<",
    "<(",
    ">(",
    "&>",
    "|&",
    "function ",
    "typeset",
    "declare",
    "\" == ",
    "awk -v",
    "test -e",
];

fn all_scripts() -> Vec<String> {
    let mut scripts = Vec::new();
    let command = Command {
        cwd: Some("/a b".into()),
        environment: vec![("A".into(), "b c".into())],
        ..Command::shell("true")
    };
    for leftovers in [
        Leftovers::Pipes,
        Leftovers::Proc,
        Leftovers::Named("/tmp/.x".into()),
        Leftovers::Unknown,
    ] {
        for is_merged in [false, true] {
            let greeting = Greeting {
                pid: 7,
                leads_group: is_merged,
                leftovers: leftovers.clone(),
                is_merged,
            };
            for input in [Input::Nothing, Input::Channel(5)] {
                let mut text = String::new();
                frame::render(&mut text, &greeting, "token", &command, input).unwrap();
                scripts.push(text);
            }
            scripts.push(frame::greeting_script("token", is_merged));
            let grace = std::time::Duration::from_secs(1);
            scripts.push(timeout::kill_command(&greeting, grace).script);
        }
    }
    scripts.push(stat::every_script());
    scripts.push(read::command("/a b", 10).unwrap().script);
    scripts.extend(write::every_script());
    scripts.push(batch::every_script());
    scripts.push(crate::file::bulk::every_script());
    scripts.extend(crate::job::every_script());
    scripts
}

#[test]
fn everything_sent_is_old_bourne_shell() {
    for script in all_scripts() {
        for forbidden in FORBIDDEN {
            assert!(!script.contains(forbidden), "{forbidden} in:\n{script}");
        }
    }
}

#[test]
fn everything_sent_is_read_by_each_shell_that_is_here() {
    for shell in [
        &["dash"][..],
        &["bash", "--posix"],
        &["busybox", "sh"],
        &["ksh"],
    ] {
        for script in all_scripts() {
            let run = std::process::Command::new(shell[0])
                .args(&shell[1..])
                .args(["-n", "-c", &script])
                .output();
            let Ok(output) = run else { continue };
            let said = String::from_utf8_lossy(&output.stderr);
            // ksh has its own taste about backticks.
            let is_fine = output.status.success() && !said.contains("rror");
            assert!(is_fine, "{shell:?}: {said}\n{script}");
        }
    }
}
