//! The database of a core: its instance and listener, its accounts, and the client that talks to it.

pub mod account;
pub mod instance;
mod logon;
pub mod names;
pub mod script;
pub mod sqlplus;
