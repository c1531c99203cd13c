//! Tests that run the real program, by subject.
#![allow(clippy::unwrap_used)]

mod language;
