//! Jobs: commands that outlive the connection and the run that began them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use sasrun_endtoend::Site;

const HOSTS: &str = "all: {hosts: {h1: {}, h2: {}}, vars: {ansible_connection: local}}\n";

fn site(tasks: &str) -> Site {
    let site = Site::new();
    site.file("hosts.yml", HOSTS);
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let play = format!("- hosts: h1\n  gather_facts: false\n  tasks:\n{indented}");
    site.file("play.yml", &play);
    site
}

fn run(tasks: &str) -> (Site, sasrun_endtoend::Ended) {
    let site = site(tasks);
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    (site, ended)
}

/// The result of the n-th task.
fn result(ended: &sasrun_endtoend::Ended, number: usize) -> serde_json::Value {
    let finished = ended
        .events
        .iter()
        .filter(|e| e["event"] == "host_finished");
    let event = finished.clone().nth(number);
    event.unwrap_or_else(|| panic!("{}", ended.said()))["outcome"]["result"].clone()
}

fn folder_of(job: &str) -> std::path::PathBuf {
    use std::os::unix::fs::MetadataExt;
    let user = std::fs::metadata("/proc/self").unwrap().uid();
    format!("/var/tmp/sasrun-{user}/jobs/{job}").into()
}

#[test]
fn tasks_in_the_background_tell_what_ansible_tells() {
    let (_site, ended) = run(r#"- shell: "echo out; echo err >&2; exit 3"
  async: 30
  poll: 1
  ignore_errors: true
- shell: "echo $WHO; cat"
  args: {stdin: given}
  environment: {WHO: me}
  async: 30
  poll: 0
  register: left
- async_status: {jid: "{{ left.ansible_job_id }}"}
  register: done
  until: done is finished
  retries: 60
  delay: 0.1
- async_status: {jid: "{{ left.ansible_job_id }}"}
- async_status: {jid: "{{ left.ansible_job_id }}", mode: cleanup}
- async_status: {jid: "{{ left.ansible_job_id }}"}
  ignore_errors: true
- command: sleep 60
  async: 1
  poll: 1
  ignore_errors: true
- ping:
  async: 10
  poll: 0
  register: pong
- async_status: {jid: "{{ pong.ansible_job_id }}"}
- command: echo whole
  job: true
"#);
    ended.exits(0);
    let waited = result(&ended, 0);
    assert_eq!(waited["rc"], 3);
    assert_eq!(
        (&waited["stdout"], &waited["stderr"]),
        (&"out".into(), &"err".into())
    );
    assert_eq!(
        (&waited["started"], &waited["finished"]),
        (&true.into(), &true.into())
    );
    let left = result(&ended, 1);
    assert_eq!(
        (&left["started"], &left["finished"]),
        (&true.into(), &false.into())
    );
    assert_eq!(left["changed"], true);
    let done = result(&ended, 2);
    assert_eq!(done["ansible_job_id"], left["ansible_job_id"]);
    assert_eq!(done["stdout_lines"], serde_json::json!(["me", "given"]));
    assert_eq!(done["cmd"], "echo $WHO; cat");
    assert_eq!(result(&ended, 3)["stdout"], done["stdout"]);
    assert!(result(&ended, 4)["erased"].is_string());
    let gone = result(&ended, 5);
    assert_eq!(
        (&gone["msg"], &gone["finished"]),
        (&"could not find job".into(), &true.into())
    );
    let late = result(&ended, 6);
    assert_eq!(
        late["msg"],
        "async task did not complete within the requested time - 1s"
    );
    assert_eq!(result(&ended, 8)["ping"], "pong");
    assert_eq!(result(&ended, 9)["stdout"], "whole");
    for number in [0, 1, 6] {
        let job = result(&ended, number)["ansible_job_id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(!folder_of(&job).exists(), "task {number} left its job");
    }
}

#[test]
fn scripts_and_loops_run_in_the_background() {
    let site = site(
        r#"- script: one.sh {{ item }}
  loop: [a, b]
  async: 30
  poll: 0
  register: left
- async_status: {jid: "{{ item.ansible_job_id }}"}
  loop: "{{ left.results }}"
  loop_control: {label: "{{ item.item }}"}
  register: done
  until: done is finished
  retries: 60
  delay: 0.1
- debug: {msg: "{{ done.results | map(attribute='stdout') | join(' ') }}"}
"#,
    );
    site.executable("files/one.sh", "#!/bin/sh\nsleep 0.3; echo \"ran $1 $0\"\n");
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    ended.exits(0).says("ran a").says("ran b");
}

#[test]
fn a_job_is_seen_followed_and_stopped_from_another_terminal() {
    let site = site(
        r#"- shell: "echo first; echo second; sleep 600"
  async: 900
  poll: 0
  register: left
- debug: {msg: "job {{ left.ansible_job_id }}"}
"#,
    );
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    let job = result(&ended, 0)["ansible_job_id"]
        .as_str()
        .unwrap()
        .to_owned();
    // The run is over; its job goes on.
    let begun = Instant::now();
    loop {
        let listed = site.sasrun(&["ps", "-i", "hosts.yml", "h1"]);
        let line = listed.stdout.lines().find(|line| line.contains(&job));
        let line = line.unwrap_or_else(|| panic!("{}", listed.said()));
        if line.contains("running") && line.contains("second") && line.contains("h1:play.yml") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{line}");
    }
    let logs = site.sasrun(&["logs", &job, "-i", "hosts.yml", "h1"]);
    assert_eq!(logs.exits(0).stdout, "first\nsecond\n");
    let stopped = site.sasrun(&["stop", &job, "-i", "hosts.yml", "h1"]);
    stopped
        .exits(0)
        .says(&format!("h1: {job} finished (stopped)"));
    let logs = site.sasrun(&["logs", "-f", &job, "-i", "hosts.yml", "h1"]);
    assert_eq!(logs.exits(0).stdout, "first\nsecond\n");
    site.sasrun(&["stop", &job, "-i", "hosts.yml", "h1"])
        .exits(0);
    assert!(!folder_of(&job).exists());
    for word in ["stop", "logs"] {
        site.sasrun(&[word, &job, "-i", "hosts.yml"])
            .exits(2)
            .says("no host knows this job");
    }
}

/// A run of one job that is killed once the job has begun; the job leaves two lines in `count`.
fn killed() -> Site {
    let site = site(
        r#"- shell: "echo x >>COUNT; for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done; echo done >>COUNT"
  job: true
  register: done
- debug: {msg: "it said {{ done.stdout_lines | join('-') }}"}
"#,
    );
    let count = site.path("count");
    let play = site.read("play.yml");
    site.file("play.yml", &play.replace("COUNT", count.to_str().unwrap()));
    let mut command = site.command();
    command
        .args(["playbook", "play.yml", "-i", "hosts.yml"])
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while site.read("count").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the job never began"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    site
}

fn run_of(site: &Site) -> std::fs::DirEntry {
    let mut runs = std::fs::read_dir(site.path("state/runs")).unwrap();
    runs.next().unwrap().unwrap()
}

#[test]
fn a_job_outlives_a_controller_that_is_killed() {
    let site = killed();
    let run = run_of(&site).file_name().into_string().unwrap();
    let listed = site.sasrun(&["ps", "-i", "hosts.yml", "h1"]);
    let line = listed.stdout.lines().find(|line| line.contains(&run));
    let job = line.unwrap().split_whitespace().nth(1).unwrap();
    let logs = site.sasrun(&["logs", "-f", job, "-i", "hosts.yml", "h1"]);
    assert_eq!(logs.stdout, "1\n2\n3\n4\n5\n6\n7\n8\n");
    assert_eq!(site.read("count"), "x\ndone\n");
    site.sasrun(&["stop", job, "-i", "hosts.yml", "h1"])
        .exits(0);
    assert!(!folder_of(job).exists());
}

#[test]
fn a_job_is_found_again_when_its_run_goes_on() {
    let site = killed();
    site.sasrun(&["resume", "last", "--plan"])
        .exits(0)
        .says("1 are jobs and are gone on with as their hosts find them, 0 must not be done twice");
    let ended = site.sasrun(&["resume", "last"]);
    ended.exits(0);
    assert_eq!(site.read("count"), "x\ndone\n");
    ended.says("it said 1-2-3-4-5-6-7-8");
    let run = run_of(&site).file_name().into_string().unwrap();
    let listed = site.sasrun(&["ps", "-i", "hosts.yml", "h1"]);
    listed.never_says(&run);
}

#[test]
fn output_beyond_the_bound_is_whole_in_its_file() {
    let (site, ended) = run(
        r#"- shell: "i=0; while [ $i -lt 6000 ]; do echo $i; i=$((i+1)); done; head -c 9000000 /dev/zero | tr '\\0' x"
  register: long
- debug: {msg: "{{ long.stdout | length }} of them"}
"#,
    );
    ended.exits(0).says("bytes of output are in");
    let run = run_of(&site);
    let file = std::fs::read_dir(run.path().join("output"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let mut expected: String = (0..6000).map(|number| format!("{number}\n")).collect();
    expected.extend(std::iter::repeat_n('x', 9_000_000));
    assert!(std::fs::read_to_string(file.path()).unwrap() == expected);
}
