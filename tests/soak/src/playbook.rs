//! The playbook whose steps keep a ledger: every class of step, handlers, loops, branches side by
//! side, rescues, includes, a dialogue, batches, hosts that go alone.

use std::fmt::Write;
use std::io;
use std::path::Path;

/// Hosts of the inventory.
pub(crate) const HOSTS: usize = 8;
/// Numbered steps of the first play.
const STEPS: usize = 42;

/// How often a step may stand in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// Exactly once.
    Once,
    /// At least once, and once more for each time that the run was cut off.
    Repeatable,
}

/// Whether a line of a ledger is of a step that may be repeated.
pub(crate) fn times(line: &str) -> Times {
    if line.starts_with("again") {
        Times::Repeatable
    } else {
        Times::Once
    }
}

/// Writes the playbook, and the inventory of hosts with these variables.
pub(crate) fn write(folder: &Path, hosts: &[Vec<String>]) -> io::Result<()> {
    std::fs::create_dir_all(folder.join("ledger"))?;
    std::fs::write(folder.join("hosts.ini"), inventory(hosts))?;
    std::fs::write(folder.join("dialogue.sh"), DIALOGUE)?;
    std::fs::write(folder.join("included.yml"), INCLUDED)?;
    std::fs::write(folder.join("site.yml"), site())
}

/// The inventory of hosts with these variables, named `h1`, `h2` and on.
pub(crate) fn inventory(hosts: &[Vec<String>]) -> String {
    let mut text = String::from("[all]\n");
    for (number, variables) in hosts.iter().enumerate() {
        let _ = writeln!(text, "h{} {}", number + 1, variables.join(" "));
    }
    text
}

/// What of a ledger's files tells that the dialogue has begun, and the line of its deed, which may come much later.
pub(crate) const ASKED: &str = "asked 1";
pub(crate) const ANSWERED: &str = "dialogue";

/// A program that asks before it does its one deed.
const DIALOGUE: &str = "\
echo \"$2\" > \"$1.asked\"
printf 'Which host? '
read host || exit 9
printf 'Really (y/n)? '
read sure || exit 9
if [ \"$host $sure\" != \"$2 y\" ]; then exit 8; fi
echo dialogue >> \"$1\"
echo thank you
";

const INCLUDED: &str = "\
- name: included {{ number }}
  shell: echo included-{{ number }} >> {{ ledger }}
  done_when: grep -qx included-{{ number }} {{ ledger }}
- name: included again {{ number }}
  shell: echo again-included-{{ number }} >> {{ ledger }}
  repeatable: true
  notify: told
";

fn site() -> String {
    let mut text = String::from(HEAD);
    for number in 0..STEPS {
        text.push_str(&step(number));
    }
    text.push_str(TAIL);
    text
}

fn step(number: usize) -> String {
    let form = match number % 7 {
        0 => ONCE,
        1 => AGAIN,
        2 => COPY,
        3 => LOOP,
        4 => CHAIN,
        5 => RESCUE,
        _ => INCLUDE,
    };
    form.replace("NUMBER", &number.to_string())
}

const HEAD: &str = "\
- hosts: all
  gather_facts: false
  vars:
    ledger: '{{ playbook_dir }}/ledger/{{ inventory_hostname }}'
  handlers:
    - name: told
      shell: echo again-told >> {{ ledger }}
      repeatable: true
    - name: told once
      shell: echo told-once >> {{ ledger }}
      done_when: grep -qx told-once {{ ledger }}
  tasks:
    - name: a number that nobody can know before
      set_fact:
        token: '{{ 1000000000 | random }}'
    - name: write it down
      shell: echo {{ token }} > {{ ledger }}.token
      repeatable: true
    - name: in an order of chance
      shell: echo chance-{{ item }} >> {{ ledger }}
      done_when: grep -qx chance-{{ item }} {{ ledger }}
      loop: '{{ range(5) | shuffle }}'
    - name: group
      group_by:
        key: group_{{ (inventory_hostname[1:] | int) % 2 }}
";
const ONCE: &str = "    - name: once NUMBER
      shell: echo once-NUMBER >> {{ ledger }}
      register: said
";
const AGAIN: &str = "    - name: again NUMBER
      shell: echo again-NUMBER >> {{ ledger }}
      repeatable: true
      notify: told
";
const COPY: &str = "    - name: copy NUMBER
      copy:
        content: '{{ token }} {{ inventory_hostname }}'
        dest: '{{ ledger }}.copy-NUMBER'
      notify: told once
";
const LOOP: &str = "    - name: loop NUMBER
      shell: echo loop-NUMBER-{{ item }} >> {{ ledger }}
      done_when: grep -qx loop-NUMBER-{{ item }} {{ ledger }}
      loop: [a, b, c]
";
const CHAIN: &str = "    - name: say NUMBER
      shell: echo again-chain-NUMBER >> {{ ledger }}; echo word-NUMBER
      repeatable: true
      register: said
    - name: heard NUMBER
      shell: echo heard-{{ said.stdout }} >> {{ ledger }}
      done_when: grep -qx heard-{{ said.stdout }} {{ ledger }}
";
const RESCUE: &str = "    - block:
        - name: fails NUMBER
          shell: echo again-fails-NUMBER >> {{ ledger }}; exit 3
          repeatable: true
        - name: never NUMBER
          shell: echo never-NUMBER >> {{ ledger }}
      rescue:
        - name: rescue NUMBER
          shell: echo rescue-NUMBER-{{ ansible_failed_result.rc }} >> {{ ledger }}
          done_when: grep -qx rescue-NUMBER-{{ ansible_failed_result.rc }} {{ ledger }}
      always:
        - name: always NUMBER
          shell: echo always-NUMBER >> {{ ledger }}
          done_when: grep -qx always-NUMBER {{ ledger }}
";
const INCLUDE: &str = "    - name: include NUMBER
      include_tasks: included.yml
      vars:
        number: NUMBER
";
const TAIL: &str = "    - parallel:
        left:
          - name: left
            shell: echo left >> {{ ledger }}
            done_when: grep -qx left {{ ledger }}
          - name: left fact
            set_fact:
              from_left: '{{ token }}'
        right:
          - name: right
            shell: echo right-{{ item }} >> {{ ledger }}
            done_when: grep -qx right-{{ item }} {{ ledger }}
            loop: [1, 2]
    - name: dialogue
      expect:
        command: /bin/sh {{ playbook_dir }}/dialogue.sh {{ ledger }} {{ inventory_hostname }}
        responses:
          'Which host\\?': '{{ inventory_hostname }}'
          'Really \\(y/n\\)\\?': y
    - name: both
      shell: echo both-{{ from_left == token }} >> {{ ledger }}
      done_when: grep -qx both-True {{ ledger }}

- hosts: group_1
  gather_facts: false
  serial: 3
  vars:
    ledger: '{{ playbook_dir }}/ledger/{{ inventory_hostname }}'
  tasks:
    - name: in batches
      shell: echo batch >> {{ ledger }}
      done_when: grep -qx batch {{ ledger }}

- hosts: all
  gather_facts: false
  strategy: free
  vars:
    ledger: '{{ playbook_dir }}/ledger/{{ inventory_hostname }}'
  tasks:
    - name: alone
      shell: echo alone-{{ item }} >> {{ ledger }}
      done_when: grep -qx alone-{{ item }} {{ ledger }}
      loop: [1, 2, 3]
    - name: the number is what it was
      shell: echo same-$(cat {{ ledger }}.token | grep -c '^{{ token }}$') >> {{ ledger }}
      done_when: grep -qx same-1 {{ ledger }}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_sixty_steps_and_every_kind_of_them() {
        let text = site();
        let steps = text.matches("- name: ").count() + text.matches("include_tasks").count();
        assert!(steps >= 60, "{steps}");
        for kind in [
            "handlers:",
            "notify:",
            "loop:",
            "parallel:",
            "expect:",
            "rescue:",
            "always:",
            "include_tasks:",
            "register:",
            "serial:",
            "strategy: free",
            "group_by:",
            "random",
        ] {
            assert!(text.contains(kind), "{kind}");
        }
    }
}
