//! Web pages between stand-ins: a small server and the client that the product brings along.
//!
//! Plain text travels, with the name of the client's certificate in a header: only the lab's own client can fetch.

pub mod client;
pub mod server;

/// Header in which the client tells the name of its certificate.
pub const CERTIFICATE: &str = "X-Lab-Certificate";
