//! A whole lab: preparing its state, starting, watching and stopping it.

pub mod control;
pub mod options;
pub mod prepare;
pub mod supervise;
pub mod trial;
