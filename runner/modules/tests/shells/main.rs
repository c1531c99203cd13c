//! Modules and the shell text they send, tried with every shell that this machine has, against a
//! scratch directory. What is judged is what is on the disk afterwards.
#![allow(clippy::unwrap_used)]

mod executor;
mod files;
mod hosts;
mod paths;
