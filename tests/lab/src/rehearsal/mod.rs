//! Rehearsals: a site's own mesh inventory made into one that leads to a lab, and faults by name to try beforehand.
//!
//! Pure: text in, text out. What the site wrote stays as it is; nothing of its secrets is taken over.

pub mod faults;
pub mod mesh;
