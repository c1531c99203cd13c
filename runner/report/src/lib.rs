//! Events into text, live progress and JSON lines; diagnostics into something a person can act on.
//!
//! Knows neither the engine nor a host: it could draw last year's journal. Everything it writes
//! goes through one [`Mask`], so that no secret is ever shown.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod closing;
mod diagnostics;
mod difference;
mod jobs;
mod json;
mod live;
mod mask;
mod python_json;
mod recap;
mod short;
mod shown;
mod style;
mod text;

pub use closing::Closing;
pub use diagnostics::render as render_diagnostics;
pub use jobs::{JobForm, JobLines};
pub use json::JsonLines;
pub use live::Live;
pub use mask::Mask;
pub use python_json::indented as indented_json;
pub use short::Short;
pub use style::Style;
pub use text::{Text, TextOptions};
