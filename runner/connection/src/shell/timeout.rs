//! Ending a command whose time is over, from another shell of the same identity.
//!
//! Must not: touch processes that the command did not start: only the shell's own group, when the shell leads one, and the
//! descendants of the shell.

use std::time::Duration;

use super::frame::Greeting;
use crate::command::Command;

/// Makes the command that ends everything under a shell, the shell included; it prints `gone` when all of it is.
pub(crate) fn kill_command(shell: &Greeting, grace: Duration) -> Command {
    let pid = shell.pid;
    let tenths = (grace.as_millis() / 100).max(1);
    let group = if shell.leads_group {
        format!("-{pid}")
    } else {
        String::new()
    };
    // Descendants are looked up as well: one in a session of its own is in no group of ours. A zombie answers `kill -0`, alone
    // or as the last of its group, until its parent reads its end: it is over. To see that takes processes, so every fifth look does.
    let script = format!(
        r#"
_tree=`{{ ps -e -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid; }} | awk '
  {{ parent[$1] = $2 }}
  END {{ top = {pid}; for (p in parent) {{ q = p; n = 0
    while (q != top && q > 1 && n < 64) {{ q = parent[q]; n++ }}
    if (q == top && p != top) print p }} }}'`
_is_zombie() {{
  {{ ps -e -o pid= -o pgid= -o stat= || ps -o pid,pgid,stat; }} 2>/dev/null | awk '
    $1 == "'$1'" || "-" $2 == "'$1'" {{ seen = 1; if ($3 !~ /^Z/) live = 1 }}
    END {{ if (seen && !live) exit 0; exit 1 }}'
}}
_alive() {{
  for _p in {group} {pid} $_tree; do
    if kill -0 $_p 2>/dev/null; then
      case $_n in *[05]) if _is_zombie $_p; then continue; fi ;; esac
      return 0
    fi
  done
  return 1
}}
_signal() {{ for _p in {group} {pid} $_tree; do kill -$1 $_p 2>/dev/null; done; }}
_wait() {{
  _n=$1
  while _alive; do
    _n=`expr $_n - 1`
    if [ "$_n" -le 0 ]; then return 1; fi
    sleep 0.1 2>/dev/null || {{ sleep 1; _n=`expr $_n - 9`; }}
  done
}}
_signal 15
if _wait {tenths}; then echo gone; exit 0; fi
_signal 9
if _wait 20; then echo gone; fi
"#
    );
    // It counts its looks, not seconds, and on a busy host a look takes its time: it ends by itself, and a wrong answer is
    // worse than a late one.
    Command {
        timeout: Some(grace * 3 + Duration::from_secs(30)),
        ..Command::shell(script)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command as Process, Stdio};

    use super::*;

    #[test]
    fn an_end_that_nobody_has_read_yet_is_an_end() {
        let mut leader = Process::new("sleep")
            .arg("60")
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .expect("sleep");
        let greeting = Greeting {
            pid: leader.id(),
            leads_group: true,
            leftovers: crate::shell::frame::Leftovers::Unknown,
            is_merged: false,
        };
        // Nobody waits for the leader meanwhile: it stays a zombie, the only process of its group.
        let command = kill_command(&greeting, Duration::from_millis(500));
        let told = Process::new("sh").arg("-c").arg(&command.script).output();
        leader.wait().expect("the leader's end");
        assert_eq!(told.expect("sh").stdout, b"gone\n");
    }
}
