//! Playbooks under `cases/playbooks`: what is loaded of each, or what is wrong with it.
#![allow(clippy::unwrap_used)]

mod support;

#[test]
fn playbooks_are_loaded_or_refused_as_expected() {
    for case in support::cases("playbooks") {
        let loader = support::loader();
        let mut told = match loader.load_playbook(&case.join("play.yml")) {
            Ok(playbook) => support::picture(&playbook),
            Err(problems) => support::describe_all(&case, &problems),
        };
        told += &support::describe_all(&case, &loader.take_warnings());
        support::hold_to(&case, &told);
    }
}
