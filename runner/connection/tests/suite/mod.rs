//! What every transport and every shell must do: one list of cases, run for each of them.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use sasrun_connection::{
    Captured, ChecksumAlgorithm, Command, Connection, Content, ExitStatus, Expected, FileKind,
    Identity, Output, Read, ReadAnswer, Sent, StatRequest, Stream, TerminalSize, TimedOut,
    WriteFile, quote,
};

/// Something that cases can be run on, and what of them it cannot do.
pub struct Subject {
    pub connection: Connection,
    pub identity: Identity,
    /// A directory on the host, for the case alone.
    pub directory: tempfile::TempDir,
    /// Whatever must live as long as the connection.
    #[allow(dead_code)]
    pub keep: Box<dyn std::any::Any + Send>,
}

impl Subject {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory.path().display())
    }

    async fn run(&self, command: Command) -> Output {
        self.connection
            .run(&self.identity, &command, None)
            .await
            .unwrap()
    }

    async fn shell(&self, script: &str) -> Output {
        self.run(Command::shell(script)).await
    }
}

/// Makes one test of each case; `$open` gives a subject, or `None` where it cannot be had here.
#[macro_export]
macro_rules! suite {
    ($open:expr) => {
        $crate::suite!(@cases $open,
            status_and_streams many_commands_keep_their_order signals_and_codes_are_told_apart
            commands_do_not_change_the_shell forged_markers_are_output binary_output_is_untouched
            binary_input_is_untouched unread_input_is_not_run large_output_keeps_head_and_tail
            sinks_see_everything background_processes_hold_and_pollute_nothing
            writers_between_frames_pollute_nothing timeouts_end_whole_trees idle_timeouts_end_silence
            abandoned_commands_end directory_and_environment impossible_requests_are_refused
            parallel_commands_have_their_own_shells reset_gives_a_fresh_shell
            killing_the_shell_is_told stats_of_all_kinds odd_names_are_only_names
            batches_answer_in_order files_are_read_up_to_a_limit written_files_are_what_was_asked
            written_permissions overwriting_keeps_and_guards failed_writes_leave_the_old_file
            large_files_travel_both_ways dialogues_echo dialogues_guard_what_is_sent
            dialogues_can_be_ended terminals_for_single_commands nothing_is_left_behind
        );
    };
    (@cases $open:expr, $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let Some(subject) = $open.await else { return };
                let name = stringify!($case);
                $crate::suite::within(name, $crate::suite::$case(&subject)).await;
                subject.connection.close().await;
            }
        )*
    };
}

/// Bounds a case, so that a hang is a failure with a name.
pub async fn within(name: &str, case: impl Future<Output = ()>) {
    let limit = Duration::from_secs(90);
    if tokio::time::timeout(limit, case).await.is_err() {
        panic!("{name} did not end within {limit:?}");
    }
}

fn text(captured: &Captured) -> String {
    captured.text().into_owned()
}

/// Waits until a condition holds, and fails when it does not within ten seconds.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn noise(count: usize, mut seed: u64) -> Vec<u8> {
    (0..count)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 24) as u8
        })
        .collect()
}

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
fn is_gone(pid: &str) -> bool {
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
    let begun = Instant::now();
    // More than there are channels: the rest waits its turn.
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (connection, identity) = (s.connection.clone(), s.identity.clone());
            tokio::spawn(async move {
                let command = Command::shell(format!("sleep 0.3; echo {number}"));
                connection.run(&identity, &command, None).await.unwrap()
            })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(text(&task.await.unwrap().stdout), format!("{number}\n"));
    }
    assert!(
        begun.elapsed() < Duration::from_millis(3300),
        "they waited for each other"
    );
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

pub async fn stats_of_all_kinds(s: &Subject) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let (file, link, fifo) = (s.path("file"), s.path("link"), s.path("fifo"));
    std::fs::write(&file, b"abc").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4751)).unwrap();
    symlink("file", &link).unwrap();
    s.shell(&format!("mkfifo {fifo}")).await;
    let request = |path: &str, follow| StatRequest {
        follow,
        checksum: Some(ChecksumAlgorithm::Sha256),
        ..StatRequest::new(path)
    };
    let requests = [
        request(&file, false),
        request(&link, false),
        request(&link, true),
        request(&fifo, false),
        request("/dev/null", false),
        request(&s.path(""), false),
        request(&s.path("absent"), false),
    ];
    let stats = s.connection.stat(&s.identity, &requests).await.unwrap();
    let kinds: Vec<_> = stats.iter().map(|stat| stat.kind).collect();
    assert_eq!(
        kinds,
        [
            Some(FileKind::File),
            Some(FileKind::Link),
            Some(FileKind::File),
            Some(FileKind::Fifo),
            Some(FileKind::CharacterDevice),
            Some(FileKind::Directory),
            None,
        ]
    );
    let metadata = std::fs::metadata(&file).unwrap();
    let stat = &stats[0];
    assert_eq!(
        (stat.mode, stat.size, stat.uid),
        (0o4751, 3, metadata.uid())
    );
    assert_eq!((stat.inode, stat.nlink), (metadata.ino(), 1));
    assert_eq!(stat.mtime.map(|t| t as i64), Some(metadata.mtime()));
    assert!(stat.readable && stat.executable);
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        stat.checksum,
        Some((ChecksumAlgorithm::Sha256, digest.to_owned()))
    );
    assert_eq!(stats[1].link_target.as_deref(), Some("file"));
    let real = std::fs::canonicalize(&file).unwrap();
    assert_eq!(stats[1].link_source.as_deref(), real.to_str());
    assert_eq!(stats[2].checksum, stat.checksum);
    assert!(!stats[6].exists);
    assert!(
        s.connection
            .stat(&s.identity, &[])
            .await
            .unwrap()
            .is_empty()
    );
}

/// Names that have broken other programs.
const ODD_NAMES: [&str; 10] = [
    "-rf",
    "two\nlines\n",
    "a'b\"c",
    "sp ace",
    "dollar$(id)`id`",
    "back\\slash",
    "ünïcödé ✓",
    "*?[x]",
    "~root",
    "#x;y&z|",
];

pub async fn odd_names_are_only_names(s: &Subject) {
    let path = |name: &str| s.path(name);
    for name in ODD_NAMES {
        let write = WriteFile::new(path(name), name.as_bytes().to_vec());
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(written.stat.size, name.len() as u64, "{name:?}");
        assert_eq!(std::fs::read(path(name)).unwrap(), name.as_bytes());
        let read = s
            .connection
            .read_file(&s.identity, &path(name), 1000)
            .await
            .unwrap();
        assert_eq!(read.bytes, name.as_bytes(), "{name:?}");
        let link = path(&format!("link to {name}"));
        std::os::unix::fs::symlink(path(name), &link).unwrap();
        let stats = s
            .connection
            .stat(&s.identity, &[StatRequest::new(&*link)])
            .await
            .unwrap();
        assert_eq!(stats[0].link_target.as_deref(), Some(&*path(name)));
    }
    // Also where the name begins the path.
    let command = Command {
        cwd: Some(path("")),
        ..Command::shell(format!("cat {}", quote::path("-rf")))
    };
    assert_eq!(text(&s.run(command).await.stdout), "-rf");
}

pub async fn batches_answer_in_order(s: &Subject) {
    let file = s.path("file");
    std::fs::write(&file, b"content").unwrap();
    let reads = vec![
        Read::Script(Command::shell("echo one; exit 1")),
        Read::Stat(StatRequest::new(&*file)),
        Read::File {
            path: file.clone(),
            max_bytes: 4,
        },
        Read::File {
            path: s.path("absent"),
            max_bytes: 4,
        },
        Read::Stat(StatRequest::new(s.path("absent"))),
        Read::Script(Command::shell("echo two >&2")),
    ];
    let answers = s.connection.read_batch(&s.identity, reads).await.unwrap();
    match answers.as_slice() {
        [
            ReadAnswer::Script(one),
            ReadAnswer::Stat(there),
            ReadAnswer::File(Ok(beginning)),
            ReadAnswer::File(Err(error)),
            ReadAnswer::Stat(absent),
            ReadAnswer::Script(two),
        ] => {
            assert_eq!(
                (one.status, text(&one.stdout)),
                (ExitStatus::Code(1), "one\n".into())
            );
            assert_eq!(there.size, 7);
            assert_eq!(
                (beginning.bytes.as_slice(), beginning.is_truncated),
                (&b"cont"[..], true)
            );
            assert_eq!(error.kind(), "file");
            assert!(!absent.exists);
            assert_eq!(text(&two.stderr), "two\n");
        }
        other => panic!("{other:?}"),
    }
    assert!(
        s.connection
            .read_batch(&s.identity, Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn files_are_read_up_to_a_limit(s: &Subject) {
    let bytes = noise(300_000, 3);
    let path = s.path("noise");
    std::fs::write(&path, &bytes).unwrap();
    let read = |limit| s.connection.read_file(&s.identity, &path, limit);
    let whole = read(300_000).await.unwrap();
    assert!(whole.bytes == bytes && !whole.is_truncated);
    let part = read(1234).await.unwrap();
    assert!(part.bytes == bytes[..1234] && part.is_truncated);
    assert!(read(0).await.unwrap().bytes.is_empty());
    for bad in [s.path(""), s.path("absent"), String::new()] {
        let error = s
            .connection
            .read_file(&s.identity, &bad, 10)
            .await
            .unwrap_err();
        assert!(["file", "request"].contains(&error.kind()), "{error}");
    }
}

pub async fn written_files_are_what_was_asked(s: &Subject) {
    let path = s.path("new");
    for (content, seed) in [
        (0usize, 1u64),
        (1, 2),
        (4095, 3),
        (4097, 4),
        (65536, 5),
        (65537, 6),
        (400_000, 7),
    ] {
        let bytes = noise(content, seed);
        let write = WriteFile::new(&*path, bytes.clone());
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes, "{content} bytes");
        assert_eq!(written.stat.size, content as u64);
        assert!(written.backup.is_none());
        let request = StatRequest {
            checksum: Some(ChecksumAlgorithm::Sha1),
            ..StatRequest::new(&*path)
        };
        let stat = s.connection.stat(&s.identity, &[request]).await.unwrap();
        assert_eq!(written.stat.checksum, stat[0].checksum);
        assert_eq!(
            (written.stat.inode, written.stat.mode),
            (stat[0].inode, stat[0].mode)
        );
    }
    let text = "%s %d \\n \\\\ $HOME `id` 'quoted' \"double\" -n\n\ttab\r\n! end";
    let write = WriteFile::new(&*path, text);
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let deep = s.path("x/y z/file");
    let mut write = WriteFile::new(&*deep, "deep");
    assert_eq!(
        s.connection
            .write_file(&s.identity, &write)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    write.create_parents = true;
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&deep).unwrap(), "deep");
}

pub async fn written_permissions(s: &Subject) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let path = s.path("file");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    for wanted in [0o600, 0o644, 0o4755, 0o444, 0o640, 0o777, 0o400] {
        for is_old in [false, true] {
            if !is_old {
                let _ = std::fs::remove_file(&path);
            }
            let write = WriteFile {
                mode: Some(wanted),
                ..WriteFile::new(&*path, "x")
            };
            let written = s.connection.write_file(&s.identity, &write).await.unwrap();
            assert_eq!(
                (mode(), written.stat.mode),
                (wanted, wanted),
                "{wanted:o} {is_old}"
            );
        }
    }
    // Without a wish the old file's stay, also for one that its owner may not write.
    for old in [0o444, 0o751] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(old)).unwrap();
        let write = WriteFile::new(&*path, "y");
        s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(mode(), old);
    }
    if std::fs::metadata(&path).unwrap().uid() == 0 {
        let write = WriteFile {
            owner: Some("1234".into()),
            group: Some("4321".into()),
            mode: Some(0o640),
            ..WriteFile::new(&*path, "z")
        };
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(
            (written.stat.uid, written.stat.gid, mode()),
            (1234, 4321, 0o640)
        );
        assert_eq!(written.stat.owner, None);
        let write = WriteFile::new(&*path, "kept");
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(
            (written.stat.uid, written.stat.gid, mode()),
            (1234, 4321, 0o640)
        );
    }
}

pub async fn overwriting_keeps_and_guards(s: &Subject) {
    let path = s.path("file");
    let mut write = WriteFile {
        backup: true,
        expected_before: Some(Expected::Absent),
        ..WriteFile::new(&*path, "one")
    };
    let written = s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(written.backup, None);
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "file_changed");
    let (algorithm, digest) = written.stat.checksum.unwrap();
    write.expected_before = Some(Expected::Checksum(algorithm, digest));
    write.content = Content::Bytes("two".into());
    let written = s.connection.write_file(&s.identity, &write).await.unwrap();
    let backup = written.backup.unwrap();
    assert!(
        backup.starts_with(&path) && backup.ends_with('~'),
        "{backup}"
    );
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), "one");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "file_changed");
    // A link is replaced, not followed.
    let link = s.path("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    s.connection
        .write_file(&s.identity, &WriteFile::new(&*link, "three"))
        .await
        .unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
}

pub async fn failed_writes_leave_the_old_file(s: &Subject) {
    let path = s.path("file");
    std::fs::write(&path, "old").unwrap();
    let mut write = WriteFile {
        validate: Some("grep -q valid %s || { echo refused >&2; exit 9; }".into()),
        ..WriteFile::new(&*path, "bad")
    };
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "validation");
    assert!(
        error.to_string().contains("code 9") && error.to_string().contains("refused"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    write.content = Content::Bytes("valid".into());
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "valid");
    let directory = WriteFile::new(s.path(""), "x");
    assert_eq!(
        s.connection
            .write_file(&s.identity, &directory)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    let left: Vec<_> = std::fs::read_dir(s.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["file"]);
}

pub async fn large_files_travel_both_ways(s: &Subject) {
    let bytes = noise(5 << 20, 9);
    let (local, remote, back) = (s.path("local"), s.path("remote"), s.path("back"));
    std::fs::write(&local, &bytes).unwrap();
    let request = StatRequest {
        checksum: Some(ChecksumAlgorithm::Sha1),
        ..StatRequest::new(&*local)
    };
    let stat = s
        .connection
        .stat(&s.identity, &[request])
        .await
        .unwrap()
        .remove(0);
    let sha1 = stat.checksum.unwrap().1;
    let mut write = WriteFile {
        mode: Some(0o600),
        content: Content::LocalFile {
            path: local.into(),
            size: stat.size,
            sha1: sha1.clone(),
        },
        ..WriteFile::new(&*remote, "")
    };
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert!(std::fs::read(&remote).unwrap() == bytes);
    let fetched = s
        .connection
        .fetch_file(&s.identity, &remote, back.as_ref())
        .await
        .unwrap();
    assert_eq!(
        (fetched.size, fetched.sha1.as_str()),
        (5 << 20, sha1.as_str())
    );
    assert!(std::fs::read(&back).unwrap() == bytes);
    // A file that became another one meanwhile is not put in place.
    if let Content::LocalFile { sha1, .. } = &mut write.content {
        *sha1 = "0".repeat(40);
    }
    assert_eq!(
        s.connection
            .write_file(&s.identity, &write)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    let absent = s
        .connection
        .fetch_file(&s.identity, &s.path("absent"), s.path("never").as_ref())
        .await;
    assert_eq!(absent.unwrap_err().kind(), "file");
    assert!(!Path::new(&s.path("never")).exists());
}

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
