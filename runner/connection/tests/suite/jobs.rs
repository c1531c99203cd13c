//! Jobs: begun once, followed from any byte, found again, ended.

use std::time::{Duration, Instant};

use sasrun_connection::{
    Command, ExitStatus, JobId, JobOffsets, JobRequest, JobStart, JobState, JobStop, JobView,
    Patience, Stream, TimedOut,
};

use super::{Subject, eventually, noise};

fn request(command: Command) -> JobRequest {
    JobRequest {
        id: JobId::new(&format!("test-{:016x}", rand::random::<u64>())).unwrap(),
        command,
        about: vec![
            ("run".into(), "a test".into()),
            ("step".into(), "it's\nthis".into()),
        ],
    }
}

struct Followed {
    view: JobView,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

async fn follow(s: &Subject, id: &JobId, from: JobOffsets) -> Followed {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut sink = |stream: Stream, bytes: &[u8]| match stream {
        Stream::Stdout => stdout.extend_from_slice(bytes),
        Stream::Stderr => stderr.extend_from_slice(bytes),
    };
    let mut offsets = from;
    let patience = Patience::default();
    let view = s
        .connection
        .follow_job(&s.identity, id, &mut offsets, &mut sink, &patience)
        .await
        .unwrap();
    Followed {
        view,
        stdout,
        stderr,
    }
}

async fn whole(s: &Subject, command: Command) -> Followed {
    let request = request(command);
    let start = s.connection.start_job(&s.identity, &request).await;
    assert_eq!(start.unwrap(), JobStart::Begun);
    let followed = follow(s, &request.id, JobOffsets::default()).await;
    assert!(remove(s, &request.id).await);
    followed
}

async fn remove(s: &Subject, id: &JobId) -> bool {
    s.connection.remove_job(&s.identity, id).await.unwrap()
}

async fn look(s: &Subject, id: &JobId) -> JobView {
    s.connection.look_at_job(&s.identity, id).await.unwrap()
}

pub async fn jobs_give_status_and_streams(s: &Subject) {
    for (script, status) in [
        ("echo out; echo err >&2; exit 7", ExitStatus::Code(7)),
        (
            "echo out; echo err >&2; exec sh -c 'kill -9 $$'",
            ExitStatus::Signal(9),
        ),
        ("echo out; echo err >&2; exit 143", ExitStatus::Code(143)),
    ] {
        let done = whole(s, Command::shell(script)).await;
        assert_eq!(done.view.state, JobState::Finished(status), "{script}");
        assert_eq!(
            (&done.stdout[..], &done.stderr[..]),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert!(
            done.view.started_at.unwrap() > 1_000_000_000
                && done.view.ended_at >= done.view.started_at
        );
    }
    let input = noise(100_000, 3);
    let command = Command {
        stdin: Some(input.clone().into()),
        cwd: Some("/usr".into()),
        environment: vec![("GREETING".into(), "it's $HOME".into())],
        ..Command::shell("pwd >&2; echo \"$GREETING\" >&2; cat")
    };
    let done = whole(s, command).await;
    assert_eq!(done.view.state, JobState::Finished(ExitStatus::Code(0)));
    assert!(done.stdout == input);
    assert_eq!(String::from_utf8_lossy(&done.stderr), "/usr\nit's $HOME\n");
}

pub async fn jobs_begin_once(s: &Subject) {
    let file = s.path("count");
    let request = request(Command::shell(format!("echo x >>{file}; sleep 0.3")));
    let starts = (0..6).map(|_| {
        let (connection, identity, request) =
            (s.connection.clone(), s.identity.clone(), request.clone());
        tokio::spawn(async move { connection.start_job(&identity, &request).await.unwrap() })
    });
    let mut begun = 0;
    for start in starts.collect::<Vec<_>>() {
        begun += usize::from(start.await.unwrap() == JobStart::Begun);
    }
    assert_eq!(begun, 1);
    follow(s, &request.id, JobOffsets::default()).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "x\n");
    // Removed, its name is free again.
    assert!(remove(s, &request.id).await);
    assert_eq!(look(s, &request.id).await.state, JobState::Absent);
}

pub async fn jobs_are_read_from_any_byte(s: &Subject) {
    let content = noise(300_000, 9);
    let file = s.path("content");
    std::fs::write(&file, &content).unwrap();
    let request = request(Command::shell(format!("cat {file}; cat {file} >&2")));
    s.connection.start_job(&s.identity, &request).await.unwrap();
    follow(s, &request.id, JobOffsets::default()).await;
    for (stdout, stderr) in [(0, 299_999), (4095, 4096), (4097, 300_000), (8192, 1)] {
        let done = follow(s, &request.id, JobOffsets { stdout, stderr }).await;
        assert!(done.stdout == content[usize::try_from(stdout).unwrap()..]);
        assert!(done.stderr == content[usize::try_from(stderr).unwrap()..]);
    }
    assert!(remove(s, &request.id).await);
}

pub async fn jobs_outlive_their_connection(s: &Subject) {
    let request = request(Command::shell(
        "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done",
    ));
    s.connection.start_job(&s.identity, &request).await.unwrap();
    eventually("the job runs", || async {
        look(s, &request.id).await.state == JobState::Running
    })
    .await;
    s.connection.close().await;
    let done = follow(s, &request.id, JobOffsets::default()).await;
    assert_eq!(done.view.state, JobState::Finished(ExitStatus::Code(0)));
    assert_eq!(done.stdout, b"1\n2\n3\n4\n5\n6\n");
    let session = done.view.session.unwrap();
    assert_eq!(session, "setsid");
    assert!(remove(s, &request.id).await);
}

pub async fn jobs_are_stopped_with_all_they_started(s: &Subject) {
    for script in [
        "sleep 600 & sleep 600",
        "trap '' 15; sh -c 'trap \"\" 15; while :; do sleep 0.1; done' & while :; do sleep 0.1; done",
    ] {
        let request = request(Command::shell(script));
        s.connection.start_job(&s.identity, &request).await.unwrap();
        eventually("the job runs", || async {
            look(s, &request.id).await.state == JobState::Running
        })
        .await;
        assert!(!remove(s, &request.id).await, "what runs is not removed");
        let begun = Instant::now();
        let stop = s
            .connection
            .stop_job(&s.identity, &request.id)
            .await
            .unwrap();
        assert_eq!(stop, JobStop::Ended, "{script}");
        // A busy machine takes its time, but never as long as what was ended would.
        assert!(begun.elapsed() < Duration::from_secs(60));
        let view = look(s, &request.id).await;
        assert!(view.was_stopped, "{view:?}");
        // ksh gives the code 15 for a death by signal 15 here.
        assert!(
            matches!(view.state, JobState::Finished(end) if !end.is_success()),
            "{view:?}"
        );
        assert_eq!(processes_of_group(view.pid.unwrap()), 0);
        let again = s
            .connection
            .stop_job(&s.identity, &request.id)
            .await
            .unwrap();
        assert_eq!(again, JobStop::NotRunning);
        assert!(remove(s, &request.id).await);
    }
}

pub async fn jobs_hold_their_own_time_limit(s: &Subject) {
    let command = Command {
        timeout: Some(Duration::from_secs(1)),
        ..Command::shell("echo begun; sleep 600")
    };
    let done = whole(s, command).await;
    assert_eq!(
        done.view.state,
        JobState::Finished(ExitStatus::TimedOut(TimedOut::Killed))
    );
    assert_eq!(done.stdout, b"begun\n");
    eventually("the group is gone", || async {
        processes_of_group(done.view.pid.unwrap()) == 0
    })
    .await;
    // One that ends in time leaves no watchman behind.
    let command = Command {
        timeout: Some(Duration::from_secs(600)),
        ..Command::shell("echo done")
    };
    let done = whole(s, command).await;
    assert_eq!(done.view.state, JobState::Finished(ExitStatus::Code(0)));
    eventually("the watchman is gone", || async {
        processes_of_group(done.view.pid.unwrap()) == 0
    })
    .await;
}

pub async fn interrupted_jobs_are_told(s: &Subject) {
    let request = request(Command::shell("sleep 600 & echo up; wait"));
    s.connection.start_job(&s.identity, &request).await.unwrap();
    eventually("the job runs", || async {
        look(s, &request.id).await.written.stdout == 3
    })
    .await;
    let view = look(s, &request.id).await;
    let pid = view.pid.unwrap();
    let root = s.shell("id -u").await;
    let directory = format!(
        "/var/tmp/sasrun-{}/jobs/{}",
        root.stdout.text().trim(),
        request.id
    );
    let mode = s.shell(&format!("ls -ld {directory} | cut -c1-10")).await;
    assert_eq!(mode.stdout.text(), "drwx------\n");
    // The host was booted since: the process of that number is another one now.
    s.shell(&format!(
        "cd {directory}; cp pid real; sed 's/setsid .*/setsid another-boot/' real >pid"
    ))
    .await;
    assert_eq!(look(s, &request.id).await.state, JobState::Rebooted);
    s.shell(&format!("cd {directory}; cp real pid; kill -9 {pid}"))
        .await;
    let mut view = look(s, &request.id).await;
    let begun = Instant::now();
    while view.state == JobState::Running && begun.elapsed() < Duration::from_secs(5) {
        view = look(s, &request.id).await;
    }
    assert_eq!(view.state, JobState::Gone);
    assert!(view.is_leaving_processes, "the sleep is still there");
    assert_eq!(
        s.connection
            .stop_job(&s.identity, &request.id)
            .await
            .unwrap(),
        JobStop::Ended
    );
    assert!(!look(s, &request.id).await.is_leaving_processes);
    // A number that was given to somebody else is not taken for the job.
    s.shell(&format!("cd {directory}; sed 's/^[0-9]* 1/1 0/' real >pid"))
        .await;
    assert_eq!(look(s, &request.id).await.state, JobState::Gone);
    assert_eq!(
        s.connection
            .stop_job(&s.identity, &request.id)
            .await
            .unwrap(),
        JobStop::NotRunning
    );
    assert!(remove(s, &request.id).await);
}

pub async fn a_settled_job_never_begins(s: &Subject) {
    let file = s.path("ran");
    let request = request(Command::shell(format!("echo x >>{file}")));
    // As if the connection had been lost right after the name was taken.
    let user = s.shell("id -u").await;
    let directory = format!(
        "/var/tmp/sasrun-{}/jobs/{}",
        user.stdout.text().trim(),
        request.id
    );
    s.shell(&format!("umask 077; mkdir -p {directory}")).await;
    assert_eq!(look(s, &request.id).await.state, JobState::Starting);
    assert_eq!(
        s.connection.start_job(&s.identity, &request).await.unwrap(),
        JobStart::Taken
    );
    let settled = s
        .connection
        .settle_job(&s.identity, &request.id)
        .await
        .unwrap();
    assert_eq!(settled.state, JobState::Absent);
    assert!(!std::path::Path::new(&file).exists());
    assert!(remove(s, &request.id).await);
    let start = s
        .connection
        .ensure_job(&s.identity, &request, &Patience::default())
        .await;
    assert_eq!(start.unwrap(), JobStart::Begun);
    follow(s, &request.id, JobOffsets::default()).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "x\n");
    // One that has begun is not settled away.
    let settled = s
        .connection
        .settle_job(&s.identity, &request.id)
        .await
        .unwrap();
    assert_eq!(settled.state, JobState::Finished(ExitStatus::Code(0)));
    assert!(remove(s, &request.id).await);
}

pub async fn jobs_are_listed(s: &Subject) {
    let request = request(Command::shell(
        "echo first; echo last words; echo; sleep 600",
    ));
    s.connection.start_job(&s.identity, &request).await.unwrap();
    let id = request.id.as_str();
    let mut found = None;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        let jobs = s.connection.list_jobs(&s.identity).await.unwrap();
        found = jobs
            .into_iter()
            .find(|job| job.id == id && job.last_line == "last words");
        if found
            .as_ref()
            .is_some_and(|job| job.view.state == JobState::Running)
        {
            break;
        }
    }
    let found = found.unwrap();
    assert_eq!(found.view.state, JobState::Running);
    assert_eq!(
        (found.word("run"), found.word("step")),
        ("a test", "it's this")
    );
    s.connection
        .stop_job(&s.identity, &request.id)
        .await
        .unwrap();
    assert!(remove(s, &request.id).await);
}

/// Living processes of a group.
fn processes_of_group(group: u32) -> usize {
    let group = group.to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("stat")).ok())
        .filter_map(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()))
        .filter(|rest| !rest.starts_with('Z') && rest.split(' ').nth(2) == Some(&group))
        .count()
}
