//! Becoming another user on the controller itself, with a password over standard input.
//!
//! A stand-in for sudo behaves as sudo does towards its caller: it prompts, reads the password from
//! its standard input, and runs the command only if it is right. So the test needs no root and
//! changes no system file.

use sasrun_endtoend::Site;

/// Takes sudo's flags, asks with the prompt that it is given, and compares.
const SUDO: &str = r#"#!/bin/sh
prompt=
while [ $# -gt 0 ]; do
    case $1 in
    -p) prompt=$2; shift 2 ;;
    -u) user=$2; shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
printf '%s\n' "$user" >> "$HOME/asked"
echo $$ > "$HOME/pid"
printf '%s' "$prompt" >&2
IFS= read -r password
if [ "$password" = "open sesame" ]; then
    BECAME=$user
    export BECAME
    exec "$@"
fi
echo "Sorry, try again." >&2
exit 1
"#;

const PLAY: &str = r#"
- hosts: h1
  gather_facts: false
  tasks:
    - shell: echo became=$BECAME
      become: true
      become_user: WHO
      register: one
    - shell: echo became=$BECAME
      register: two
    - debug: {msg: "{{ one.stdout }} {{ two.stdout }}."}
"#;

/// Who runs the test: the stand-in can make nobody else of us.
fn user() -> String {
    let output = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn site(password: &str) -> Site {
    let site = Site::new();
    site.executable("sudo", SUDO);
    let exe = site.path("sudo");
    site.file(
        "hosts.yml",
        &format!(
            "all: {{hosts: {{h1: {{ansible_connection: local, ansible_become_exe: {}, ansible_become_password: {password}}}}}}}\n",
            exe.display()
        ),
    );
    site.file("play.yml", &PLAY.replace("WHO", &user()));
    site
}

#[test]
fn a_task_becomes_another_user_and_the_next_one_does_not() {
    let site = site("open sesame");
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml", "-vvvv"]);
    ended
        .exits(0)
        .says(&format!("became={} became=.", user()))
        .never_says("open sesame");
    assert!(!site.read("events.jsonl").contains("open sesame"));
    assert_eq!(
        site.read("asked"),
        format!("{}\n", user()),
        "one login for each identity"
    );
}

#[test]
fn a_wrong_password_fails_soon_and_is_not_shown() {
    let site = site("wrong-sesame");
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml", "-vvvv"]);
    ended
        .exits(2)
        .never_says("wrong-sesame")
        .never_says("stdout");
    assert!(ended.took.as_secs() < 20, "{:?}", ended.took);
    assert_eq!(
        site.read("asked"),
        format!("{}\n", user()),
        "a wrong password is tried once"
    );
}

#[test]
fn how_long_a_shell_may_take_to_start_can_be_said() {
    let site = Site::new();
    site.executable("sudo", "#!/bin/sh\nexec sleep 30\n");
    let exe = site.path("sudo");
    let host = |own: &str| {
        format!(
            "all:\n  hosts:\n    h1: {{ansible_connection: local, ansible_become_exe: {}{own}}}\n",
            exe.display()
        )
    };
    let play = PLAY.replace("WHO", &user());
    site.file("play.yml", &play);
    site.file("hosts.yml", &host(", sasrun_shell_timeout: 1"));
    let began = std::time::Instant::now();
    site.playbook(&["play.yml", "-i", "hosts.yml"])
        .exits(4)
        .says("starting a shell took longer than 1 s");
    site.file("hosts.yml", &host(""));
    site.file("ansible.cfg", "[sasrun]\nshell_timeout = 1\n");
    site.playbook(&["play.yml", "-i", "hosts.yml"])
        .exits(4)
        .says("starting a shell took longer than 1 s");
    assert!(began.elapsed() < std::time::Duration::from_secs(25));
}

/// Stands for the program that removes an account: it refuses one that a shell is open of.
const USERDEL: &str = r#"#!/bin/sh
if kill -0 `cat "$HOME/pid"` 2>/dev/null; then
    echo "userdel: user $1 is currently used by process `cat "$HOME/pid"`" >&2
    exit 8
fi
echo "removed $1" >> "$HOME/removed"
"#;

#[test]
fn an_account_is_not_in_use_because_of_a_shell_that_is_kept() {
    let site = site("open sesame");
    site.executable("bin/userdel", USERDEL);
    let play = "
- hosts: h1
  gather_facts: false
  tasks:
    - command: 'true'
      become: true
      become_user: WHO
    - user: {name: WHO, state: absent}
      environment: {PATH: 'BIN:/usr/sbin:/usr/bin:/sbin:/bin'}
";
    let play = play.replace("WHO", &user());
    let play = play.replace("BIN", &site.path("bin").display().to_string());
    site.file("play.yml", &play);
    site.playbook(&["play.yml", "-i", "hosts.yml"]).exits(0);
    assert_eq!(site.read("removed"), format!("removed {}\n", user()));
}
