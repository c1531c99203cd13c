//! Modules about jobs: commands that outlive the connection and the run that began them.

pub(crate) mod async_status;
pub(crate) mod listed;
