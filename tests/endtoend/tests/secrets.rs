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
