//! What was encrypted shows nowhere, whatever way it came into the run.

use sasrun_endtoend::Site;

/// Values and the doors they come through.
const SECRETS: [&str; 6] = [
    "in-a-vars-file",
    "in-group-vars",
    "in-a-file-included",
    "in-a-value-included",
    "in-extra-variables",
    "704218913",
];

fn seal(site: &Site, file: &str) {
    site.sasrun(&[
        "vault",
        "encrypt",
        "--vault-password-file",
        "password",
        file,
    ])
    .exits(0);
}

#[test]
fn sealed_values_show_nowhere() {
    let site = Site::new();
    site.file("password", "of the vault\n");
    site.file("hosts.ini", "a ansible_connection=local\n");
    for (file, text) in [
        (
            "fixed.yml",
            "one: in-a-vars-file\nnested: {pin: 704218913}\n",
        ),
        ("group_vars/all.yml", "two: in-group-vars\n"),
        ("later.yml", "three: in-a-file-included\n"),
        ("extra.yml", "five: in-extra-variables\n"),
    ] {
        site.file(file, text);
        seal(&site, file);
    }
    let sealed = site.sasrun(&[
        "vault",
        "encrypt_string",
        "--vault-password-file",
        "password",
        "--name",
        "four",
        "in-a-value-included",
    ]);
    site.file("value.yml", &sealed.stdout);
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  vars_files: [fixed.yml]
  tasks:
    - include_vars: later.yml
    - include_vars: value.yml
    - shell: echo {{ one }} {{ two }} {{ three }} {{ four }} {{ five }} {{ nested.pin }} >&2
      register: said
    - debug: {var: said}
    - debug: {msg: \"{{ three | b64encode }}\"}
    - fail: {msg: \"{{ said.stderr }}\"}
",
    );
    let ended = site.sasrun(&[
        "playbook",
        "-i",
        "hosts.ini",
        "site.yml",
        "-vvv",
        "--vault-password-file",
        "password",
        "-e",
        "@extra.yml",
        "--events",
        "events.jsonl",
    ]);
    ended.exits(2);
    let told = [
        ended.stdout.clone(),
        ended.stderr.clone(),
        site.read("events.jsonl"),
        site.sasrun(&["show", "last", "-v"]).stdout,
    ];
    for secret in SECRETS {
        for text in &told {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(told[0].contains("********"), "{}", told[0]);
    assert!(
        !told[0].contains("aW4tYS1maWxlLWluY2x1ZGVk"),
        "Base64 shows: {}",
        told[0]
    );
}

#[test]
fn sealed_files_come_to_hosts_open_and_show_nowhere() {
    /// Bytes that are no text.
    const KEY: [u8; 5] = [0xff, 0x00, b'k', 0xfe, b'\n'];
    let site = Site::new();
    site.file("password", "of the vault\n");
    site.file("hosts.ini", "a ansible_connection=local\n");
    site.file("files/own.conf", "pin: of-one-file\n");
    site.file("files/tree/in/own.conf", "pin: of-a-tree\n");
    site.file(
        "files/script.sh",
        "#!/bin/sh\n# of-a-script\necho ran \"$1\"\n",
    );
    std::fs::write(site.path("files/key"), KEY).unwrap();
    std::fs::create_dir(site.path("packed")).unwrap();
    std::fs::copy(site.path("files/key"), site.path("packed/key")).unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-czf", "files/packed.tgz", "packed"])
        .current_dir(site.folder())
        .status();
    assert!(tar.unwrap().success());
    for file in [
        "own.conf",
        "tree/in/own.conf",
        "script.sh",
        "key",
        "packed.tgz",
    ] {
        seal(&site, &format!("files/{file}"));
    }
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  vars: {out: \"{{ playbook_dir }}/out\"}
  tasks:
    - copy: {src: own.conf, dest: \"{{ out }}/\"}
    - copy: {src: key, dest: \"{{ out }}/\"}
    - copy: {src: tree, dest: \"{{ out }}\"}
    - copy: {src: key, dest: \"{{ out }}/closed\", decrypt: false}
    - unarchive: {src: packed.tgz, dest: \"{{ out }}\"}
    - script: script.sh well
      register: said
    - copy: {content: \"{{ said.stdout }}\", dest: \"{{ out }}/said\"}
",
    );
    let run = |secret: bool| {
        let mut arguments = vec!["playbook", "-i", "hosts.ini", "site.yml", "-vvv", "--diff"];
        arguments.extend(["--events", "events.jsonl"]);
        if secret {
            arguments.extend(["--vault-password-file", "password"]);
        }
        site.sasrun(&arguments)
    };
    let ended = run(true);
    ended.exits(0);
    assert_eq!(site.read("out/own.conf"), "pin: of-one-file\n");
    assert_eq!(site.read("out/tree/in/own.conf"), "pin: of-a-tree\n");
    assert_eq!(site.read("out/said"), "ran well\n");
    for path in ["out/key", "out/packed/key"] {
        assert_eq!(std::fs::read(site.path(path)).unwrap(), KEY, "{path}");
    }
    assert!(site.read("out/closed").starts_with("$ANSIBLE_VAULT;"));
    let told = [
        ended.stdout.clone(),
        ended.stderr.clone(),
        site.read("events.jsonl"),
        site.sasrun(&["show", "last", "-v"]).stdout,
    ];
    for secret in ["of-one-file", "of-a-tree", "of-a-script"] {
        for text in &told {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(
        told[0].contains("not shown: it was in a vault"),
        "{}",
        told[0]
    );
    run(false)
        .exits(2)
        .says("A vault password or secret must be specified to decrypt");
}
