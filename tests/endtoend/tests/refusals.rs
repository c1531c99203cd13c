//! Broken inventories and playbooks, through the real program: exit 3, the broken line named, no
//! panic, and nothing contacted: a listener stands where the hosts would be, and counts.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use sasrun_endtoend::Site;

const PLAYBOOK: &str = r#"- name: Web servers
  hosts: web
  gather_facts: false
  vars:
    port: 8080
    greeting: "hello {{ who }}"
  handlers:
    - name: restart web
      service: {name: nginx, state: restarted}
  tasks:
    - name: Write the page
      copy:
        content: "{{ greeting }}"
        dest: /srv/page
        mode: "0644"
      when: port > 80
      register: page
      notify: restart web
      tags: [page]
    - name: Keep the service
      service:
        name: nginx
        state: started
      become: true
      until: page is success
      retries: 3
      delay: 2
    - name: For each
      command: echo {{ item }}
      loop: "{{ range(3) }}"
      changed_when: false
    - block:
        - debug:
            msg: "port {{ port }}"
      rescue:
        - fail:
            msg: it failed
    - meta: flush_handlers
    - import_tasks: more.yml
"#;

const MORE: &str = "- name: More\n  stat:\n    path: /srv\n  register: there\n";

const INVENTORY: &str = r#"all:
  children:
    web:
      vars:
        ansible_port: PORT
        who: "{{ 'world' }}"
      hosts:
        web1: {ansible_host: 127.0.0.1}
        web2:
          ansible_host: 127.0.0.1
    db:
      hosts:
        db[01:03]:
      children:
        spare:
          hosts: {old: {}}
"#;

/// A way of breaking a file: what is replaced on one line, and by what.
struct Class {
    name: &'static str,
    file: &'static str,
    from: &'static [&'static str],
    to: &'static str,
}

const fn class(
    name: &'static str,
    file: &'static str,
    from: &'static [&'static str],
    to: &'static str,
) -> Class {
    Class {
        name,
        file,
        from,
        to,
    }
}

/// In `to`, `@` stands for what was replaced.
const CLASSES: &[Class] = &[
    class(
        "keyword of a play",
        "play.yml",
        &["hosts:", "vars:", "handlers:", "gather_facts:"],
        "x@",
    ),
    class(
        "keyword of a task",
        "play.yml",
        &[
            "register:",
            "when:",
            "notify:",
            "become:",
            "retries:",
            "delay:",
            "until:",
            "tags:",
            "loop:",
            "changed_when:",
        ],
        "x@",
    ),
    class(
        "module",
        "play.yml",
        &[
            "service:",
            "copy:",
            "command:",
            "debug:",
            "fail:",
            "import_tasks:",
        ],
        "x@",
    ),
    class(
        "argument",
        "play.yml",
        &["dest:", "content:", "mode:", "state:"],
        "x@",
    ),
    class(
        "choice",
        "play.yml",
        &["state: started", "state: restarted"],
        "state: sideways",
    ),
    class(
        "boolean",
        "play.yml",
        &["become: true", "gather_facts: false"],
        "become: perhaps",
    ),
    class(
        "number",
        "play.yml",
        &["retries: 3", "delay: 2"],
        "retries: several",
    ),
    class(
        "expression",
        "play.yml",
        &["when: port > 80", "until: page is success"],
        "@ and",
    ),
    class(
        "assignment in a condition",
        "play.yml",
        &["port > 80"],
        "port = 80",
    ),
    class(
        "template not closed",
        "play.yml",
        &[
            "{{ greeting }}",
            "{{ item }}",
            "{{ range(3) }}",
            "hello {{ who }}",
            "port {{ port }}",
        ],
        "{{ broken",
    ),
    class(
        "template tag",
        "play.yml",
        &["{{ greeting }}", "hello {{ who }}"],
        "{% if %}",
    ),
    class(
        "register",
        "play.yml",
        &["register: page"],
        "register: not a name",
    ),
    class(
        "loop over a word",
        "play.yml",
        &["loop: \"{{ range(3) }}\""],
        "loop: packages",
    ),
    class(
        "misspelt with_",
        "play.yml",
        &["loop: \"{{ range(3) }}\""],
        "with_itmes: [1]",
    ),
    class(
        "meta",
        "play.yml",
        &["meta: flush_handlers"],
        "meta: flush_handler",
    ),
    class(
        "handler",
        "play.yml",
        &["notify: restart web"],
        "notify: restrat web",
    ),
    class(
        "import of nothing",
        "play.yml",
        &["import_tasks: more.yml"],
        "import_tasks: nowhere.yml",
    ),
    class(
        "tab",
        "play.yml",
        &["  hosts: web", "        dest:", "  vars:", "  tasks:"],
        "\t@",
    ),
    class(
        "quote not closed",
        "play.yml",
        &[
            "mode: \"0644\"",
            "content: \"{{ greeting }}\"",
            "msg: \"port {{ port }}\"",
        ],
        "mode: \"0644",
    ),
    class(
        "bracket not closed",
        "play.yml",
        &["tags: [page]", "{name: nginx, state: restarted}"],
        "[page",
    ),
    class(
        "key twice",
        "play.yml",
        &["hosts: web", "port: 8080", "dest: /srv/page", "path: /srv"],
        "@\n@",
    ),
    class(
        "unknown alias",
        "play.yml",
        &["port: 8080", "mode: \"0644\"", "name: Write the page"],
        "mode: *nothing",
    ),
    class(
        "hosts of no kind",
        "play.yml",
        &["hosts: web"],
        "hosts: {a: b}",
    ),
    class(
        "tasks of no kind",
        "more.yml",
        &["- name: More"],
        "name: More",
    ),
    class(
        "module in an imported file",
        "more.yml",
        &["stat:"],
        "sttat:",
    ),
    class(
        "argument in an imported file",
        "more.yml",
        &["path:"],
        "paht:",
    ),
    class(
        "keyword in an imported file",
        "more.yml",
        &["register:"],
        "regsiter:",
    ),
    class(
        "key of a group",
        "hosts.yml",
        &["children:", "vars:", "hosts:"],
        "x@",
    ),
    class("range of hosts", "hosts.yml", &["db[01:03]"], "db[03:01]"),
    class(
        "group of no kind",
        "hosts.yml",
        &["spare:"],
        "spare: [a]\n        spare2:",
    ),
    class(
        "template of a variable",
        "hosts.yml",
        &["{{ 'world' }}"],
        "{{ world",
    ),
    class(
        "mapping not closed",
        "hosts.yml",
        &["{ansible_host: 127.0.0.1}", "{old: {}}"],
        "{old: ",
    ),
    class(
        "colon",
        "hosts.yml",
        &["ansible_host: 127.0.0.1\n", "web2:\n", "db:\n"],
        "web2\n",
    ),
    class(
        "tab in an inventory",
        "hosts.yml",
        &["    web:", "    db:", "  children:"],
        "\t@",
    ),
];

/// Where a text stands, each time it does.
fn places(text: &str, part: &str) -> Vec<usize> {
    text.match_indices(part).map(|(at, _)| at).collect()
}

struct Mutant {
    class: &'static str,
    file: &'static str,
    line: usize,
    text: String,
}

/// Each class at each place where it applies.
fn mutants(files: &BTreeMap<&'static str, String>) -> Vec<Mutant> {
    let mut all = Vec::new();
    for class in CLASSES {
        let good = &files[class.file];
        for part in class.from {
            for at in places(good, part) {
                let to = class.to.replace('@', part);
                let text = format!("{}{to}{}", &good[..at], &good[at + part.len()..]);
                all.push(Mutant {
                    class: class.name,
                    file: class.file,
                    line: good[..at].lines().count().max(1)
                        + usize::from(good[..at].ends_with('\n')),
                    text,
                });
            }
        }
    }
    all
}

#[test]
fn broken_files_are_refused_with_the_line_named_and_nothing_contacted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let files = BTreeMap::from([
        ("play.yml", PLAYBOOK.to_owned()),
        ("more.yml", MORE.to_owned()),
        ("hosts.yml", INVENTORY.replace("PORT", &port)),
    ]);
    let site = Site::new();
    let restore = || {
        for (name, text) in &files {
            site.file(name, text);
        }
    };
    restore();
    let good = site.sasrun(&["playbook", "play.yml", "-i", "hosts.yml", "--syntax-check"]);
    good.exits(0);
    let mut wrong = Vec::new();
    let all = mutants(&files);
    for mutant in &all {
        restore();
        site.file(mutant.file, &mutant.text);
        let ended = site.sasrun(&["playbook", "play.yml", "-i", "hosts.yml"]);
        let named = (mutant.line.saturating_sub(1)..=mutant.line + 1)
            .any(|line| ended.stderr.contains(&format!("{}:{line}", mutant.file)));
        let quiet = !ended.has_said("panicked") && !ended.has_said("PLAY [");
        if ended.code != Some(3) || !named || !quiet {
            wrong.push(format!(
                "{} {}:{}\n{}",
                mutant.class,
                mutant.file,
                mutant.line,
                ended.said()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} broken files are not refused as they should be\n\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n\n")
    );
    assert!(listener.accept().is_err(), "a host was contacted");
}

/// Bytes that nobody would call a playbook: refused or run, but never a panic.
#[test]
fn noise_is_refused_without_a_panic() {
    let site = Site::new();
    site.file(
        "hosts.yml",
        "all: {hosts: {h1: {ansible_connection: local}}}\n",
    );
    let noise: [&[u8]; 10] = [
        b"\xff\xfe\x00\x01",
        b"{{{{{{{{",
        b"- - - - - -\n",
        b"&a [*a]",
        b"%YAML 9.9\n---\n- x",
        b"- hosts: [[[[h1]]]]\n",
        b"? ? ? ?",
        b"!!python/object/apply:os.system ['id']",
        b"- hosts: \"h1[\"\n  tasks: []\n",
        b"\0\0\0\0",
    ];
    for bytes in noise {
        std::fs::write(site.path("noise.yml"), bytes).unwrap();
        let ended = site.sasrun(&["playbook", "noise.yml", "-i", "hosts.yml"]);
        ended.exits(3).never_says("panicked");
        let as_inventory = site.sasrun(&["inventory", "-i", "noise.yml", "--list"]);
        as_inventory.never_says("panicked");
        assert!(
            matches!(as_inventory.code, Some(0 | 3)),
            "{}",
            as_inventory.said()
        );
    }
    // Nesting without end.
    let deep = "[".repeat(100_000);
    site.file("deep.yml", &deep);
    site.sasrun(&["playbook", "deep.yml", "-i", "hosts.yml"])
        .exits(3)
        .never_says("panicked");
}

/// A pipe for an inventory does not hang the program for ever.
#[test]
fn a_folder_or_a_device_is_no_playbook() {
    let site = Site::new();
    site.file("hosts.yml", "all: {hosts: {h1: {}}}\n");
    for path in [".", "/dev/null"] {
        let mut command: Command = site.command();
        command
            .args(["playbook", path, "-i", "hosts.yml"])
            .stdin(Stdio::null());
        let ended = site.end(command, b"");
        ended.never_says("panicked");
        assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.said());
    }
}
