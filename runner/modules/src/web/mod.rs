//! Modules that speak HTTP, by way of the `curl` that is there.

mod asking;
mod body;
mod curl;
pub(crate) mod get_url;
pub(crate) mod uri;
