//! Modules that run what the playbook's author wrote: they cannot know beforehand what it changes.

pub(crate) mod command;
mod guard;
pub(crate) mod raw;
pub(crate) mod script;
pub(crate) mod shell;
