//! What is loaded when an include is reached, and variables from files and flags.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::sync::Arc;

use sasrun_load::{IncludeContext, Loader, RoleRequest, VaultDecrypt, VaultError};
use sasrun_model::{Key, Node, Value};

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn context(root: &Path) -> IncludeContext {
    IncludeContext {
        path: "play.yml/0/tasks/3".into(),
        directory: root.to_owned(),
        playbook_directory: root.to_owned(),
        ..IncludeContext::default()
    }
}

fn apply() -> Node {
    let pairs = [("become", true)].map(|(key, value)| (Key::from(key), Value::from(value)));
    let text = Node::data(Value::map(pairs.into_iter().collect()));
    let Node { span, .. } = text;
    Node {
        span,
        kind: sasrun_model::NodeKind::Map(vec![sasrun_model::Entry {
            key: Node::text(span, "tags"),
            value: Node::text(span, "applied"),
        }]),
    }
}

#[test]
fn tasks_get_paths_below_the_include_and_what_it_applies() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("more.yml", "- ping:\n- command: ls\n")]);
    let context = IncludeContext {
        apply: Some(apply()),
        ..context(root.path())
    };
    let loaded = support::loader().load_tasks("more.yml", &context).unwrap();
    let mut text = String::new();
    support::steps(&mut text, &loaded.steps, 0);
    let expected = "\
block play.yml/0/tasks/3/more.yml tags=(applied)
  play.yml/0/tasks/3/more.yml/0 ansible.builtin.ping {}
  play.yml/0/tasks/3/more.yml/1 ansible.builtin.command {_raw_params: ls}
";
    assert_eq!(text, expected);
}

#[test]
fn a_file_that_changed_is_read_again() {
    let root = tempfile::tempdir().unwrap();
    let loader = support::loader();
    write(root.path(), &[("more.yml", "- ping:\n")]);
    let first = loader
        .load_tasks("more.yml", &context(root.path()))
        .unwrap();
    write(root.path(), &[("more.yml", "- ping:\n- ping:\n")]);
    let second = loader
        .load_tasks("more.yml", &context(root.path()))
        .unwrap();
    assert_eq!((first.steps.len(), second.steps.len()), (1, 2));
}

#[test]
fn a_role_comes_with_what_it_needs_and_brings() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &[
            ("roles/app/tasks/extra.yml", "- include_tasks: more.yml\n"),
            ("roles/app/tasks/more.yml", "- ping:\n"),
            ("roles/app/meta/main.yml", "dependencies: [base]\n"),
            ("roles/app/defaults/main.yml", "a: 1\n"),
            ("roles/app/handlers/main.yml", "- name: h\n  ping:\n"),
            ("roles/base/tasks/main.yml", "- ping:\n"),
        ],
    );
    let request = RoleRequest {
        name: "app".to_owned(),
        tasks_from: Some("extra".to_owned()),
        ..RoleRequest::default()
    };
    let loader = support::loader();
    let loaded = loader.load_role(&request, &context(root.path())).unwrap();
    assert_eq!(support::variables(&loaded.role.context.defaults), "{a: 1}");
    assert_eq!(loaded.handlers.len(), 1);
    let mut text = String::new();
    support::steps(&mut text, &loaded.steps, 0);
    assert!(
        text.contains("role=base") && text.contains("include Tasks"),
        "{text}"
    );

    // A file is found from inside the role.
    let inside = IncludeContext {
        role: Some(Arc::clone(&loaded.role)),
        ..context(root.path())
    };
    assert_eq!(
        loader.load_tasks("more.yml", &inside).unwrap().steps.len(),
        1
    );
    let problems = loader.load_tasks("gone.yml", &inside).unwrap_err();
    assert!(problems[0].message.contains("gone.yml"));
}

#[test]
fn extra_variables_come_in_every_form() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("vars.yml", "f: [1]\n")]);
    let file = format!("@{}", root.path().join("vars.yml").display());
    let arguments = [
        "a=1 b='x y'",
        "{c: yes, d: \"{{ a }}\"}",
        "{\"e\": null}",
        &file,
    ];
    let variables = support::loader().load_extra_variables(&arguments).unwrap();
    let expected = "{a: 1, b: x y, c: true, d: <{{ a }}>, e: ~, f: [1]}";
    assert_eq!(support::variables(&variables), expected);
    assert_eq!(variables["a"].as_str(), Some("1"));

    for wrong in ["novalue", "a='open", "{a: ", "1a=2", "@/no/such/file"] {
        let problems = support::loader()
            .load_extra_variables(&[wrong])
            .unwrap_err();
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
    }
}

struct Rot;

impl VaultDecrypt for Rot {
    fn decrypt(&self, envelope: &str) -> Result<Vec<u8>, VaultError> {
        match envelope.trim().strip_prefix("$ANSIBLE_VAULT;1.1;AES256") {
            Some(inner) => Ok(inner.trim().to_uppercase().into_bytes()),
            None => Err(VaultError::Malformed {
                detail: "no header".to_owned(),
            }),
        }
    }
}

#[test]
fn encrypted_values_are_opened_kept_as_data_and_remembered_as_secrets() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &[
            (
                "value.yml",
                "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  {{ s }}\n",
            ),
            ("whole.yml", "$ANSIBLE_VAULT;1.1;AES256\nb: hidden\n"),
        ],
    );
    let loader = support::loader().with_vault(Arc::new(Rot));
    let value = loader
        .load_variables(&root.path().join("value.yml"))
        .unwrap();
    assert!(value["a"].is_static());
    assert_eq!(value["a"].as_str(), Some("{{ S }}"));
    let whole = loader
        .load_variables(&root.path().join("whole.yml"))
        .unwrap();
    assert_eq!(whole["B"].as_str(), Some("HIDDEN"));
    let secrets = loader.take_secrets();
    assert_eq!(secrets, ["{{ S }}".into(), "HIDDEN".into()]);
    assert!(loader.take_secrets().is_empty(), "each is told once");
    // An excerpt must not show what was hidden.
    let sources = loader.sources();
    assert!(
        sources
            .files()
            .iter()
            .all(|file| !file.text.contains("HIDDEN"))
    );

    let problems = support::loader()
        .load_variables(&root.path().join("whole.yml"))
        .unwrap_err();
    assert_eq!(problems[0].code, sasrun_load::codes::VAULT);
}

#[test]
fn a_loader_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Loader>();
}

#[test]
fn a_role_beside_the_first_playbook_is_found_from_an_imported_one() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("roles/app/tasks/main.yml", "- ping:\n")]);
    let request = RoleRequest {
        name: "app".to_owned(),
        ..RoleRequest::default()
    };
    let imported = IncludeContext {
        root_directory: root.path().to_owned(),
        ..context(&root.path().join("plays"))
    };
    let loaded = support::loader().load_role(&request, &imported).unwrap();
    assert_eq!(loaded.steps.len(), 1);
}
