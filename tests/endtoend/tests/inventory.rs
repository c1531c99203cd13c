//! The inventory of a run as it changes: read anew in its middle, and the same again in a run that goes on.

use sasrun_endtoend::Site;

/// Prints an inventory that is another one each time: the number of the reading tells which hosts there are.
const SCRIPT: &str = r#"#!/bin/sh
cd "`dirname "$0"`"
echo asked >>asked
n=`grep -c asked asked`
case $n in
1) hosts='"first","leaves"' ;;
*) hosts='"first","comes"' ;;
esac
echo "{\"g\": {\"hosts\": [$hosts], \"vars\": {\"ansible_connection\": \"local\", \"reading\": $n}}, \"_meta\": {\"hostvars\": {}}}"
"#;

const PLAYBOOK: &str = "- hosts: first:leaves
  gather_facts: false
  tasks:
    - add_host: {name: made, groups: [g], ansible_connection: local}
      run_once: true
    - group_by: {key: 'kind_{{ inventory_hostname }}'}
    - meta: refresh_inventory
    - shell: echo {{ inventory_hostname }} goes on >> {{ playbook_dir }}/said
- hosts: g
  gather_facts: false
  tasks:
    - shell: >-
        echo {{ inventory_hostname }} {{ reading }} {{ group_names | join('+') }} >> {{ playbook_dir }}/said
    - shell: test -e {{ playbook_dir }}/mended
      on_failure: stop
      run_once: true
    - shell: echo {{ groups.all | sort | join(' ') }} >> {{ playbook_dir }}/said
      run_once: true
";

#[test]
fn an_inventory_is_read_anew_and_stays_so_in_a_run_that_goes_on() {
    let site = Site::new();
    site.executable("hosts.sh", SCRIPT);
    site.file("site.yml", PLAYBOOK);
    site.sasrun(&["playbook", "-i", "hosts.sh", "site.yml"])
        .exits(6);
    let said = || {
        let text = site.read("said");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = [
        "comes 2 g",
        "first 2 g+kind_first",
        "first goes on",
        "leaves goes on",
        "made 2 g",
    ];
    assert_eq!(said(), expected);
    site.file("mended", "");
    site.sasrun(&["resume", "last"]).exits(0);
    assert_eq!(
        site.read("asked"),
        "asked\nasked\n",
        "nothing is asked again"
    );
    assert_eq!(said()[1], "comes first made", "what is there now");
    assert_eq!(said().len(), expected.len() + 1);
}

#[test]
fn an_inventory_that_cannot_be_read_anew_stays_as_it_was() {
    let site = Site::new();
    site.file("hosts.ini", "a ansible_connection=local\n");
    site.file(
        "site.yml",
        "- hosts: all
  gather_facts: false
  tasks:
    - shell: echo '[a:wrong' > {{ playbook_dir }}/hosts.ini
    - meta: refresh_inventory
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: \"{{ inventory_hostname }} is still there\"}
",
    );
    site.sasrun(&["playbook", "-i", "hosts.ini", "site.yml"])
        .exits(0)
        .says("the inventory stays as it was")
        .says("a is still there");
}
