//! A server for a few small pages: one request per connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::{CERTIFICATE, OLD_TLS};
use crate::standin::site::Site;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// Name in the client's certificate; empty without one.
    pub certificate: String,
    /// Whether the client speaks the TLS of the product's time.
    pub is_old_client: bool,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

impl Response {
    pub fn page(body: String) -> Self {
        Self { status: 200, body }
    }

    pub fn error(status: u16, text: &str) -> Self {
        Self {
            status,
            body: format!("<html><body><h1>{status} {text}</h1></body></html>\n"),
        }
    }
}

/// Longest request that is read.
const MAX_BYTES: usize = 16 * 1024;

/// Accepts connections for ever; without pages they are only accepted and closed.
pub fn accept(listener: &TcpListener, pages: Option<fn(&Site, &Request) -> Response>) {
    for stream in listener.incoming().flatten() {
        if let Some(pages) = pages {
            std::thread::spawn(move || serve(stream, pages));
        }
    }
}

fn serve(mut stream: TcpStream, pages: fn(&Site, &Request) -> Response) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let Some(request) = read(&mut stream) else {
        return;
    };
    let response = match Site::inside() {
        Ok(site) => pages(&site, &request),
        Err(error) => Response::error(500, &error.to_string()),
    };
    let head = format!(
        "HTTP/1.0 {} {}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        response.status,
        if response.status == 200 {
            "OK"
        } else {
            "Error"
        },
        response.body.len()
    );
    // A client that went away has no use for the rest.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(response.body.as_bytes()));
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(chunk.get(..count)?);
        if bytes.len() > MAX_BYTES {
            return None;
        }
    }
    parse(&String::from_utf8_lossy(&bytes))
}

/// Reads the head of a request.
fn parse(head: &str) -> Option<Request> {
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let fields: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let field = |wanted: &str| {
        let found = fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    Some(Request {
        path,
        certificate: field(CERTIFICATE).unwrap_or_default(),
        is_old_client: field(OLD_TLS).is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_found_in_the_head() {
        let request =
            parse("GET /status?x=1 HTTP/1.0\r\nHost: a\r\nx-lab-certificate: spin\r\n\r\n")
                .unwrap();
        assert_eq!(
            request,
            Request {
                path: "/status?x=1".into(),
                certificate: "spin".into(),
                is_old_client: false,
            }
        );
        assert_eq!(parse("GET / HTTP/1.0\r\n\r\n").unwrap().certificate, "");
        assert!(parse("").is_none());
    }
}
