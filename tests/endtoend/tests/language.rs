//! The playbook language: one file of cases for each subject.

use sasrun_endtoend::check_all;

macro_rules! subjects {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            check_all(include_str!(concat!("../cases/", stringify!($name), ".yml")));
        })*
    };
}

subjects!(
    blocks, foresight, handlers, strategies, loops, includes, settings, trees, variables, modes,
);
