//! Modules about files of the host.

pub(crate) mod assemble;
pub(crate) mod blockinfile;
pub(crate) mod copy;
pub(crate) mod edit;
pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod find;
pub(crate) mod htpasswd;
pub(crate) mod ini_file;
pub(crate) mod lineinfile;
mod on_host;
mod placing;
pub(crate) mod replace;
mod shell_pattern;
pub(crate) mod slurp;
pub(crate) mod stat;
pub(crate) mod tempfile;
pub(crate) mod template;
mod tree;

pub(crate) use copy::sent_content;
pub(crate) use shell_pattern::{shell_pattern, translated};
