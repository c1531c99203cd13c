//! A page of the network as the `url` lookup asks for it.

/// How a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where it is.
    pub url: String,
    /// User for the server.
    pub username: Option<String>,
    /// That user's password.
    pub password: Option<String>,
    /// Sends user and password at once, not only when the server asks for them.
    pub forces_basic_auth: bool,
    /// Looks for user and password in the netrc where no user is given.
    pub uses_netrc: bool,
    /// Proves who we are with Kerberos.
    pub uses_gssapi: bool,
    /// Headers to send.
    pub headers: Vec<(String, String)>,
    /// Headers that are not sent on to where the server redirects.
    pub unredirected_headers: Vec<String>,
    /// Goes where the server redirects.
    pub follows_redirects: bool,
    /// Checks the server's certificate.
    pub validates_certificates: bool,
    /// Certificates to check the server's with: a file or a directory.
    pub ca_path: Option<String>,
    /// Ciphers to offer, separated by colons.
    pub ciphers: Option<String>,
    /// What the client calls itself.
    pub agent: String,
    /// Seconds without a byte after which it is given up.
    pub timeout_seconds: u64,
    /// Uses the proxy that the environment names.
    pub uses_proxy: bool,
    /// Socket to reach the server by.
    pub unix_socket: Option<String>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Templates may not ask this here.
    #[error("fetching pages is not available here")]
    NotAvailable,
    /// The server's certificate proves nothing.
    #[error("{0}")]
    Certificate(String),
    /// The server answered, with no page.
    #[error("HTTP Error {0}")]
    Status(u16),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}
