//! Modules about files of the host.

pub(crate) mod assemble;
pub(crate) mod blockinfile;
pub(crate) mod copy;
mod edit;
pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod find;
pub(crate) mod lineinfile;
mod placing;
pub(crate) mod replace;
pub(crate) mod slurp;
pub(crate) mod stat;
pub(crate) mod tempfile;
pub(crate) mod template;
mod tree;
