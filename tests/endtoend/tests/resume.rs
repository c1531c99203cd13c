//! Runs that pause and go on: failure policies, gates, changed inputs, decisions.

use std::time::{Duration, Instant};

use sasrun_endtoend::{Ended, Site};

const HOSTS: &str = "a ansible_connection=local\nb ansible_connection=local\n";

/// A site whose second step fails on host `a` until the file `mended` is there.
fn site(keywords: &str) -> Site {
    let site = Site::new();
    site.file("hosts.ini", HOSTS);
    site.file(
        "site.yml",
        &format!(
            "- hosts: all
  gather_facts: false
  vars: {{here: '{{{{ playbook_dir }}}}'}}
  handlers:
    - name: told
      shell: echo told >> {{{{ here }}}}/{{{{ inventory_hostname }}}}
  tasks:
    - name: one
      shell: echo one >> {{{{ here }}}}/{{{{ inventory_hostname }}}}; echo said
      register: one
      notify: told
    - name: two
      shell: test {{{{ inventory_hostname }}}} = b || test -e {{{{ here }}}}/mended
      {keywords}
    - name: three
      shell: echo three-{{{{ one.stdout }}}} >> {{{{ here }}}}/{{{{ inventory_hostname }}}}
"
        ),
    );
    site
}

fn run(site: &Site) -> Ended {
    site.sasrun(&["playbook", "-i", "hosts.ini", "site.yml"])
}

fn resume(site: &Site, more: &[&str]) -> Ended {
    let mut arguments = vec!["resume", "last"];
    arguments.extend(more);
    site.sasrun(&arguments)
}

#[test]
fn a_failure_that_stops_the_run_is_mended_and_the_run_goes_on() {
    let site = site("on_failure: stop");
    run(&site).exits(6).says("sasrun resume");
    assert_eq!(site.read("b"), "one\n", "b begins nothing new");
    resume(&site, &["--plan"])
        .exits(0)
        .says("finished steps are not done again");
    assert_eq!(site.read("b"), "one\n", "a plan does nothing");
    resume(&site, &[]).exits(6);
    site.file("mended", "");
    resume(&site, &[]).exits(0).never_says("TASK [one]");
    for host in ["a", "b"] {
        assert_eq!(site.read(host), "one\nthree-said\ntold\n", "{host}");
    }
    resume(&site, &[]).exits(0).says("nothing to go on with");
}

#[test]
fn handlers_of_a_role_that_is_used_again_are_not_run_again_by_a_run_that_goes_on() {
    let site = Site::new();
    site.file("hosts.ini", HOSTS);
    site.file(
        "roles/r/tasks/main.yml",
        "- {name: t, command: 'true', notify: h}\n",
    );
    site.file(
        "roles/r/handlers/main.yml",
        "- name: h
  shell: echo {{ use }} >> {{ here }}/{{ inventory_hostname }}\n",
    );
    // Host b is ahead of a in the first run, and behind it in the second, where nothing waits.
    site.file(
        "site.yml",
        "- hosts: all
  strategy: free
  gather_facts: false
  vars: {here: '{{ playbook_dir }}'}
  tasks:
    - include_role: {name: r}
      vars: {use: first}
    - shell: n=0; while [ ! -f {{ here }}/ahead ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
      when: inventory_hostname == 'a'
    - meta: flush_handlers
    - shell: test -e {{ here }}/mended
      when: inventory_hostname == 'a'
      on_failure: stop
    - include_role: {name: r}
      vars: {use: second}
    - shell: touch {{ here }}/ahead
      changed_when: false\n",
    );
    run(&site).exits(6);
    assert_eq!(site.read("a"), "first\n");
    site.file("mended", "");
    resume(&site, &[]).exits(0);
    for host in ["a", "b"] {
        assert_eq!(site.read(host), "first\nsecond\n", "{host}");
    }
}

#[test]
fn a_failure_lets_the_others_go_on_unless_the_playbook_says_otherwise() {
    for keywords in ["when: true", "on_failure: continue"] {
        let site = site(keywords);
        run(&site).exits(2);
        assert_eq!(site.read("a"), "one\n");
        assert_eq!(site.read("b"), "one\nthree-said\ntold\n", "{keywords}");
        site.file("mended", "");
        resume(&site, &[]).exits(0);
        assert_eq!(site.read("a"), "one\nthree-said\ntold\n", "{keywords}");
        assert_eq!(site.read("b"), "one\nthree-said\ntold\n", "{keywords}");
    }
}

#[test]
fn each_outcome_meets_each_reaction() {
    let fails = "shell: test $(hostname) = nobody";
    let hangs = "shell: sleep 30\n      timeout: 1";
    let unreachable =
        "ping:\n      vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}";
    let cases = [
        (fails, "stop", 6),
        (fails, "ask", 6),
        (fails, "continue", 2),
        (hangs, "stop", 6),
        (hangs, "ask", 6),
        (hangs, "continue", 2),
        (unreachable, "stop", 6),
        (unreachable, "ask", 6),
        (unreachable, "continue", 4),
    ];
    for (step, reaction, code) in cases {
        let site = Site::new();
        site.file("hosts.ini", HOSTS);
        let play = format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: ends badly\n      {step}\n      \
             when: inventory_hostname == 'a'\n      on_failure: {reaction}\n    - name: after\n      \
             shell: echo after >> {{{{ playbook_dir }}}}/{{{{ inventory_hostname }}}}\n"
        );
        site.file("site.yml", &play);
        run(&site).exits(code);
        let goes_on = reaction == "continue";
        assert_eq!(!site.read("b").is_empty(), goes_on, "{step} {reaction}");
        assert_eq!(site.read("a"), "", "{step} {reaction}");
    }
}

#[test]
fn changed_inputs_are_refused_unless_each_is_accepted_by_name() {
    let site = site("on_failure: stop");
    run(&site).exits(6);
    site.file("mended", "");
    site.file("hosts.ini", &format!("{HOSTS}# said again\n"));
    let playbook = site.read("site.yml");
    site.file("site.yml", &format!("{playbook}# said again\n"));
    resume(&site, &[])
        .exits(8)
        .says("hosts.ini")
        .says("site.yml");
    resume(&site, &["--accept", "site.yml"])
        .exits(8)
        .says("hosts.ini");
    assert_eq!(site.read("a"), "one\n");
    resume(&site, &["--accept", "site.yml", "--accept", "hosts.ini"]).exits(0);
    assert_eq!(site.read("a"), "one\nthree-said\ntold\n");
}

#[test]
fn settings_of_the_environment_are_inputs_too() {
    let site = site("on_failure: stop");
    let with = |words: &[&str], settings: &[(&str, &str)]| {
        let mut command = site.command();
        command.args(words).envs(settings.iter().copied());
        site.end(command, b"")
    };
    let then = [("ANSIBLE_GATHERING", "explicit"), ("ANSIBLE_FORKS", "3")];
    with(&["playbook", "-i", "hosts.ini", "site.yml"], &then).exits(6);
    site.file("mended", "");
    resume(&site, &[])
        .exits(8)
        .says("ANSIBLE_GATHERING (environment, `explicit` then, unset now)")
        .never_says("ANSIBLE_FORKS");
    let other = [
        ("ANSIBLE_GATHERING", "explicit"),
        ("ANSIBLE_STRATEGY", "free"),
    ];
    with(&["resume", "last"], &other)
        .exits(8)
        .says("ANSIBLE_STRATEGY (environment, unset then, `free` now)");
    site.file("ansible.cfg", "[defaults]\nstrategy = linear\n");
    with(&["resume", "last", "--plan"], &then).exits(0);
    assert_eq!(site.read("a"), "one\n");
    resume(&site, &["--accept", "ANSIBLE_GATHERING"]).exits(0);
    assert_eq!(site.read("a"), "one\nthree-said\ntold\n");
}

#[test]
fn a_file_of_settings_is_an_input() {
    let site = site("on_failure: stop");
    site.file("ansible.cfg", "[defaults]\nstrategy = linear\n");
    run(&site).exits(6);
    site.file("mended", "");
    site.file("ansible.cfg", "[defaults]\nstrategy = free\n");
    resume(&site, &[]).exits(8).says("ansible.cfg");
    site.file("ansible.cfg", "[defaults]\nstrategy = linear\n");
    resume(&site, &[]).exits(0);
}

#[test]
fn a_run_that_is_given_up_or_only_predicted_does_not_go_on() {
    let site = site("on_failure: stop");
    resume(&site, &[]).exits(3).says("no runs");
    run(&site).exits(6);
    resume(&site, &["--repeat", "nowhere"])
        .exits(3)
        .says("no step");
    resume(&site, &["--abort"]).exits(0);
    resume(&site, &[]).exits(3).says("given up by tester");
    site.sasrun(&["playbook", "-C", "-i", "hosts.ini", "site.yml"]);
    resume(&site, &[]).exits(3).says("only predicted");
}

#[test]
fn a_gate_pauses_an_unattended_run_and_is_answered_from_elsewhere() {
    let site = Site::new();
    site.file("hosts.ini", HOSTS);
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  tasks:
    - shell: echo before >> {{ playbook_dir }}/{{ inventory_hostname }}
    - gate: {id: look, text: look at it}
      register: looked
    - shell: echo {{ looked.answer.by }}-{{ looked.answer.reason }} >> {{ playbook_dir }}/{{ inventory_hostname }}
",
    );
    run(&site).exits(8).says("look");
    let begin = [
        "playbook",
        "--pause-at-gates",
        "-i",
        "hosts.ini",
        "site.yml",
    ];
    site.sasrun(&begin).exits(6).says("sasrun approve");
    resume(&site, &[]).exits(6);
    let approve = ["approve", "last", "look", "--as", "ann", "--reason", "fine"];
    site.sasrun(&approve).exits(0);
    site.sasrun(&approve).exits(3).says("answer");
    resume(&site, &[]).exits(0);
    for host in ["a", "b"] {
        assert_eq!(site.read(host), "before\nann-fine\n");
    }
    site.sasrun(&approve).exits(3).says("answered by ann");
}

/// Kills the run while its second step runs on host `a`.
fn killed(probe: &str) -> (Site, String) {
    killed_in("gather_facts: false", probe)
}

fn killed_in(play: &str, probe: &str) -> (Site, String) {
    let site = Site::new();
    site.file("hosts.ini", "a ansible_connection=local\n");
    site.file(
        "site.yml",
        &format!(
            "- hosts: all
  {play}
  tasks:
    - shell: echo one >> {{{{ playbook_dir }}}}/a
    - shell: echo two >> {{{{ playbook_dir }}}}/a; sleep 2
      {probe}
    - shell: echo three >> {{{{ playbook_dir }}}}/a
"
        ),
    );
    let mut command = site.command();
    command.args(["playbook", "-i", "hosts.ini", "site.yml"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !site.read("a").contains("two") {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    (site, "a:site.yml/0/tasks/1".to_owned())
}

#[test]
fn a_step_that_must_not_be_done_twice_is_asked_about() {
    let (site, step) = killed("name: load {{ 'it' }}");
    resume(&site, &[])
        .exits(7)
        .says("UNKNOWN")
        .says(&step)
        .says("how \"load it\" ended");
    assert_eq!(site.read("a"), "one\ntwo\n");
    resume(&site, &[]).exits(7);
    resume(&site, &["--mark-done", &step]).exits(0);
    assert_eq!(site.read("a"), "one\ntwo\nthree\n");

    // Among the checks before the first change too: a run is refused for what is known.
    let (site, step) = killed_in("gather_facts: false\n  preflight: true", "register: said");
    resume(&site, &[]).exits(7).never_says("refused");
    resume(&site, &["--repeat", &step]).exits(0);
    assert_eq!(site.read("a"), "one\ntwo\ntwo\nthree\n");
}

#[test]
fn a_step_is_asked_by_its_own_probe_or_done_again_where_it_may_be() {
    for (probe, expected) in [
        (
            "done_when: grep -q two {{ playbook_dir }}/a",
            "one\ntwo\nthree\n",
        ),
        (
            "done_when: grep -q never {{ playbook_dir }}/a",
            "one\ntwo\ntwo\nthree\n",
        ),
        ("repeatable: true", "one\ntwo\ntwo\nthree\n"),
    ] {
        let (site, _) = killed(probe);
        resume(&site, &[]).exits(0);
        assert_eq!(site.read("a"), expected, "{probe}");
    }
}

#[test]
fn below_nohup_the_loss_of_the_terminal_ends_nothing() {
    let site = Site::new();
    site.file("hosts.ini", "a ansible_connection=local\n").file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  vars: {here: '{{ playbook_dir }}'}
  tasks:
    - shell: touch {{ here }}/begun; until test -e {{ here }}/sent; do sleep 0.02; done
    - shell: touch {{ here }}/second
",
    );
    // The program takes the place, and the process id, of the shell that ignores the signal.
    let script = "trap '' HUP; (until test -e begun; do sleep 0.02; done; kill -HUP $$; touch sent) & exec \"$@\"";
    let mut command = site.command_of(std::path::Path::new("/bin/sh"));
    command.args(["-c", script, "sh"]);
    command.arg(site.command().get_program());
    command.args(["playbook", "-i", "hosts.ini", "site.yml"]);
    site.end(command, b"").exits(0);
    assert!(site.path("second").exists());
}
