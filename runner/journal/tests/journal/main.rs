//! The journal from outside: written, read back, cut, damaged, and on disks that fail.
#![allow(clippy::unwrap_used)]

mod damage;
mod failing;
mod formats;
mod sample;
mod writing;
