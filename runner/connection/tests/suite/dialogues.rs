//! Dialogues with programs on a terminal, and what a connection leaves on the host.

use std::path::Path;
use std::time::{Duration, Instant};

use sasrun_connection::{Command, ExitStatus, Sent, TerminalSize, TimedOut};

use super::commands::is_gone;
use super::{Subject, eventually, text};

/// Reads a dialogue until a text has appeared.
async fn await_text(
    dialogue: &sasrun_connection::Dialogue,
    wanted: &str,
) -> sasrun_connection::Screen {
    let mut end = 0;
    let begun = Instant::now();
    loop {
        let screen = dialogue.read(0, Duration::from_millis(10)).await;
        if String::from_utf8_lossy(&screen.bytes).contains(wanted) {
            return screen;
        }
        assert!(
            !screen.is_closed && begun.elapsed() < Duration::from_secs(20),
            "no {wanted:?} in {:?}",
            String::from_utf8_lossy(&screen.bytes)
        );
        end = dialogue.read(end, Duration::from_secs(1)).await.end();
    }
}

pub async fn dialogues_echo(s: &Subject) {
    let size = TerminalSize {
        columns: 100,
        rows: 30,
    };
    let command = Command {
        environment: vec![("GREETING".into(), "good day".into())],
        cwd: Some("/".into()),
        ..Command::shell(
            "test -t 0 && test -t 1 && echo \"$GREETING from `pwd`\"; stty size; printf 'name: '; read name; echo \"hello $name\"; exit 3",
        )
    };
    let dialogue = s
        .connection
        .dialogue(&s.identity, &command, size)
        .await
        .unwrap();
    await_text(&dialogue, "name: ").await;
    assert_eq!(dialogue.send("Ada\n", None).await.unwrap(), Sent::Sent);
    await_text(&dialogue, "hello Ada").await;
    let mut screen = dialogue.read(0, Duration::ZERO).await;
    let begun = Instant::now();
    while !screen.is_closed && begun.elapsed() < Duration::from_secs(10) {
        dialogue.read(screen.end(), Duration::from_secs(1)).await;
        screen = dialogue.read(0, Duration::ZERO).await;
    }
    assert!(screen.is_closed);
    assert_eq!(screen.exit, Some(ExitStatus::Code(3)));
    let shown = String::from_utf8_lossy(&screen.bytes).replace('\r', "");
    assert_eq!(shown, "good day from /\n30 100\nname: Ada\nhello Ada\n");
    assert_eq!(dialogue.send("late\n", None).await.unwrap(), Sent::Closed);
}

pub async fn dialogues_guard_what_is_sent(s: &Subject) {
    let command =
        Command::shell("echo first; read x; echo \"got $x\"; read y; echo \"and $y\"; read z");
    let dialogue = s
        .connection
        .dialogue(&s.identity, &command, TerminalSize::default())
        .await
        .unwrap();
    let screen = await_text(&dialogue, "first\r\n").await;
    assert_eq!(
        dialogue.send("1\n", Some(0)).await.unwrap(),
        Sent::ScreenMoved(screen.end())
    );
    assert_eq!(
        dialogue.send("2\n", Some(screen.end())).await.unwrap(),
        Sent::Sent
    );
    let shown = await_text(&dialogue, "got").await;
    assert!(String::from_utf8_lossy(&shown.bytes).contains("got 2"));
    let later = dialogue.read(screen.end(), Duration::ZERO).await;
    assert_eq!(later.offset, screen.end());
    assert!(!String::from_utf8_lossy(&later.bytes).contains("first"));
}

pub async fn dialogues_can_be_ended(s: &Subject) {
    let file = s.path("pid");
    let command = Command::shell(format!(
        "trap 'echo interrupted' 2; echo $$ >{file}; echo ready; while :; do sleep 0.1; done"
    ));
    let start = || {
        s.connection
            .dialogue(&s.identity, &command, TerminalSize::default())
    };
    let pid = || {
        std::fs::read_to_string(&file)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let dialogue = start().await.unwrap();
    await_text(&dialogue, "ready").await;
    dialogue.signal(2).await.unwrap();
    await_text(&dialogue, "interrupted").await;
    let screen = dialogue.close().await.unwrap();
    assert!(String::from_utf8_lossy(&screen.bytes).contains("ready"));
    assert!(is_gone(&pid()));
    let dialogue = start().await.unwrap();
    await_text(&dialogue, "ready").await;
    let second = pid();
    drop(dialogue);
    eventually("the dropped dialogue's program ended", || async {
        is_gone(&second)
    })
    .await;
}

pub async fn terminals_for_single_commands(s: &Subject) {
    let command = Command {
        terminal: true,
        ..Command::shell("test -t 0 && echo terminal; exit 4")
    };
    let output = s.run(command).await;
    assert_eq!(output.status, ExitStatus::Code(4));
    assert_eq!(text(&output.stdout), "terminal\r\n");
    let command = Command {
        terminal: true,
        timeout: Some(Duration::from_millis(500)),
        ..Command::shell("echo begun; sleep 64")
    };
    let output = s.run(command).await;
    assert_eq!(output.status, ExitStatus::TimedOut(TimedOut::Killed));
    assert_eq!(text(&output.stdout), "begun\r\n");
}

pub async fn nothing_is_left_behind(s: &Subject) {
    s.shell("echo x; exec sh -c 'kill -9 $$'").await;
    let command = Command::shell("echo \"it is $0\"");
    let size = TerminalSize::default();
    let dialogue = s
        .connection
        .dialogue(&s.identity, &command, size)
        .await
        .unwrap();
    let screen = await_text(&dialogue, "sh\r\n").await;
    let shown = String::from_utf8_lossy(&screen.bytes).into_owned();
    let script = shown.trim().trim_start_matches("it is ").to_owned();
    assert!(
        script.starts_with('/') && !Path::new(&script).exists(),
        "{script}"
    );
    drop(dialogue);
    // A shell that needs files of its own says which; they go with it.
    let list = "ls -l /proc/$$/fd | sed -n 's/.* -> \\(\\/.*[.]sasrun[^ ]*\\)$/\\1/p'";
    let files = text(&s.shell(list).await.stdout);
    s.connection.reset().await;
    for file in files.lines() {
        eventually(file, || async { !Path::new(file).exists() }).await;
    }
}
