//! Dialogues with programs on a terminal, and what a connection leaves on the host.

use std::path::Path;
use std::time::{Duration, Instant};

use sasrun_connection::{
    Command, ExitStatus, HeldDialogue, JobId, JobRequest, Patience, Sent, TerminalSize, TimedOut,
    Typed,
};

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

/// Reads a held dialogue until a text has appeared; where the screen ends then.
async fn await_held(dialogue: &mut HeldDialogue, wanted: &str) -> u64 {
    let begun = Instant::now();
    loop {
        let screen = dialogue.read(0, Duration::ZERO).await.unwrap();
        let shown = String::from_utf8_lossy(&screen.bytes).into_owned();
        if shown.contains(wanted) {
            return screen.end();
        }
        assert!(
            !screen.is_closed && begun.elapsed() < Duration::from_secs(20),
            "no {wanted:?} in {shown:?}"
        );
        dialogue
            .read(screen.end(), Duration::from_millis(200))
            .await
            .unwrap();
    }
}

/// Reads a held dialogue to its end.
async fn held_end(dialogue: &mut HeldDialogue) -> sasrun_connection::Screen {
    let mut screen = dialogue.read(0, Duration::ZERO).await.unwrap();
    let begun = Instant::now();
    while !screen.is_closed {
        assert!(begun.elapsed() < Duration::from_secs(20), "{screen:?}");
        dialogue
            .read(screen.end(), Duration::from_millis(200))
            .await
            .unwrap();
        screen = dialogue.read(0, Duration::ZERO).await.unwrap();
    }
    screen
}

pub async fn held_dialogues_go_on_without_a_viewer(s: &Subject) {
    let maker = s.connection.terminal_maker(&s.identity).await.unwrap();
    let Some(maker) = maker else { return };
    let file = s.path("asked");
    let request = JobRequest {
        id: JobId::new(&format!("test-{:016x}", rand::random::<u64>())).unwrap(),
        command: Command {
            environment: vec![("GREETING".into(), "good day".into())],
            ..Command::shell(format!(
                "test -t 0 && test -t 1 && echo \"$GREETING\"; stty size; printf 'name – '; read a; echo \"hello $a\"; \
                 printf 'more: '; read b; echo \"$b\" >>{file}; echo \"and $b\"; exit 3"
            ))
        },
        about: vec![("note".into(), "a b".into())],
    };
    let size = TerminalSize {
        columns: 100,
        rows: 30,
    };
    let patience = Patience::default();
    let (c, i) = (&s.connection, &s.identity);
    let find = async || c.find_dialogue(i, &request.id, &patience).await.unwrap();
    assert!(find().await.is_none());
    let held = c.hold_dialogue(i, &request, &maker, size, &patience).await;
    let mut first = held.unwrap();
    let at = await_held(&mut first, "name – ").await;
    let early = first.send(b"x\n", Some(at - 1), Typed::Text).await.unwrap();
    assert_eq!(early, Sent::ScreenMoved(at));
    let sent = first.send(b"Ada\n", Some(at), Typed::Text).await.unwrap();
    assert_eq!(sent, Sent::Sent);
    await_held(&mut first, "more: ").await;
    drop(first);

    // Another viewer sees what was shown until the answer, gives it once more, and goes on.
    let mut second = find().await.unwrap();
    assert_eq!(second.about("note"), Some("a b"));
    let screen = second.read(0, Duration::ZERO).await.unwrap();
    assert_eq!(screen.end(), at);
    let nothing = second.read(at, Duration::from_secs(5)).await.unwrap();
    assert!(nothing.bytes.is_empty() && !nothing.is_closed);
    second
        .send(b"Eve\n", Some(at), Typed::Text)
        .await
        .unwrap_err();
    let again = second.send(b"Ada\n", Some(at), Typed::Text).await.unwrap();
    assert_eq!(again, Sent::Sent);
    let later = await_held(&mut second, "more: ").await;
    let sent = second
        .send(b"Bob\n", Some(later), Typed::Sensitive)
        .await
        .unwrap();
    assert_eq!(sent, Sent::Sent);
    let screen = held_end(&mut second).await;
    assert_eq!(screen.exit, Some(ExitStatus::Code(3)));
    let shown = String::from_utf8_lossy(&screen.bytes).replace('\r', "");
    assert_eq!(
        shown,
        "good day\n30 100\nname – Ada\nhello Ada\nmore: Bob\nand Bob\n"
    );
    assert_eq!(
        second.send(b"x", None, Typed::Text).await.unwrap(),
        Sent::Closed
    );

    // The end is there for whoever comes last.
    let mut third = find().await.unwrap();
    assert_eq!(third.read(0, Duration::ZERO).await.unwrap().end(), at);
    third.send(b"Ada\n", Some(at), Typed::Text).await.unwrap();
    await_held(&mut third, "more: ").await;
    third
        .send(b"Bob\n", Some(later), Typed::Sensitive)
        .await
        .unwrap();
    assert_eq!(held_end(&mut third).await.exit, Some(ExitStatus::Code(3)));
    assert_eq!(text(&s.shell(&format!("cat {file}")).await.stdout), "Bob\n");
    assert!(c.remove_job(i, &request.id).await.unwrap());
}

pub async fn held_dialogues_can_be_ended(s: &Subject) {
    let maker = s.connection.terminal_maker(&s.identity).await.unwrap();
    let Some(maker) = maker else { return };
    let request = JobRequest {
        id: JobId::new(&format!("test-{:016x}", rand::random::<u64>())).unwrap(),
        command: Command::shell(
            "trap 'echo caught; exit 4' 2; echo ready; while :; do sleep 0.1; done",
        ),
        about: Vec::new(),
    };
    let (size, patience) = (TerminalSize::default(), Patience::default());
    let (c, i) = (&s.connection, &s.identity);
    for typed in [true, false] {
        let held = c.hold_dialogue(i, &request, &maker, size, &patience).await;
        let mut held = held.unwrap();
        await_held(&mut held, "ready").await;
        let screen = if typed {
            held.send(b"\x03", None, Typed::Interrupt).await.unwrap();
            let screen = held_end(&mut held).await;
            assert_eq!(screen.exit, Some(ExitStatus::Code(4)));
            screen
        } else {
            held.close().await.unwrap()
        };
        assert!(screen.is_closed, "{screen:?}");
        assert!(c.remove_job(i, &request.id).await.unwrap());
    }
}
