//! Real mounts: bind mounts and loop-mounted images, in a mount namespace of the test's own.
//!
//! Where this user may not make such a namespace, or no loop device, a test says so and does
//! nothing.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sasrun_plugin::rehearsal::{End, Rehearsal, call, here, rehearse};
use sasrun_plugin::{Answer, Change, Failure, Host, Module, Outcome, Read, Request};
use serde_json::{Value, json};

/// A mount namespace, kept by a process, and a directory for the test's files.
struct Namespace {
    keeper: Child,
    enter: String,
    directory: tempfile::TempDir,
}

impl Namespace {
    fn new() -> Option<Self> {
        let root = own_id() == "0";
        let mut keeper = Command::new("unshare")
            .args(if root { &["-m"][..] } else { &["-m", "-r"] })
            .args([
                "--propagation",
                "private",
                "sh",
                "-c",
                "echo ready; exec sleep 600",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take()?)
            .read_line(&mut line)
            .ok()?;
        let user = if root {
            ""
        } else {
            "-U --preserve-credentials "
        };
        let namespace = Self {
            enter: format!("exec nsenter -t {} {user}-m /bin/sh -c ", keeper.id()),
            keeper,
            directory: tempfile::tempdir().unwrap(),
        };
        if line != "ready\n" {
            eprintln!("SKIPPED: this user may not make a mount namespace");
            return None;
        }
        Some(namespace)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A directory that holds a medium.
    fn medium(&self, name: &str, label: &str, installers: &[&str]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("LABEL"), format!("{label}\n")).unwrap();
        for place in installers {
            let directory = path.join(place);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("upgrade_opsware.sh"), "#!/bin/sh\n").unwrap();
        }
        path
    }

    /// Runs shell text in the namespace.
    fn run(&self, script: &str) -> bool {
        let script = self.inside(script);
        let status = Command::new("/bin/sh").args(["-c", &script]).status();
        status.is_ok_and(|status| status.success())
    }

    fn inside(&self, script: &str) -> String {
        format!("{}{}", self.enter, Host::quote(script))
    }

    /// Answers a request in the namespace.
    fn answer(&self, request: &Request) -> Answer {
        let mut request = request.clone();
        match &mut request {
            Request::Read { reads } => {
                for read in reads {
                    if let Read::Command(command) = read {
                        command.script = self.inside(&command.script);
                    }
                }
            }
            Request::Change { changes } => {
                for change in changes {
                    if let Change::Command(command) = change {
                        command.script = self.inside(&command.script);
                    }
                }
            }
            _ => {}
        }
        here(&request)
    }

    fn rehearse(&self, arguments: Value) -> Rehearsal {
        with_module(|module| rehearse(module, call(arguments), |request| self.answer(request)))
    }

    fn done(&self, arguments: Value) -> Outcome {
        match self.rehearse(arguments).end {
            End::Done(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn failed(&self, arguments: Value) -> Failure {
        match self.rehearse(arguments).end {
            End::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn is_mounted(&self, path: &str) -> bool {
        self.run(&format!("grep -q ' {path} ' /proc/mounts"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The mounts go with the last process of the namespace.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn own_id() -> String {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn with_module<T>(body: impl FnOnce(&dyn Module) -> T) -> T {
    let library = media::library();
    let modules = library.modules();
    body(
        &**modules
            .iter()
            .find(|module| module.spec().name == "media_mount")
            .unwrap(),
    )
}

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

const PRIMARY: &str = "Opsware SAS 6.61 - Product Software";
const UPLOAD: &str = "Opsware SAS 6.61 - Agent and Utilities";

#[test]
fn a_bind_mount_is_made_once_and_taken_off() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let source = namespace.medium("depot", PRIMARY, &["disk001/opsware_installer"]);
    let point = text(&namespace.path("mnt"));
    let mounted = json!({
        "kind": "bind", "source": source, "path": point, "medium": "primary", "version": "6.61",
    });

    let mut check = call(mounted.clone());
    check.check_mode = true;
    let foreseen =
        with_module(|module| rehearse(module, check, |request| namespace.answer(request)));
    assert!(matches!(foreseen.end, End::WouldChange(_)), "{foreseen:?}");
    assert!(!namespace.is_mounted(&point));

    let outcome = namespace.done(mounted.clone());
    assert!(outcome.changed);
    assert_eq!(outcome.result["label"], PRIMARY);
    assert_eq!(outcome.result["dist"], format!("{point}/disk001"));
    assert!(namespace.is_mounted(&point));
    assert!(
        !namespace.run(&format!("touch {point}/new")),
        "it must be read-only"
    );
    assert!(namespace.run(&format!("touch {}/new", text(&source))));

    assert!(
        !namespace.done(mounted).changed,
        "the second time it is there already"
    );

    let unmounted = json!({"path": point, "state": "unmounted"});
    assert!(namespace.done(unmounted.clone()).changed);
    assert!(!namespace.is_mounted(&point));
    assert!(!namespace.done(unmounted).changed);
}

#[test]
fn what_is_there_and_wrong_is_left_alone() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let primary = namespace.medium("primary", PRIMARY, &["opsware_installer"]);
    let upload = namespace.medium("upload", UPLOAD, &["opsware_installer"]);
    let point = text(&namespace.path("mnt"));
    namespace.done(json!({"kind": "bind", "source": upload, "path": point, "medium": "upload"}));
    let failure = namespace
        .failed(json!({"kind": "bind", "source": primary, "path": point, "medium": "primary"}));
    assert!(failure.msg.contains("left as it is"), "{}", failure.msg);
    assert!(failure.msg.contains(UPLOAD), "{}", failure.msg);
    let failure = namespace
        .failed(json!({"kind": "bind", "source": primary, "path": point, "state": "unmounted"}));
    assert!(failure.msg.contains("left as it is"), "{}", failure.msg);
    assert!(namespace.is_mounted(&point));
}

#[test]
fn a_wrong_medium_is_taken_off_again() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let cases = [
        (
            namespace.medium("wrong", UPLOAD, &["opsware_installer"]),
            "not \"Product Software\"",
        ),
        (
            namespace.medium(
                "old",
                "Opsware SAS 6.5 - Product Software",
                &["opsware_installer"],
            ),
            "6.61",
        ),
        (
            namespace.medium(
                "both",
                PRIMARY,
                &["opsware_installer", "disk001/opsware_installer"],
            ),
            "which installer",
        ),
        (
            namespace.medium("none", PRIMARY, &[]),
            "there is no upgrade_opsware.sh",
        ),
    ];
    let point = text(&namespace.path("mnt"));
    for (source, complaint) in cases {
        let failure = namespace.failed(json!({
            "kind": "bind", "source": source, "path": point, "medium": "primary", "version": "6.61",
        }));
        assert!(failure.msg.contains(complaint), "{}", failure.msg);
        assert!(failure.msg.contains("unmounted again"), "{}", failure.msg);
        assert!(!namespace.is_mounted(&point));
    }
}

#[test]
fn a_source_that_is_not_there_is_said() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let point = text(&namespace.path("mnt"));
    let failure =
        namespace.failed(json!({"kind": "bind", "source": "/no/such/place", "path": point}));
    assert!(
        failure.msg.contains("the source is not there"),
        "{}",
        failure.msg
    );
    assert!(!namespace.path("mnt").exists(), "nothing is left behind");
}

/// A process that sits in a directory of the namespace until it is dropped.
struct Sitter(Child);

impl Drop for Sitter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sitter(namespace: &Namespace, directory: &str) -> Sitter {
    let script = namespace.inside(&format!("cd {directory} && echo there && exec sleep 300"));
    let mut sitter = Sitter(
        Command::new("/bin/sh")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(sitter.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "there\n");
    sitter
}

#[test]
fn a_busy_file_system_is_held_by_somebody_with_a_name() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let source = namespace.medium("audit", "audit", &[]);
    let point = text(&namespace.path("mnt.d"));
    let plain = json!({"kind": "bind", "source": source, "path": point, "installer": ""});
    namespace.done(plain);
    let shell = sitter(&namespace, &point);

    let off = json!({"path": point, "state": "unmounted", "limit": 2, "interval": 1});
    let rehearsal = namespace.rehearse(off.clone());
    let End::Failed(failure) = &rehearsal.end else {
        panic!("{rehearsal:?}")
    };
    assert!(failure.msg.contains("sleep 300"), "{}", failure.msg);
    assert!(
        failure.msg.contains(&shell.0.id().to_string()),
        "{}",
        failure.msg
    );
    assert_eq!(
        failure.result["holders"].as_array().unwrap().len(),
        1,
        "nobody else is named"
    );
    assert!(namespace.is_mounted(&point), "never forced");
    let tries = rehearsal
        .requests
        .iter()
        .filter(|request| matches!(request, Request::Change { .. }));
    assert_eq!(tries.count(), 3, "at once, and after each of two waits");

    let mut shell = Some(shell);
    // Once the holder is gone the next try succeeds.
    let end = with_module(|module| {
        rehearse(module, call(off), |request| {
            if matches!(request, Request::Sleep { .. }) {
                shell.take();
            }
            namespace.answer(request)
        })
        .end
    });
    assert!(
        matches!(&end, End::Done(outcome) if outcome.changed),
        "{end:?}"
    );
    assert!(!namespace.is_mounted(&point));
}

#[test]
fn an_image_is_mounted_by_a_loop_device() {
    if own_id() != "0" || !PathBuf::from("/dev/loop-control").exists() {
        eprintln!("SKIPPED: loop devices need root and the kernel's support");
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let tree = namespace.medium("tree", UPLOAD, &["opsware_installer"]);
    let image = text(&namespace.path("upload.img"));
    let made = Command::new("mkfs.ext4")
        .args(["-q", "-d", &text(&tree), &image, "4M"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no mkfs.ext4 that can fill an image");
        return;
    }
    let point = text(&namespace.path("mnt"));
    let mounted = json!({"kind": "image", "source": image, "path": point, "medium": "upload"});
    let rehearsal = namespace.rehearse(mounted.clone());
    if let End::Failed(failure) = &rehearsal.end
        && failure.msg.contains("loop device")
    {
        eprintln!("SKIPPED: no loop device can be had here: {}", failure.msg);
        return;
    }
    assert!(
        matches!(&rehearsal.end, End::Done(outcome) if outcome.changed),
        "{rehearsal:?}"
    );
    let again = namespace.done(mounted);
    assert!(!again.changed);
    assert_eq!(
        again.result["installer"],
        format!("{point}/opsware_installer/upgrade_opsware.sh")
    );

    // The same image under another mount point is taken where it is.
    let other = text(&namespace.path("other"));
    let elsewhere = namespace
        .done(json!({"kind": "image", "source": image, "path": other, "medium": "upload"}));
    assert!(!elsewhere.changed);
    assert_eq!(elsewhere.result["path"], point);

    assert!(
        namespace
            .done(json!({"path": point, "state": "unmounted"}))
            .changed
    );
}
