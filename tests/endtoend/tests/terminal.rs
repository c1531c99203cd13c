//! Runs with a person at a terminal: failures that are asked about, Ctrl-Z, and readers of the output that go away.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use sasrun_endtoend::Site;

const LIMIT: Duration = Duration::from_secs(20);

/// A terminal, and what was shown on it.
struct Tty {
    keyboard: File,
    /// The end that the program has.
    screen: File,
    shown: Arc<Mutex<String>>,
}

impl Tty {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let screen = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let keyboard = File::from(master);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut from, to) = (keyboard.try_clone().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = from.read(&mut bytes) {
                to.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self {
            keyboard,
            screen,
            shown,
        }
    }

    /// Starts a program whose questions are asked here.
    fn start(&self, mut command: Command, output: Stdio) -> Child {
        command
            .stdin(self.screen.try_clone().unwrap())
            .stderr(self.screen.try_clone().unwrap())
            .stdout(output);
        command.spawn().unwrap()
    }

    fn shows(&self, text: &str) -> bool {
        self.shown.lock().unwrap().contains(text)
    }

    fn await_text(&self, text: &str) {
        wait(text, || self.shows(text));
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.screen).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn code(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < end, "the run did not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Host `a` fails while `mended` is not there; the last step waits for `go`.
fn site() -> Site {
    let site = Site::new();
    site.file(
        "hosts.ini",
        "a ansible_connection=local\nb ansible_connection=local\n",
    );
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  vars: {here: '{{ playbook_dir }}'}
  tasks:
    - name: perhaps
      shell: test {{ inventory_hostname }} = b || test -e {{ here }}/mended
      on_failure: ask
    - name: after
      shell: echo after >> {{ here }}/{{ inventory_hostname }}
    - name: the end
      shell: touch {{ here }}/waits; until test -e {{ here }}/go; do sleep 0.02; done
      repeatable: true
",
    );
    site
}

fn begin(site: &Site, tty: &Tty) -> Child {
    let mut command = site.command();
    command.args(["playbook", "-i", "hosts.ini", "site.yml"]);
    let child = tty.start(command, Stdio::null());
    tty.await_text("\"perhaps\" ended badly on a. Do the others go on?");
    child
}

#[test]
fn a_failure_is_asked_about_at_the_terminal_and_the_answer_holds() {
    let site = site();
    let mut tty = Tty::open();
    let mut child = begin(&site, &tty);
    tty.types("perhaps\ncontinue\n");
    wait("the last step runs", || site.path("waits").exists());
    assert_eq!((&*site.read("a"), &*site.read("b")), ("", "after\n"));
    child.kill().unwrap();
    child.wait().unwrap();
    // The failure is taken from the record, and so is the answer: nobody is asked, nothing pauses.
    site.file("go", "");
    site.sasrun(&["resume", "last"])
        .exits(2)
        .never_says("TASK [perhaps]");
    assert_eq!((&*site.read("a"), &*site.read("b")), ("", "after\n"));
    // It is tried again now, and its new failure is not answered by the old answer.
    site.sasrun(&["resume", "last"])
        .exits(6)
        .says("\"perhaps\" ended badly on a");
}

#[test]
fn who_says_stop_at_the_terminal_pauses_the_run() {
    let site = site();
    let mut tty = Tty::open();
    let mut child = begin(&site, &tty);
    tty.types("stop\n");
    assert_eq!(code(&mut child), Some(6));
    assert_eq!(site.read("b"), "");
    site.file("mended", "");
    site.file("go", "");
    site.sasrun(&["resume", "last"]).exits(0);
    assert_eq!((&*site.read("a"), &*site.read("b")), ("after\n", "after\n"));
}

#[test]
fn an_interrupt_ends_the_question() {
    let site = site();
    let tty = Tty::open();
    let mut child = begin(&site, &tty);
    send(&child, Signal::INT);
    assert_eq!(code(&mut child), Some(130));
    assert_eq!(site.read("b"), "");
}

#[test]
fn a_stop_in_a_hidden_question_leaves_the_terminal_as_it_was() {
    let site = Site::new();
    site.file(
        "play.yml",
        "- hosts: localhost
  gather_facts: false
  vars_prompt: [{name: word, prompt: The word}]
  tasks:
    - assert: {that: word == 'sesame'}
",
    );
    let mut tty = Tty::open();
    let mut command = site.command();
    command.args(["playbook", "play.yml"]);
    let mut child = tty.start(command, Stdio::null());
    let state = format!("/proc/{}/stat", child.id());
    let is_stopped = || std::fs::read_to_string(&state).is_ok_and(|stat| stat.contains(") T "));
    tty.await_text("The word");
    wait("the echo is off", || !tty.echoes());
    send(&child, Signal::TSTP);
    wait("it is stopped", is_stopped);
    assert!(tty.echoes());
    tty.shown.lock().unwrap().clear();
    send(&child, Signal::CONT);
    tty.await_text("The word");
    wait("the echo is off again", || !tty.echoes());
    tty.types("sesame\n");
    assert_eq!(code(&mut child), Some(0));
    assert!(tty.echoes());
    assert!(!tty.shows("sesame"));
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let site = Site::new();
    site.file("hosts.ini", "a ansible_connection=local\n");
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  vars: {here: '{{ playbook_dir }}'}
  tasks:
    - shell: until test -e {{ here }}/go; do sleep 0.02; done
    - shell: seq 1 20000
    - shell: yes | head -1 >> {{ here }}/ledger
    - shell: echo last >> {{ here }}/ledger
",
    );
    let mut command = site.command();
    command
        .args(["playbook", "-v", "-i", "hosts.ini", "site.yml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("PLAY [all]") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    drop(said);
    drop(child.stderr.take());
    site.file("go", "");
    assert_eq!(code(&mut child), Some(0));
    assert_eq!(site.read("ledger"), "y\nlast\n");
    site.sasrun(&["verify", "last"]).exits(0);
    site.sasrun(&["runs"]).exits(0).says("finished");
}
