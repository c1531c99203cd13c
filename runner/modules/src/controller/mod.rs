//! Modules that touch no host: they work on variables, on the inventory and on people.

pub(crate) mod assert;
pub(crate) mod debug;
pub(crate) mod fail;
pub(crate) mod gate;
pub(crate) mod include_vars;
pub(crate) mod inventory;
pub(crate) mod meta;
pub(crate) mod pause;
pub(crate) mod set_fact;
pub(crate) mod set_stats;
pub(crate) mod validate_argument_spec;
