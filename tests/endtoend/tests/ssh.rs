//! Logins over SSH, in a lab of two hosts: keys of hosts, ways to log in, jumps, other users.
//! What was tried is read from the lab's own log.

use std::path::Path;

use saslab::lab::trial::Trial;
use sasrun_endtoend::{Ended, Site, target_folder};

const MESH: &str = "plugin: opsware_mesh\nmesh: small\ncores:\n  core_a:\n    source: true\n    \
    facility: {id: 1, name: A, agents: 1}\n    hosts:\n      s1: {address: 127.61.19.1, components: []}\n      \
    s2: {address: 127.61.19.2, components: []}\n";

const PLAY: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id -un\n      \
    register: who\n      changed_when: false\n    - debug: {msg: \"logged in as {{ who.stdout }}\"}\n";

/// A lab, and a site whose inventory names its hosts without saying how to log in.
struct Stage {
    lab: Trial,
    site: Site,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new();
        site.file("mesh.yml", MESH).file("play.yml", PLAY);
        let program = target_folder().join("saslab");
        assert!(program.exists(), "cargo build -p saslab");
        let lab = Trial::start(&program, &site.path("mesh.yml"), "").unwrap();
        Self { lab, site }
    }

    /// An inventory of these hosts with variables for each.
    fn hosts(&self, names: &[&str], variables: &str) -> &Self {
        let mut text = String::from("all:\n  hosts:\n");
        for name in names {
            let at = self.lab.running.hosts[*name].address;
            text.push_str(&format!(
                "    {name}: {{ansible_host: {}, ansible_port: {}, ansible_user: root{variables}}}\n",
                at.ip(),
                at.port()
            ));
        }
        self.site.file("hosts.yml", &text);
        self
    }

    /// Variables that log in with the lab's key.
    fn key(&self) -> String {
        let key = self.lab.state.operator_key();
        format!(", ansible_ssh_private_key_file: {}", key.display())
    }

    /// Variables that name the file with the keys of all hosts.
    fn known(&self) -> String {
        let file = self.lab.state.known_hosts();
        format!(", ansible_ssh_known_hosts_file: {}", file.display())
    }

    fn password(&self, user: &str) -> String {
        let text = std::fs::read_to_string(self.lab.state.secrets()).unwrap();
        let secrets: serde_json::Value = serde_json::from_str(&text).unwrap();
        let found = secrets.pointer(&format!("/{user}"));
        let found = found.or_else(|| secrets.pointer(&format!("/passwords/{user}")));
        found.and_then(|value| value.as_str()).unwrap().to_owned()
    }

    fn run(&self) -> Ended {
        self.site.playbook(&["play.yml", "-i", "hosts.yml"])
    }

    /// How many events of a kind the lab has, by host.
    fn count(&self, host: &str, what: &str) -> usize {
        let events = self.lab.events().unwrap();
        let is_it = |event: &&saslab::events::Event| event.host == host && event.what == what;
        events.iter().filter(is_it).count()
    }

    fn public_key(&self, host: &str) -> String {
        let known = std::fs::read_to_string(self.lab.state.known_hosts()).unwrap();
        let address = self.lab.running.hosts[host].address;
        let line = known
            .lines()
            .find(|line| line.contains(&format!("[{}]", address.ip())));
        line.unwrap().split_once(' ').unwrap().1.trim().to_owned()
    }
}

#[test]
fn keys_of_hosts_are_checked_before_anybody_logs_in() {
    let stage = Stage::new();
    // Not known at all.
    stage.hosts(&["s1"], &stage.key());
    stage.run().exits(4).says("known_hosts");
    assert!(stage.count("s1", "ssh.connect") > 0);
    assert_eq!(
        stage.count("s1", "ssh.login"),
        0,
        "a login was tried at an unknown host"
    );
    // Known.
    stage.hosts(&["s1"], &(stage.key() + &stage.known()));
    stage.run().exits(0).says("logged in as root");
    // Pinned in the inventory, with no file of known hosts.
    let pinned = format!(", ansible_ssh_host_key: \"{}\"", stage.public_key("s1"));
    stage.hosts(&["s1"], &(stage.key() + &pinned));
    stage.run().exits(0);
    let before = stage.count("s2", "ssh.login");
    let of_another = format!(", ansible_ssh_host_key: \"{}\"", stage.public_key("s1"));
    stage.hosts(&["s2"], &(stage.key() + &of_another));
    stage.run().exits(4);
    assert_eq!(stage.count("s2", "ssh.login"), before);
    // Changed since.
    let changed = "hosts: {s2: {ssh: {other_host_key: true}}}\n";
    stage.lab.change_scenario(changed).unwrap();
    stage.hosts(&["s2"], &(stage.key() + &stage.known()));
    stage.run().exits(4).says("changed");
    assert_eq!(
        stage.count("s2", "ssh.login"),
        before,
        "a login was tried at a changed host"
    );
    // Known by the user's own file, and refused when the file says revoked.
    let at = stage.lab.running.hosts["s1"].address;
    let line = format!("[{}]:{} {}\n", at.ip(), at.port(), stage.public_key("s1"));
    stage.site.file(".ssh/known_hosts", &line);
    stage.hosts(&["s1"], &stage.key());
    stage.run().exits(0);
    stage
        .site
        .file(".ssh/known_hosts", &format!("@revoked {line}"));
    stage.run().exits(4);
}

#[test]
fn passwords_log_in_and_are_shown_nowhere() {
    let stage = Stage::new();
    let password = stage.password("root");
    let with = |password: &str| format!("{}, ansible_password: {password}", stage.known());
    stage.hosts(&["s1"], &with(&password));
    let ended = stage
        .site
        .playbook(&["play.yml", "-i", "hosts.yml", "-vvvv"]);
    ended
        .exits(0)
        .says("logged in as root")
        .never_says(&password);
    assert!(!stage.site.read("events.jsonl").contains(&password));
    stage.hosts(&["s1"], &with("not-the-password"));
    stage.run().exits(4).never_says("not-the-password");
    // A person is asked for it.
    stage.hosts(&["s1"], &stage.known());
    let mut command = stage.site.command();
    command.args(["playbook", "play.yml", "-i", "hosts.yml", "--ask-pass"]);
    let ended = stage.site.end(command, format!("{password}\n").as_bytes());
    ended.exits(0).never_says(&password);
}

#[test]
fn another_user_by_sudo_with_a_password() {
    let stage = Stage::new();
    let password = stage.password("operator");
    let variables = format!(
        "{}{}, ansible_become: true, ansible_become_password: {password}",
        stage.key(),
        stage.known()
    );
    stage.hosts(&["s1"], &variables);
    let text = stage
        .site
        .read("hosts.yml")
        .replace("ansible_user: root", "ansible_user: operator");
    stage.site.file("hosts.yml", &text);
    stage
        .run()
        .exits(0)
        .says("logged in as root")
        .never_says(&password);
    stage.site.file(
        "hosts.yml",
        &text.replace("ansible_become: true", "ansible_become: false"),
    );
    stage.run().exits(0).says("logged in as operator");
}

#[test]
fn the_users_configuration_of_ssh_names_port_user_key_and_jump() {
    let stage = Stage::new();
    let (s1, s2) = (
        stage.lab.running.hosts["s1"].address,
        stage.lab.running.hosts["s2"].address,
    );
    let config = format!(
        "Host gate\n  HostName {}\n  Port {}\nHost inner\n  HostName {}\n  Port {}\n  ProxyJump gate\n\
         Host *\n  User root\n  IdentityFile {}\n  UserKnownHostsFile {}\n",
        s1.ip(),
        s1.port(),
        s2.ip(),
        s2.port(),
        stage.lab.state.operator_key().display(),
        stage.lab.state.known_hosts().display()
    );
    stage.site.file(".ssh/config", &config);
    stage.site.file("hosts.yml", "all: {hosts: {inner: {}}}\n");
    stage.run().exits(0).says("logged in as root");
    assert_eq!(
        stage.count("s1", "ssh.forward"),
        1,
        "it did not come through the gate"
    );
    assert!(stage.count("s2", "ssh.login") > 0);
}

/// One login for a host, however many tasks it has.
#[test]
fn many_tasks_of_a_host_share_one_login() {
    let stage = Stage::new();
    stage.hosts(&["s1", "s2"], &(stage.key() + &stage.known()));
    let mut play = String::from("- hosts: all\n  gather_facts: false\n  tasks:\n");
    for number in 0..30 {
        play.push_str(&format!("    - command: echo {number}\n"));
    }
    stage.site.file("play.yml", &play);
    stage.run().exits(0).says("ok=30");
    assert_eq!(stage.count("s1", "ssh.connect"), 1);
    assert_eq!(stage.count("s2", "ssh.connect"), 1);
    // Nothing is left behind in the places for it.
    let left = stage
        .lab
        .exec(
            "s1",
            "ls -a /tmp /root /var/tmp | grep -i sasrun || echo none",
        )
        .unwrap();
    assert_eq!(left.text(), "none\n");
    assert!(Path::new(&stage.site.path("state")).exists());
}
