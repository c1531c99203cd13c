//! Labs come up, keep apart, and leave nothing behind when they go.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saslab::lab::control;
use saslab::lab::options::Running;
use saslab::lab::trial::{Trial, free_port};
use saslab::paths::StateDir;
use saslab::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_saslab");

fn mesh() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml")
}

/// Whether a process of this number runs; the dead that nobody has buried yet do not.
fn runs(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| !status.lines().any(|line| line.starts_with("State:\tZ")))
}

fn pids(running: &Running) -> Vec<i32> {
    let hosts = running
        .hosts
        .values()
        .flat_map(|host| [Some(host.keeper_pid), host.init_pid])
        .flatten();
    hosts.chain([running.supervisor_pid]).collect()
}

/// Every process of the host whose first process this is.
fn inhabitants(init: i32) -> Vec<i32> {
    let space = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = space(init);
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| own.is_some() && space(*pid) == own)
        .collect()
}

fn mounted_below(dir: &Path) -> bool {
    std::fs::read_to_string("/proc/self/mounts")
        .unwrap()
        .contains(dir.to_str().unwrap())
}

#[test]
fn every_host_has_its_own_name_processes_and_ports() {
    let lab = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    assert_eq!(lab.running.hosts.len(), 9);
    for host in lab.running.hosts.keys() {
        let output = lab
            .exec(host, "uname -n; ls -d /etc/init.d; echo $$")
            .unwrap();
        assert_eq!(
            output.status,
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            output.text().starts_with(&format!("{host}\n/etc/init.d\n")),
            "{}",
            output.text()
        );
    }
    let sockets = lab.exec("a1", "cat /proc/net/tcp").unwrap().text();
    assert!(
        !sockets.contains("02013D7F:"),
        "a1 sees the sockets of a2:\n{sockets}"
    );
    let reached = lab
        .exec(
            "a1",
            &format!(
                "bash -c 'exec 3<>/dev/tcp/a2/{} && head -n 1 <&3'",
                lab.port
            ),
        )
        .unwrap();
    assert!(reached.text().starts_with("SSH-2.0"), "{reached:?}");
}

#[test]
fn a_lab_that_goes_leaves_no_process_and_no_mount() {
    let lab = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    lab.exec("a1", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &")
        .unwrap();
    let inside = inhabitants(lab.running.hosts["a1"].init_pid.unwrap());
    assert!(
        inside.len() > 2,
        "the background process is not among {inside:?}"
    );
    let (running, dir) = (lab.running.clone(), lab.state.path().to_owned());
    assert!(pids(&running).into_iter().all(runs));
    assert!(
        !mounted_below(&dir),
        "a mount of the lab reaches the machine"
    );
    assert!(control::down(&lab.state).unwrap());
    let left: Vec<_> = pids(&running)
        .into_iter()
        .chain(inside)
        .filter(|pid| runs(*pid))
        .collect();
    assert!(left.is_empty(), "{left:?} still run");
    assert!(!mounted_below(&dir));
    assert!(!control::down(&lab.state).unwrap(), "it was down already");
    assert!(dir.join("hosts/a1/etc/hosts").exists(), "its files stay");
}

#[test]
fn a_lab_ends_with_its_supervisor_however_that_ends() {
    let lab = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    let killed = Command::new("kill")
        .args(["-9", &lab.running.supervisor_pid.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let all = pids(&lab.running);
    for _ in 0..500 {
        if !all.iter().any(|pid| runs(*pid)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("processes outlive the supervisor: {all:?}");
}

#[test]
fn two_labs_at_once_do_not_see_each_other() {
    let one = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    let two = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    one.exec("a1", "echo one > /root/mark").unwrap();
    assert_eq!(two.exec("a1", "cat /root/mark").unwrap().status, Some(1));
    assert_eq!(one.exec("a1", "cat /root/mark").unwrap().text(), "one\n");
    drop(one);
    assert_eq!(two.exec("a1", "echo alive").unwrap().text(), "alive\n");
}

#[test]
fn a_running_lab_is_not_started_again() {
    let lab = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    let again = saslab(&[
        "up",
        "-i",
        mesh().to_str().unwrap(),
        "--state",
        lab.state.path().to_str().unwrap(),
    ]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("runs in"),
        "{again:?}"
    );
    assert_eq!(lab.exec("a1", "echo alive").unwrap().text(), "alive\n");
}

#[test]
fn a_reboot_ends_what_ran_and_keeps_the_files() {
    let lab = Trial::start(Path::new(PROGRAM), &mesh(), "").unwrap();
    lab.exec(
        "b1",
        "echo x > /root/mark; setsid sleep 2000 >/dev/null 2>&1 </dev/null &",
    )
    .unwrap();
    control::ask(&lab.state, "reboot b1").unwrap();
    let after = lab
        .exec("b1", "cat /root/mark; ps -ef | grep -c '[s]leep 2000'")
        .unwrap();
    assert_eq!(after.text(), "x\n0\n");
    assert!(
        control::ask(&lab.state, "reboot nobody")
            .unwrap_err()
            .to_string()
            .contains("nobody")
    );
}

#[test]
fn wrong_inventories_and_scenarios_are_refused_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("lab");
    let scenario = dir.path().join("s.yml");
    std::fs::write(&scenario, "hosts: {a1: {ssh: {refuze: true}}}\n").unwrap();
    let (mesh, state) = (mesh().display().to_string(), state.display().to_string());
    let scenario = scenario.display().to_string();
    for (args, wanted) in [
        (
            vec!["up", "-i", "/nonexistent.yml", "--state", &state],
            "cannot read",
        ),
        (
            vec![
                "up",
                "-i",
                &mesh,
                "--state",
                &state,
                "--scenario",
                &scenario,
            ],
            "refuze",
        ),
    ] {
        let output = saslab(&args);
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(wanted), "{stderr}");
        assert!(!Path::new(&state).exists());
    }
}

fn saslab(args: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(args)
        .env_remove("LAB_SSHD")
        .output()
        .unwrap()
}

/// As root, the whole round once more as a plain user; a plain user has had it in the other tests.
#[test]
fn a_plain_user_can_have_a_lab() {
    let nobody = 65534;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: the other tests ran as a plain user already");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(dir.path(), Some(nobody), Some(nobody)).unwrap();
    let (program, inventory) = (dir.path().join("saslab"), dir.path().join("mesh.yml"));
    std::fs::copy(PROGRAM, &program).unwrap();
    std::fs::copy(mesh(), &inventory).unwrap();
    let port = free_port(&World::read(&inventory, None).unwrap())
        .unwrap()
        .to_string();
    let state = dir.path().join("lab");
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(args)
            .arg("--state")
            .arg(&state)
            .current_dir("/")
            .uid(nobody)
            .gid(nobody);
        command.stdin(std::process::Stdio::null()).output().unwrap()
    };
    let up = run(&["up", "-i", inventory.to_str().unwrap(), "--port", &port]);
    if String::from_utf8_lossy(&up.stderr).contains("cannot make namespaces") {
        eprintln!("skipped: this machine has no user namespaces for plain users");
        return;
    }
    assert!(
        up.status.success(),
        "{}",
        String::from_utf8_lossy(&up.stderr)
    );
    let running = Running::read(&StateDir::new(&state)).unwrap();
    let command = "id -un; su - oracle -c 'id -un'; touch /root/x && echo can write; touch /usr/lib/x; uname -n";
    let mut exec = Command::new(&program);
    exec.arg("exec")
        .arg("--state")
        .arg(&state)
        .args(["c1", command])
        .uid(nobody)
        .gid(nobody);
    let output = exec.stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text, "root\noracle\ncan write\nc1\n", "{output:?}");
    assert!(run(&["snapshot"]).status.success());
    assert!(run(&["down"]).status.success());
    assert!(!pids(&running).into_iter().any(runs));
}
