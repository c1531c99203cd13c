//! Plugins in runs of the real program: those that behave, each way of not behaving, and each
//! place where they are found.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sasrun_endtoend::{Site, target_folder};

const HOST: &str = "all: {hosts: {h1: {ansible_connection: local}}}\n";

fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap().to_owned()
}

/// The example plugin, built from its own workspace.
fn hello() -> PathBuf {
    let target = target_folder().join("hello");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--manifest-path"])
        .arg(workspace().join("plugins/hello/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success(), "plugins/hello does not build");
    target.join("debug/libhello.so")
}

/// The example plugin in sh.
fn hello_sh() -> String {
    fs::read_to_string(workspace().join("tests/fixtures/plugins/hello.sh")).unwrap()
}

/// A plugin in sh with one module `NAME`, which does this when it is started.
fn misbehaving(name: &str, when_started: &str) -> String {
    format!(
        r#"#!/bin/sh
while read -r line; do
    id=`printf '%s\n' "$line" | sed -n 's/^{{"id":\([0-9]*\),.*/\1/p'`
    case $line in
    '{{"hello":'*) echo '{{"hello":{{"protocol":1}}}}' ;;
    *,'"describe":'*) echo '{{"id":'"$id"',"description":{{"name":"{name}","version":"1","modules":[{{"name":"{name}"}}],"filters":[],"tests":[]}}}}' ;;
    *,'"start":'*) {when_started} ;;
    esac
done
"#
    )
}

#[test]
fn a_library_of_another_workspace_brings_a_module_a_filter_a_test_and_an_inventory() {
    let site = Site::new();
    site.copy(&hello(), "plugins/libhello.so");
    site.file("greet.yml", "plugin: hello_hosts\ngreet: [ann]\n");
    site.file("group_vars/all.yml", "ansible_connection: local\n");
    site.file(
        "play.yml",
        r#"
- hosts: greeted
  gather_facts: false
  tasks:
    - hello: {path: "{{ playbook_dir }}/greeting", name: "{{ inventory_hostname | shout }}"}
      register: r
    - assert: {that: [r.greeting is greeting, "r.greeting == 'Hello, ANN!'"]}
"#,
    );
    let checked = site.playbook(&["play.yml", "-i", "greet.yml", "--check", "--diff"]);
    checked.exits(0).says("+Hello, ANN!").says("changed=1");
    assert_eq!(site.read("greeting"), "");
    site.playbook(&["play.yml", "-i", "greet.yml"]).exits(0);
    assert_eq!(site.read("greeting"), "Hello, ANN!\n");
    let again = site.playbook(&["play.yml", "-i", "greet.yml"]);
    again.exits(0).says("changed=0");
}

#[test]
fn an_executable_in_sh_brings_a_module_a_filter_and_a_test() {
    let site = Site::new();
    site.executable("plugins/hello.sh", &hello_sh());
    site.file("hosts.yml", HOST);
    site.file(
        "play.yml",
        r#"
- hosts: h1
  gather_facts: false
  tasks:
    - sh_greeting: {name: "{{ 'you' | bracket }}"}
      register: r
    - assert: {that: ["r.greeting is sh_greeting", "r.greeting == 'Hello, <you>'"]}
"#,
    );
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    ended.exits(0).says("ok=2");
}

/// Every way of not behaving costs the task it happened in; tasks of other plugins go on.
#[test]
fn plugins_that_misbehave_fail_their_own_tasks_alone() {
    let site = Site::new();
    let nervous = target_folder().join("examples/libnervous.so");
    site.copy(&nervous, "plugins/libnervous.so");
    site.executable("plugins/hello.sh", &hello_sh());
    site.executable(
        "plugins/garbled.sh",
        &misbehaving("garbled", "echo 'what is this?'"),
    );
    site.executable("plugins/stuck.sh", &misbehaving("stuck", "exec sleep 600"));
    site.executable(
        "plugins/dying.sh",
        &misbehaving("dying", "echo 'no more' >&2; exit 7"),
    );
    site.executable("plugins/noisy.sh", "#!/bin/sh\necho 'this is no message'\n");
    site.executable(
        "plugins/from_the_future.sh",
        "#!/bin/sh\nread -r line; echo '{\"hello\":{\"protocol\":99}}'\nsleep 1\n",
    );
    site.file("hosts.yml", HOST);
    let mut play =
        String::from("- hosts: h1\n  gather_facts: false\n  ignore_errors: true\n  tasks:\n");
    let modules = [
        "nervous",
        "garbled",
        "stuck",
        "dying",
        "noisy",
        "from_the_future",
    ];
    for module in modules {
        play.push_str(&format!(
            "    - {module}:\n      timeout: 3\n      register: {module}\n"
        ));
        play.push_str("    - sh_greeting: {name: still here}\n      register: other\n");
        play.push_str(&format!(
            "    - assert: {{that: [{module} is failed, other is success]}}\n"
        ));
        play.push_str("      ignore_errors: false\n");
    }
    site.file("play.yml", &play);
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    ended.exits(0).says("ignored=6").never_says("panicked at");
    for cause in [
        "the module lost its nerve",
        "not a message of the protocol: what is this?",
        "Timed out after 3 second(s).",
        "no more",
        "this is no message",
        "speaks version 99",
    ] {
        ended.says(cause);
    }
    // Those that cannot be used at all are named before anything runs.
    assert!(ended.stderr.contains("noisy.sh") && ended.stderr.contains("from_the_future.sh"));
}

#[test]
fn a_broken_plugin_hides_nothing_of_the_others_and_what_it_would_bring_is_refused() {
    let site = Site::new();
    site.executable("plugins/aaa.sh", "#!/bin/sh\necho nonsense\n");
    site.executable("plugins/hello.sh", &hello_sh());
    site.file("hosts.yml", HOST);
    let task = "- hosts: h1\n  gather_facts: false\n  tasks:\n";
    site.file(
        "good.yml",
        &format!("{task}    - sh_greeting: {{name: x}}\n"),
    );
    site.file(
        "bad.yml",
        &format!("{task}    - of_the_broken_one: {{name: x}}\n"),
    );
    site.playbook(&["good.yml", "-i", "hosts.yml"])
        .exits(0)
        .says("aaa.sh");
    let ended = site.playbook(&["bad.yml", "-i", "hosts.yml"]);
    ended
        .exits(3)
        .says("aaa.sh")
        .says("of_the_broken_one")
        .says("bad.yml:4");
}

#[test]
fn plugins_are_found_in_each_documented_place() {
    let places: [(&str, &[&str]); 5] = [
        ("book/plugins", &[]),
        ("hosts/plugins", &[]),
        ("named", &["--plugins", "named"]),
        ("site", &[]),
        ("prefix/lib/sasrun/plugins", &[]),
    ];
    let hello = hello();
    for (place, flags) in places {
        let site = Site::new();
        site.copy(&hello, &format!("{place}/libhello.so"));
        site.copy(&sasrun_endtoend::program(), "prefix/bin/sasrun");
        site.file("hosts/greet.yml", "plugin: hello_hosts\ngreet: [ann]\n");
        site.file("hosts/group_vars/all.yml", "ansible_connection: local\n");
        site.file(
            "book/play.yml",
            "- hosts: greeted\n  gather_facts: false\n  tasks:\n    - hello: {path: \"{{ playbook_dir }}/out\", \
             name: \"{{ 'x' | shout }}\"}\n      register: r\n    - assert: {that: r.greeting is greeting}\n",
        );
        let mut command = site.command_of(&site.path("prefix/bin/sasrun"));
        command
            .args(["playbook", "book/play.yml", "-i", "hosts/greet.yml"])
            .args(flags);
        if place == "site" {
            command.env("SASRUN_PLUGINS", site.path("site"));
        }
        let ended = site.end(command, b"");
        assert_eq!(ended.code, Some(0), "{place}\n{}", ended.said());
        assert_eq!(site.read("book/out"), "Hello, X!\n", "{place}");
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_refused_with_the_way_out() {
    for (what, mode) in [
        ("plugins", 0o775),
        ("plugins", 0o777),
        ("plugins/hello.sh", 0o757),
    ] {
        let site = Site::new();
        site.executable("plugins/hello.sh", &hello_sh());
        site.file("hosts.yml", HOST);
        site.file(
            "play.yml",
            "- hosts: h1\n  gather_facts: false\n  tasks:\n    - sh_greeting: {name: x}\n",
        );
        fs::set_permissions(site.path(what), Permissions::from_mode(mode)).unwrap();
        let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
        ended
            .exits(3)
            .says("not loaded")
            .says("chmod")
            .never_says("PLAY");
    }
}

/// What `make install` lays out works from any folder.
#[test]
fn an_installed_program_finds_its_playbooks_and_plugins() {
    let site = Site::new();
    let target = target_folder();
    let made = Command::new("make")
        .args(["--no-print-directory", "install-files"])
        .arg(format!("PREFIX={}", site.path("prefix").display()))
        .arg(format!("OUT={}", target.display()))
        .current_dir(workspace())
        .status()
        .unwrap();
    assert!(made.success(), "make install-files");
    let mesh = fs::read_to_string(workspace().join("inventories/lab/mesh.yml")).unwrap();
    site.file("elsewhere/mesh.yml", &mesh);
    for (flag, said) in [
        ("--syntax-check", "multimaster.yml"),
        ("--list-tasks", "MM-1"),
        ("--list-hosts", "a1"),
    ] {
        let mut command = site.command_of(&site.path("prefix/bin/sasrun"));
        command
            .args(["playbook", "multimaster.yml", "-i", "mesh.yml", flag])
            .current_dir(site.path("elsewhere"));
        site.end(command, b"").exits(0).says(said);
    }
}
