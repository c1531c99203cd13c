//! Web pages between stand-ins: a small server and the client that the product brings along.
//!
//! Plain text travels, with the name of the client's certificate in a header: only the lab's own client can fetch.

pub mod client;
pub mod server;

/// Header in which the client tells the name of its certificate.
pub const CERTIFICATE: &str = "X-Lab-Certificate";

/// Header by which the product's own client tells that it speaks the TLS of its time.
pub const OLD_TLS: &str = "X-Lab-Old-Tls";
