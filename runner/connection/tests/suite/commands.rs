//! Commands: streams, codes, limits, what they leave behind, and that they cannot break the shell.

use std::path::Path;
use std::time::{Duration, Instant};

use sasrun_connection::{Command, ExitStatus, Stream, TimedOut};

use super::{Subject, eventually, noise, text};

pub async fn status_and_streams(s: &Subject) {
    let output = s.shell("echo out; echo err >&2; exit 7").await;
    assert_eq!(output.status, ExitStatus::Code(7));
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        ("out\n".into(), "err\n".into())
    );
    let output = s
        .run(Command::argv(&[
            "printf", "%s|", "a b", "$HOME", "it's", "",
        ]))
        .await;
    assert_eq!(text(&output.stdout), "a b|$HOME|it's||");
    let output = s.shell("printf 'no newline'").await;
    assert_eq!(text(&output.stdout), "no newline");
    assert_eq!(
        s.shell("sasrun-no-such-program").await.status,
        ExitStatus::Code(127)
    );
}

pub async fn many_commands_keep_their_order(s: &Subject) {
    for number in 0..10_000 {
        let output = s.shell(&format!("echo {number}")).await;
        assert_eq!(text(&output.stdout), format!("{number}\n"));
    }
}

pub async fn signals_and_codes_are_told_apart(s: &Subject) {
    for (script, status) in [
        ("exit 143", ExitStatus::Code(143)),
        ("exec sh -c 'exit 137'", ExitStatus::Code(137)),
        ("exec sh -c 'kill -15 $$'", ExitStatus::Signal(15)),
        ("exec sh -c 'kill -9 $$'", ExitStatus::Signal(9)),
        ("exit 0", ExitStatus::Code(0)),
        ("exec sh -c 'exit 143'", ExitStatus::Code(143)),
    ] {
        assert_eq!(s.shell(script).await.status, status, "{script}");
    }
}

pub async fn commands_do_not_change_the_shell(s: &Subject) {
    let before = s.shell("pwd; echo $PATH; umask; ulimit -n").await;
    let pid = s.shell("echo $$").await;
    for script in [
        "exit 3",
        "exec true",
        "set -e; false; echo not reached",
        "set -u; echo $sasrun_unset",
        "cd /; umask 0; unset PATH; PATH=/nowhere",
        "if ; fi",
        "echo 'unbalanced",
        "exec >/dev/null 2>&1 </dev/null",
        "exec 3>&- 4>&- 7>&- 8>&-",
        "trap 'echo trapped' 0",
        "readonly r=1; eval() { echo no; }; echo() { return 1; }",
        "alias echo=false; return 5",
        "set -v -x; true",
        "ulimit -n 64",
        "cat; read x; head -c 10",
    ] {
        s.shell(script).await;
        let after = s.shell("pwd; echo $PATH; umask; ulimit -n").await;
        assert_eq!(text(&after.stdout), text(&before.stdout), "after {script}");
        assert_eq!(text(&after.stderr), "", "after {script}");
    }
    assert_eq!(text(&s.shell("echo $$").await.stdout), text(&pid.stdout));
}

pub async fn forged_markers_are_output(s: &Subject) {
    // What a command can see of the protocol, it may print.
    let output = s
        .shell("set; echo sasrun00000000000000000000000000000000 0 0 0; echo sasrun >&2; ps -o args= -p $$; exit 4")
        .await;
    assert_eq!(output.status, ExitStatus::Code(4));
    assert!(text(&output.stdout).contains("sasrun00000000000000000000000000000000 0 0 0\n"));
    assert_eq!(text(&s.shell("echo next").await.stdout), "next\n");
}

pub async fn binary_output_is_untouched(s: &Subject) {
    let bytes = noise(1 << 20, 7);
    let path = s.path("noise");
    std::fs::write(&path, &bytes).unwrap();
    let output = s.run(Command::argv(&["cat", &path])).await;
    assert!(output.stdout.bytes() == bytes.as_slice());
    let output = s.shell(&format!("cat {path} >&2; printf 'a\\0b\\0'")).await;
    assert!(output.stderr.bytes() == bytes.as_slice());
    assert_eq!(output.stdout.bytes().as_ref(), b"a\0b\0");
}

pub async fn binary_input_is_untouched(s: &Subject) {
    let bytes = noise(1 << 20, 11);
    let path = s.path("received");
    let command = Command {
        stdin: Some(bytes.clone().into()),
        ..Command::shell(format!("cat >{path}; wc -c <{path}; exit 5"))
    };
    let output = s.run(command).await;
    assert_eq!(output.status, ExitStatus::Code(5));
    assert_eq!(text(&output.stdout).trim(), "1048576");
    assert!(std::fs::read(&path).unwrap() == bytes);
    let command = Command {
        stdin: Some(bytes.clone().into()),
        ..Command::argv(&["cat"])
    };
    assert!(s.run(command).await.stdout.bytes() == bytes.as_slice());
}

pub async fn unread_input_is_not_run(s: &Subject) {
    let path = s.path("made");
    let command = Command {
        stdin: Some(format!("\ntouch {path}\n").repeat(2000).into()),
        ..Command::shell("read first; exit 6")
    };
    assert_eq!(s.run(command).await.status, ExitStatus::Code(6));
    assert!(!Path::new(&path).exists());
}

pub async fn large_output_keeps_head_and_tail(s: &Subject) {
    let command = Command {
        output_bytes: Some(1000),
        ..Command::shell(
            "i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=`expr $i + 1` 2>/dev/null || exit; [ $i -lt 300 ] || break; done; awk 'BEGIN { for (i = 0; i < 300000; i++) print \"row\", i }'",
        )
    };
    let output = s.run(command).await;
    assert!(output.stdout.is_truncated());
    assert!(output.stdout.total_bytes() > 3_000_000);
    assert!(output.stdout.head().starts_with(b"line 0\nline 1\n"));
    assert!(output.stdout.tail().ends_with(b"row 299999\n"));
    assert_eq!(
        output.stdout.head().len() + output.stdout.tail().len(),
        1000
    );
}

pub async fn sinks_see_everything(s: &Subject) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut sink = |stream: Stream, bytes: &[u8]| match stream {
        Stream::Stdout => out.extend_from_slice(bytes),
        Stream::Stderr => err.extend_from_slice(bytes),
    };
    let command = Command {
        output_bytes: Some(10),
        ..Command::shell("awk 'BEGIN { for (i = 0; i < 50000; i++) print i }'; echo done >&2")
    };
    let output = s
        .connection
        .run(&s.identity, &command, Some(&mut sink))
        .await
        .unwrap();
    let expected: String = (0..50000).map(|i| format!("{i}\n")).collect();
    assert!(out == expected.as_bytes());
    assert_eq!(err, b"done\n");
    assert_eq!(output.stdout.total_bytes(), expected.len() as u64);
}

pub async fn background_processes_hold_and_pollute_nothing(s: &Subject) {
    let begun = Instant::now();
    let output = s
        .shell("( sleep 1; echo POLLUTION; echo POLLUTION >&2; sleep 20 ) & echo started")
        .await;
    assert_eq!(text(&output.stdout), "started\n");
    assert!(output.is_leaving_processes);
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "it was waited for"
    );
    // Frames during and after the time at which it writes.
    for _ in 0..3 {
        let output = s.shell("echo mine; sleep 0.5; echo too").await;
        assert_eq!(text(&output.stdout), "mine\ntoo\n");
        assert_eq!(text(&output.stderr), "");
    }
    let quiet = s.shell("sleep 5 >/dev/null 2>&1 & exit 3").await;
    assert_eq!(quiet.status, ExitStatus::Code(3));
    assert!(!s.shell("true").await.is_leaving_processes);
}

pub async fn writers_between_frames_pollute_nothing(s: &Subject) {
    // It hides from the shell by closing what it inherited, but for the stream that it writes to.
    let hidden = "( exec 7<&-; sleep 0.2; echo POLLUTION; sleep 20 ) &";
    s.shell(hidden).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    for _ in 0..2 {
        assert_eq!(text(&s.shell("echo mine").await.stdout), "mine\n");
    }
}

pub async fn timeouts_end_whole_trees(s: &Subject) {
    let file = s.path("pids");
    let script = format!(
        "echo before; sh -c 'echo $$ >>{file}; sleep 61 & echo $! >>{file}; wait' & sh -c 'trap \"\" 15; echo $$ >>{file}; sleep 62; sleep 62' & wait"
    );
    let command = Command {
        timeout: Some(Duration::from_millis(700)),
        ..Command::shell(script)
    };
    let output = s.run(command).await;
    assert_eq!(output.status, ExitStatus::TimedOut(TimedOut::Killed));
    assert_eq!(text(&output.stdout), "before\n");
    let pids = std::fs::read_to_string(&file).unwrap();
    assert_eq!(pids.lines().count(), 3);
    for pid in pids.lines() {
        assert!(is_gone(pid), "{pid} of {pids:?} lives");
    }
    assert_eq!(text(&s.shell("echo after").await.stdout), "after\n");
}

/// Tells whether a process has ended, be it that nobody has waited for it yet.
pub fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty()
        || stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
}

pub async fn idle_timeouts_end_silence(s: &Subject) {
    let command = Command {
        idle_timeout: Some(Duration::from_millis(600)),
        ..Command::shell("for i in 1 2 3 4; do sleep 0.3; echo $i; done; sleep 60")
    };
    let output = s.run(command).await;
    assert!(matches!(output.status, ExitStatus::TimedOut(_)));
    assert_eq!(text(&output.stdout), "1\n2\n3\n4\n");
    assert!(output.elapsed < Duration::from_secs(10));
}

pub async fn abandoned_commands_end(s: &Subject) {
    let file = s.path("pid");
    let command = Command::shell(format!("sh -c 'echo $$ >{file}; sleep 63; true'; true"));
    let (connection, identity) = (s.connection.clone(), s.identity.clone());
    let running = tokio::spawn(async move { connection.run(&identity, &command, None).await });
    let pid = || {
        std::fs::read_to_string(&file)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    eventually("the command runs", || async { !pid().is_empty() }).await;
    running.abort();
    eventually("the command ended", || async { is_gone(&pid()) }).await;
    assert_eq!(text(&s.shell("echo after").await.stdout), "after\n");
}

pub async fn directory_and_environment(s: &Subject) {
    let directory = s.path("a 'b' -c");
    std::fs::create_dir(&directory).unwrap();
    let command = Command {
        cwd: Some(directory.clone()),
        environment: vec![
            ("SASRUN_A".into(), "x 'y' $z\nsecond".into()),
            ("SASRUN_B".into(), String::new()),
        ],
        ..Command::shell("pwd; sh -c 'echo \"$SASRUN_A|$SASRUN_B|\"'")
    };
    let output = s.run(command).await;
    let real = std::fs::canonicalize(&directory).unwrap();
    assert_eq!(
        text(&output.stdout),
        format!("{}\nx 'y' $z\nsecond||\n", real.display())
    );
    let command = Command {
        cwd: Some("/sasrun/nowhere".into()),
        ..Command::shell("echo not reached")
    };
    let output = s.run(command).await;
    assert!(!output.status.is_success());
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&s.shell("echo \"$SASRUN_A\"").await.stdout), "\n");
}

pub async fn impossible_requests_are_refused(s: &Subject) {
    let bad = [
        Command::shell("echo a\0b"),
        Command {
            environment: vec![("a b".into(), String::new())],
            ..Command::shell("true")
        },
        Command {
            environment: vec![("a".into(), "\0".into())],
            ..Command::shell("true")
        },
    ];
    for command in bad {
        let error = s
            .connection
            .run(&s.identity, &command, None)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), "request");
        assert!(error.failed());
    }
    assert_eq!(text(&s.shell("echo fine").await.stdout), "fine\n");
}

pub async fn parallel_commands_have_their_own_shells(s: &Subject) {
    let meeting = s.path("meeting");
    s.shell(&format!("mkdir {meeting}")).await;
    // More than there are channels: the rest waits its turn.
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (connection, identity) = (s.connection.clone(), s.identity.clone());
            // Each waits until four have come: one after the other, none would ever see that.
            let script = format!(
                "touch {meeting}/{number}; i=0; \
                 while [ `ls {meeting} | wc -l` -lt 4 ] && [ $i -lt 100 ]; \
                 do sleep 0.1; i=`expr $i + 1`; done; [ $i -lt 100 ] && echo {number}"
            );
            tokio::spawn(async move {
                let command = Command::shell(script);
                connection.run(&identity, &command, None).await.unwrap()
            })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(text(&task.await.unwrap().stdout), format!("{number}\n"));
    }
}

pub async fn reset_gives_a_fresh_shell(s: &Subject) {
    let before = text(&s.shell("echo $$").await.stdout);
    assert_eq!(text(&s.shell("echo $$").await.stdout), before);
    s.connection.reset().await;
    assert_ne!(text(&s.shell("echo $$").await.stdout), before);
}

pub async fn killing_the_shell_is_told(s: &Subject) {
    let command = Command::shell("kill -9 $$; sleep 1");
    match s.connection.run(&s.identity, &command, None).await {
        Ok(output) => assert_eq!(output.status, ExitStatus::Signal(9)),
        Err(error) => assert_eq!(error.kind(), "shell_lost"),
    }
    assert_eq!(text(&s.shell("echo after").await.stdout), "after\n");
}
