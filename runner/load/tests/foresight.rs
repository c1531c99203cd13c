//! What is refused before a run, and, more important, what is left to it.
#![allow(clippy::unwrap_used)]

mod support;

use sasrun_load::Outset;
use sasrun_model::Variables;

const INVENTORY: &str = "\
all:
  children:
    webservers: {hosts: {web1: {}, web2: {only_here: 1}}, vars: {page: {title: x}}}
    databases: {hosts: {db1: {}}}
";

/// What a run of the plays would begin with, as told.
fn told(plays: &str, inventory: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("play.yml"), plays).unwrap();
    std::fs::write(path("hosts.yml"), inventory).unwrap();
    std::fs::write(path("vars.yml"), "from_file: 1\n").unwrap();
    std::fs::write(path("more.yml"), "- ping:\n").unwrap();
    let loader = support::loader();
    let inventory = loader
        .load_inventory(&[path("hosts.yml").to_str().unwrap()])
        .unwrap();
    let playbook = loader.load_playbook(&path("play.yml")).unwrap();
    let mut extra = Variables::new();
    extra.extend(loader.load_extra_variables(&["from_flag=1"]).unwrap());
    let found = loader.foresee(&Outset {
        playbooks: std::slice::from_ref(&playbook),
        inventory: &inventory,
        limit: None,
        extra: &extra,
        is_selected: &|tags| !tags.iter().any(|tag| tag == "never"),
        begins_later: false,
        given: &["inventory_hostname"],
    });
    support::describe_all(directory.path(), &found.err().unwrap_or_default())
}

fn of_hosts(hosts: &str) -> String {
    told(
        &format!("- hosts: {hosts}\n  tasks:\n    - ping:\n"),
        INVENTORY,
    )
}

fn of_tasks(tasks: &str) -> String {
    let head = "- hosts: webservers\n  vars_files: [vars.yml]\n  tasks:\n";
    told(&format!("{head}{tasks}"), INVENTORY)
}

#[test]
fn a_slip_of_a_groups_name_is_refused_at_its_place() {
    assert_eq!(
        of_hosts("databases:&webserver"),
        "play.yml:1:21 error E040: no group and no host is called `webserver`\n    = did you mean `webservers`?\n"
    );
    assert!(of_hosts("[web1, databaess]").starts_with("play.yml:1:17 error E040"));
}

#[test]
fn names_that_may_be_meant_are_left_to_the_run() {
    for hosts in [
        "web3",
        "appservers",
        "webserver*",
        "localhost",
        "\"{{ webserver }}\"",
        "'~webserver$'",
        "all:!bastion",
    ] {
        assert_eq!(of_hosts(hosts), "", "{hosts}");
    }
    let later = "- hosts: webserver\n  tasks:\n    - include_tasks: more.yml\n";
    assert_eq!(told(later, INVENTORY), "");
}

#[test]
fn a_source_that_lists_all_there_are_is_believed() {
    let machines = "plugin: machines\nmachines: {one: 127.0.0.1}\n";
    let plays = "- hosts: machines:elsewhere\n  tasks:\n    - ping:\n";
    assert!(told(plays, machines).starts_with("play.yml:1:19 error E040"));
}

#[test]
fn a_variable_that_nothing_defines_is_refused_at_its_place() {
    assert_eq!(
        of_tasks("    - debug:\n        msg: \"{{ from_fiel }}\"\n"),
        "play.yml:5:18 error E041: nothing defines the variable `from_fiel`\n    = did you mean `from_file`?\n"
    );
    assert_eq!(
        of_tasks("    - debug:\n        msg: \"{{ page.titel }}\"\n"),
        "play.yml:5:18 error E041: `page` has no `titel`\n    = did you mean `title`?\n"
    );
    assert!(of_tasks("    - ping:\n      when: nowhere == 1\n").starts_with("play.yml:5:13"));
    assert!(of_tasks("    - ping:\n      loop: \"{{ nowhere }}\"\n").starts_with("play.yml:5:17"));
    assert!(of_tasks("    - block:\n        - debug: {msg: \"{{ nowhere }}\"}\n").contains("E041"));
}

#[test]
fn whatever_could_define_a_variable_counts() {
    for name in [
        "from_file",
        "from_flag",
        "only_here",
        "page.title",
        "inventory_hostname",
        "ansible_distribution",
        "made.x",
        "registered.stdout",
        "later",
    ] {
        let tasks = format!(
            "    - debug:\n        msg: \"{{{{ {name} }}}}\"\n    - set_fact: {{made: 1}}\n    \
             - command: x\n      register: registered\n    - block: [ping: ]\n      vars: {{later: 1}}\n"
        );
        assert_eq!(of_tasks(&tasks), "", "{name}");
    }
}

#[test]
fn tasks_that_may_not_run_or_may_fail_are_left_alone() {
    let uses = "debug: {msg: \"{{ nowhere }}\"}";
    for tasks in [
        format!("    - {uses}\n      when: false\n"),
        format!("    - {uses}\n      ignore_errors: true\n"),
        format!("    - {uses}\n      failed_when: false\n"),
        format!("    - {uses}\n      tags: never\n"),
        format!("    - {uses}\n      loop: \"{{{{ from_file }}}}\"\n"),
        format!("    - block:\n        - {uses}\n      rescue:\n        - ping:\n"),
        format!("    - block:\n        - {uses}\n      when: from_file\n"),
        format!("    - include_vars: more.yml\n    - {uses}\n"),
        format!("    - include_tasks: more.yml\n    - {uses}\n"),
        format!("    - meta: end_play\n    - {uses}\n"),
        format!("    - fail: {{msg: stop}}\n    - {uses}\n"),
        "    - assert: {that: nowhere}\n".to_owned(),
    ] {
        assert_eq!(of_tasks(&tasks), "", "{tasks}");
    }
    let other = "- hosts: nobody_is_here\n  tasks:\n    - debug: {msg: \"{{ nowhere }}\"}\n";
    assert_eq!(told(other, INVENTORY), "");
}

#[test]
fn a_role_that_checks_its_arguments_tells_of_them_itself() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("hosts.yml", INVENTORY);
    file("play.yml", "- hosts: all\n  roles: [r]\n");
    file(
        "roles/r/tasks/main.yml",
        "- debug: {msg: \"{{ nowhere }}\"}\n",
    );
    let look = || {
        let loader = support::loader();
        let path = |name: &str| directory.path().join(name);
        let inventory = loader.load_inventory(&[path("hosts.yml").to_str().unwrap()]);
        let playbook = loader.load_playbook(&path("play.yml")).unwrap();
        loader.foresee(&Outset {
            playbooks: std::slice::from_ref(&playbook),
            inventory: &inventory.unwrap(),
            limit: None,
            extra: &Variables::new(),
            is_selected: &|_| true,
            begins_later: false,
            given: &[],
        })
    };
    assert!(look().is_err());
    let specs = "argument_specs: {main: {options: {nowhere: {type: str, required: true}}}}\n";
    file("roles/r/meta/argument_specs.yml", specs);
    assert!(look().is_ok());
}
