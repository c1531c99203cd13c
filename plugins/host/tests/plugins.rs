//! Real plugins in real processes: those that behave, and each way of not behaving.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sasrun_plugin::{
    Answer, Call, CommandOutput, Failure, InventoryRequest, InventorySource, Marked, MarkedEntry,
    MarkedValue, Object, Outcome, ReadAnswer, Request, Step,
};
use sasrun_plugin_host::{Limits, Plugin, PluginError, PluginFile, RemoteConversation, discover};

const LIMITS: Limits = Limits {
    greeting: Duration::from_secs(10),
    step: Duration::from_secs(2),
    apply: Duration::from_secs(2),
};

fn child() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sasrun-plugin-host"))
}

/// A directory that only its owner can write to, with the library in it.
fn installed(library: &str) -> (tempfile::TempDir, PluginFile) {
    let built = std::env::current_exe().unwrap();
    let built = built.parent().unwrap().parent().unwrap();
    let built = built.join("examples").join(library);
    let directory = private();
    let path = directory.path().join(library);
    fs::copy(built, &path).unwrap();
    (directory, PluginFile::at(&path).unwrap())
}

fn private() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn script(text: &str) -> (tempfile::TempDir, PluginFile) {
    let directory = private();
    let path = directory.path().join("plugin.sh");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    (directory, PluginFile::at(&path).unwrap())
}

fn misbehaving() -> (tempfile::TempDir, Plugin) {
    let (directory, file) = installed("libmisbehaving.so");
    (
        directory,
        Plugin::start_within(file, child(), LIMITS).unwrap(),
    )
}

fn begin(plugin: &Plugin, module: &str) -> RemoteConversation {
    let found = plugin.modules.iter().find(|m| m.spec().name == module);
    found.unwrap().start(Call {
        module: module.into(),
        arguments: Object::new(),
        check_mode: false,
        diff: false,
        host: "h1".into(),
        variables: Object::new(),
    })
}

fn answered(stdout: &str) -> Option<Answer> {
    Some(Answer::Reads {
        reads: vec![ReadAnswer::Command(CommandOutput {
            stdout: stdout.into(),
            ..CommandOutput::default()
        })],
    })
}

async fn run(
    mut conversation: RemoteConversation,
) -> Result<Result<Outcome, Failure>, PluginError> {
    let mut answer = None;
    for _ in 0..10 {
        match conversation.next(answer.take()).await? {
            Step::Ask {
                request: Request::Read { .. },
            } => answer = answered("somewhere"),
            Step::Ask { .. } => answer = Some(Answer::Done),
            Step::Done { outcome } => return Ok(Ok(outcome)),
            Step::Failed { failure } => return Ok(Err(failure)),
        }
    }
    panic!("the conversation does not end")
}

#[tokio::test]
async fn a_library_offers_all_it_may() {
    let (_directory, plugin) = misbehaving();
    assert_eq!((&*plugin.name, &*plugin.version), ("misbehaving", "1.0"));
    assert_eq!(plugin.file.sha256.len(), 64);
    let outcome = run(begin(&plugin, "behaves")).await.unwrap().unwrap();
    assert_eq!(outcome.result["said"], "somewhere");
    assert_eq!(outcome.result["host"], "h1");
    let shout = &plugin.filters[0];
    assert_eq!(shout.name(), "shout");
    assert_eq!(shout.apply(&"hello".into(), &[]).unwrap(), "HELLO");
    assert!(plugin.tests[0].apply(&"HELLO".into(), &[]).unwrap());
    assert!(!plugin.tests[0].apply(&"hello".into(), &[]).unwrap());
}

fn marked(value: MarkedValue) -> Marked {
    Marked {
        line: 2,
        column: 3,
        value,
    }
}

#[test]
fn an_inventory_source_reads_a_document() {
    let (_directory, plugin) = misbehaving();
    let hosts = vec![marked(MarkedValue::Text("web1".into()))];
    let entry = MarkedEntry {
        key: marked(MarkedValue::Text("hosts".into())),
        value: marked(MarkedValue::List(hosts)),
    };
    let result = plugin.inventory_sources[0].read(&InventoryRequest {
        source: "lines".into(),
        path: "hosts.yml".into(),
        document: marked(MarkedValue::Map(vec![entry])),
    });
    assert!(result.problems.is_empty(), "{:?}", result.problems);
    assert_eq!(result.groups["all"].hosts, ["web1"]);
}

#[tokio::test]
async fn many_conversations_go_on_at_once() {
    let (_directory, plugin) = misbehaving();
    let mut talks: Vec<_> = (0..50).map(|_| begin(&plugin, "behaves")).collect();
    for talk in &mut talks {
        assert!(matches!(talk.next(None).await, Ok(Step::Ask { .. })));
    }
    for (number, talk) in talks.iter_mut().enumerate().rev() {
        let Ok(Step::Done { outcome }) = talk.next(answered(&number.to_string())).await else {
            panic!("not done")
        };
        assert_eq!(outcome.result["said"], number.to_string());
    }
}

#[tokio::test]
async fn a_panic_fails_that_task_alone() {
    let (_directory, plugin) = misbehaving();
    let mut other = begin(&plugin, "behaves");
    other.next(None).await.unwrap();
    let failure = run(begin(&plugin, "panics")).await.unwrap().unwrap_err();
    assert_eq!(
        failure.msg,
        "the plugin panicked: the module lost its nerve"
    );
    let step = other.next(answered("x")).await.unwrap();
    assert!(matches!(step, Step::Done { .. }), "{step:?}");
    let error = plugin.filters[1].apply(&"a".into(), &[]).unwrap_err();
    assert!(
        error.message.contains("the filter lost its nerve"),
        "{error}"
    );
}

#[tokio::test]
async fn a_hang_fails_that_task_alone() {
    let (_directory, plugin) = misbehaving();
    let mut other = begin(&plugin, "behaves");
    other.next(None).await.unwrap();
    let began = Instant::now();
    let error = run(begin(&plugin, "hangs")).await.unwrap_err();
    assert!(matches!(error, PluginError::TimedOut { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
    let step = other.next(answered("x")).await.unwrap();
    assert!(matches!(step, Step::Done { .. }), "{step:?}");
    let outcome = run(begin(&plugin, "behaves")).await.unwrap();
    assert!(outcome.is_ok(), "a new process serves who comes later");
    let error = plugin.filters[2].apply(&"a".into(), &[]).unwrap_err();
    assert!(error.message.contains("did not answer"), "{error}");
}

#[tokio::test]
async fn a_crash_is_told_and_survived() {
    let (_directory, plugin) = misbehaving();
    let error = run(begin(&plugin, "aborts")).await.unwrap_err();
    assert!(
        matches!(&error, PluginError::Died { status, .. } if status.contains("signal 6")),
        "{error}"
    );
    assert!(run(begin(&plugin, "behaves")).await.unwrap().is_ok());
}

#[tokio::test]
async fn what_a_library_prints_does_no_harm() {
    let (_directory, plugin) = misbehaving();
    let outcome = run(begin(&plugin, "prints")).await.unwrap().unwrap();
    assert!(outcome.changed);
}

#[tokio::test]
async fn a_library_that_changed_is_not_started_again() {
    let (_directory, plugin) = misbehaving();
    run(begin(&plugin, "aborts")).await.unwrap_err();
    fs::remove_file(&plugin.file.path).unwrap();
    fs::write(&plugin.file.path, "another").unwrap();
    let error = run(begin(&plugin, "behaves")).await.unwrap_err();
    assert!(matches!(error, PluginError::Changed { .. }), "{error}");
}

fn refusal(file: PluginFile) -> PluginError {
    match Plugin::start_within(file, child(), LIMITS) {
        Ok(plugin) => panic!("{} was taken", plugin.name),
        Err(error) => error,
    }
}

#[test]
fn a_library_of_another_version_is_refused() {
    let (_directory, file) = installed("libfrom_the_future.so");
    let error = refusal(file);
    assert!(
        matches!(
            error,
            PluginError::WrongVersion {
                theirs: 99,
                ours: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let directory = private();
    let path = directory.path().join("libtext.so");
    fs::write(&path, "text").unwrap();
    let error = refusal(PluginFile::at(&path).unwrap());
    assert!(
        matches!(&error, PluginError::Unusable { reason, .. } if reason.contains("cannot be loaded")),
        "{error}"
    );
}

#[test]
fn an_executable_of_another_version_is_refused() {
    let (_directory, file) = script("#!/bin/sh\nread l\necho '{\"hello\":{\"protocol\":2}}'\n");
    let error = refusal(file);
    assert!(
        matches!(error, PluginError::WrongVersion { theirs: 2, .. }),
        "{error}"
    );
}

#[test]
fn an_executable_that_prints_garbage_is_refused() {
    let (_directory, file) = script("#!/bin/sh\necho Welcome to my plugin\nsleep 100\n");
    let error = refusal(file);
    assert!(
        matches!(&error, PluginError::Garbage { line, .. } if line == "Welcome to my plugin"),
        "{error}"
    );
}

#[test]
fn an_executable_that_ends_is_refused_with_what_it_said() {
    let (_directory, file) = script("#!/bin/sh\nread l\necho no licence >&2\nexit 3\n");
    let error = refusal(file);
    assert!(
        matches!(&error, PluginError::Died { status, stderr, .. }
            if status == "exit status 3" && stderr == "no licence"),
        "{error}"
    );
}

#[test]
fn an_executable_that_says_nothing_is_given_up() {
    let (_directory, file) = script("#!/bin/sh\nsleep 100\n");
    let limits = Limits {
        greeting: Duration::from_millis(300),
        ..LIMITS
    };
    let error = Plugin::start_within(file, child(), limits).map(|plugin| plugin.name);
    assert!(
        matches!(error, Err(PluginError::TimedOut { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_executable_in_sh_talks() {
    let plugins = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/plugins");
    let directory = private();
    fs::copy(plugins.join("hello.sh"), directory.path().join("hello.sh")).unwrap();
    let found = discover(&[directory.path().to_owned()]).unwrap();
    let plugin = Plugin::start(found[0].clone(), child()).unwrap();
    assert_eq!(plugin.name, "hello-sh");
    let mut talk = plugin.modules[0].start(Call {
        module: "sh_greeting".into(),
        arguments: serde_json::from_str(r#"{"name":"O\"Brien"}"#).unwrap(),
        check_mode: false,
        diff: false,
        host: "h1".into(),
        variables: Object::new(),
    });
    let step = talk.next(None).await.unwrap();
    assert!(
        matches!(&step, Step::Ask { request: Request::Read { reads } } if reads.len() == 1),
        "{step:?}"
    );
    let Step::Done { outcome } = talk.next(answered("operator\n")).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(outcome.result["greeting"], "Hello, O\"Brien");
    assert!(!outcome.changed);
    let value = plugin.filters[0].apply(&"a b".into(), &[]).unwrap();
    assert_eq!(value, "<a b>");
    assert!(plugin.tests[0].apply(&"Hello, you".into(), &[]).unwrap());
    assert!(!plugin.tests[0].apply(&"Goodbye".into(), &[]).unwrap());
    assert!(plugin.filters[0].apply(&5.into(), &[]).is_err());
}

/// Builds `plugins/hello`, a workspace of its own, as its README says.
fn hello() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../hello/Cargo.toml");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hello");
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success());
    target.join("debug/libhello.so")
}

#[tokio::test]
async fn a_plugin_of_another_workspace_talks() {
    let directory = private();
    let path = directory.path().join("libhello.so");
    fs::copy(hello(), &path).unwrap();
    let plugin = Plugin::start(PluginFile::at(&path).unwrap(), child()).unwrap();
    assert_eq!(plugin.name, "hello");
    let mut talk = plugin.modules[0].start(Call {
        module: "hello".into(),
        arguments: serde_json::from_str(r#"{"path":"/tmp/x","name":"you"}"#).unwrap(),
        check_mode: false,
        diff: true,
        host: "h1".into(),
        variables: Object::new(),
    });
    assert!(matches!(talk.next(None).await, Ok(Step::Ask { .. })));
    let step = talk.next(answered("Hello, me\n")).await.unwrap();
    let Step::Ask {
        request: Request::Declare { declaration },
    } = step
    else {
        panic!("{step:?}")
    };
    assert_eq!(declaration.diff[0].after, "Hello, you\n");
    assert_eq!(
        plugin.filters[0]
            .apply(&"hi".into(), &["?".into()])
            .unwrap(),
        "HI?"
    );
    assert!(plugin.tests[0].apply(&"Hello, you".into(), &[]).unwrap());
    assert_eq!(plugin.inventory_sources[0].name(), "hello_hosts");
    let problems = plugin.inventory_sources[0]
        .read(&InventoryRequest {
            source: "hello_hosts".into(),
            path: "hosts.yml".into(),
            document: marked(MarkedValue::Map(vec![])),
        })
        .problems;
    assert_eq!((problems[0].line, problems[0].column), (2, 3));
}

#[test]
fn the_documents_show_the_plugin_in_sh_as_it_is() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = fs::read_to_string(root.join("docs/plugins.md")).unwrap();
    let plugin = fs::read_to_string(root.join("tests/fixtures/plugins/hello.sh")).unwrap();
    assert!(document.contains(&plugin));
}
