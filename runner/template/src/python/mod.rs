//! The parts of Python that templates lean on: methods, formatting, regular expressions, dates, JSON and YAML text.

mod dict_methods;
pub(crate) mod json;
mod list_methods;
pub(crate) mod methods;
pub(crate) mod moment;
pub(crate) mod network;
pub(crate) mod percent;
pub(crate) mod regex;
mod spec;
mod text_format;
mod text_methods;
pub(crate) mod yaml;

pub(crate) use text_methods::{capitalize, title};
