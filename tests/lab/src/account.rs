//! Who can log in to a host: users, passwords and keys.

pub mod become_user;
pub mod keys;
pub mod users;
