//! `/opt/opsware/oi_util/curl/bin/curl`: the product's own web client, with a client certificate.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::{CERTIFICATE, OLD_TLS};
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, print};

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Options {
    url: String,
    certificate: Option<String>,
    output: Option<String>,
    /// Text written after the page, with `%{http_code}` filled in.
    write_out: String,
    fails_on_error: bool,
    shows_head: bool,
    is_silent: bool,
    limit: Option<Duration>,
}

/// Why nothing was fetched, with curl's own number for it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
enum CurlError {
    #[error("option {0}: is unknown")]
    Option(String),
    #[error("no URL specified!")]
    NoUrl,
    #[error("URL using bad/illegal format or missing URL")]
    BadUrl,
    #[error("Could not resolve host: {0}")]
    Resolve(String),
    #[error("couldn't connect to host")]
    Connect,
    #[error("error:14094410:SSL routines:SSL3_READ_BYTES:sslv3 alert handshake failure")]
    Handshake,
    #[error("unable to set private key file: '{0}' type PEM")]
    Certificate(String),
    #[error("Operation timed out")]
    Timeout,
    #[error("Empty reply from server")]
    Empty,
    #[error("The requested URL returned error: {0}")]
    Status(u16),
}

impl CurlError {
    fn number(&self) -> u8 {
        match self {
            Self::Option(_) | Self::NoUrl => 2,
            Self::BadUrl => 3,
            Self::Resolve(_) => 6,
            Self::Connect => 7,
            Self::Status(_) => 22,
            Self::Timeout => 28,
            Self::Handshake => 35,
            Self::Empty => 52,
            Self::Certificate(_) => 58,
        }
    }
}

/// Fetches one page.
pub fn run(_site: &Site, args: &[String]) -> ExitCode {
    let (options, result) = match parse(args) {
        Ok(options) => {
            let result = fetch(&options);
            (options, result)
        }
        Err(error) => (Options::default(), Err(error)),
    };
    let status = match &result {
        Ok(_) => 0,
        Err(error) => {
            if !options.is_silent {
                complain(&format!("curl: ({}) {error}", error.number()));
            }
            error.number()
        }
    };
    site::log_read("curl.get", json!({"url": options.url, "status": status}));
    if let Ok(page) = result
        && let Err(error) = deliver(&options, &page)
    {
        complain(&format!("curl: (23) {error}"));
        return ExitCode::from(23);
    }
    ExitCode::from(status)
}

struct Fetched {
    status: u16,
    head: String,
    body: String,
}

fn deliver(options: &Options, page: &Fetched) -> std::io::Result<()> {
    let text = if options.shows_head {
        format!("{}\r\n\r\n{}", page.head, page.body)
    } else {
        page.body.clone()
    };
    match options.output.as_deref() {
        Some("-") | None => print(&text),
        Some(path) => std::fs::write(path, text)?,
    }
    let after = options
        .write_out
        .replace("%{http_code}", &format!("{:03}", page.status))
        .replace("\\n", "\n");
    print(&after);
    Ok(())
}

fn parse(args: &[String]) -> Result<Options, CurlError> {
    let mut options = Options::default();
    let mut args = args.iter();
    let lone = [
        "-s",
        "-S",
        "-k",
        "-L",
        "-sS",
        "-sk",
        "-ks",
        "-q",
        "-#",
        "-0",
        "--silent",
        "--show-error",
        "--insecure",
    ];
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .cloned()
                .ok_or_else(|| CurlError::Option(arg.clone()))
        };
        match arg.as_str() {
            "-s" | "--silent" => options.is_silent = true,
            "-S" | "-sS" | "--show-error" => options.is_silent = false,
            "-E" | "--cert" => options.certificate = Some(value()?),
            "-o" | "--output" => options.output = Some(value()?),
            "-w" | "--write-out" => options.write_out = value()?,
            "-m" | "--max-time" | "--connect-timeout" => {
                let text = value()?;
                let seconds: f64 = text.parse().map_err(|_| CurlError::Option(text.clone()))?;
                options.limit = Duration::try_from_secs_f64(seconds).ok();
            }
            "-H" | "--header" | "--cert-type" | "--key" | "--key-type" | "--cacert" | "-A"
            | "--tlsv1" | "--pass" => {
                value()?;
            }
            "-f" | "--fail" => options.fails_on_error = true,
            "-i" | "--include" => options.shows_head = true,
            other if lone.contains(&other) || other == "--http1.0" || other == "--location" => {}
            other if other.starts_with('-') => return Err(CurlError::Option(other.to_owned())),
            url => options.url = url.to_owned(),
        }
    }
    if options.url.is_empty() {
        Err(CurlError::NoUrl)
    } else {
        Ok(options)
    }
}

fn fetch(options: &Options) -> Result<Fetched, CurlError> {
    let (scheme, rest) = options.url.split_once("://").ok_or(CurlError::BadUrl)?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| CurlError::BadUrl)?),
        None => (authority, if scheme == "https" { 443 } else { 80 }),
    };
    let address = (name, port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
        .ok_or_else(|| CurlError::Resolve(name.to_owned()))?;
    let certificate = options
        .certificate
        .as_deref()
        .map(certificate_name)
        .transpose()?;
    let limit = options.limit.unwrap_or(Duration::from_secs(120));
    let mut stream = TcpStream::connect_timeout(&address, limit).map_err(|_| CurlError::Connect)?;
    let _ = stream.set_read_timeout(Some(limit));
    if scheme == "https" && certificate.is_none() {
        return Err(CurlError::Handshake);
    }
    let head = format!(
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\n{CERTIFICATE}: {}\r\n{OLD_TLS}: yes\r\n\r\n",
        certificate.unwrap_or_default()
    );
    stream
        .write_all(head.as_bytes())
        .map_err(|_| CurlError::Empty)?;
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => CurlError::Timeout,
            _ => CurlError::Empty,
        })?;
    split(&String::from_utf8_lossy(&bytes), options.fails_on_error)
}

fn split(answer: &str, fails_on_error: bool) -> Result<Fetched, CurlError> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(CurlError::Empty)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok())
        .ok_or(CurlError::Empty)?;
    if fails_on_error && status >= 400 {
        return Err(CurlError::Status(status));
    }
    Ok(Fetched {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// The name in a certificate file, given as `path` or `path:password`.
fn certificate_name(given: &str) -> Result<String, CurlError> {
    let refused = || CurlError::Certificate(given.to_owned());
    let path = if std::path::Path::new(given).is_file() {
        given
    } else {
        given.split(':').next().unwrap_or(given)
    };
    let text = std::fs::read_to_string(path).map_err(|_| refused())?;
    let subject = text
        .lines()
        .find_map(|line| line.strip_prefix("subject="))
        .ok_or_else(refused)?;
    subject
        .rsplit("CN=")
        .next()
        .map(|name| name.trim().to_owned())
        .ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_usual_call_is_understood_and_others_are_refused() {
        let options = parse(&args(
            "-s -k -m 5 -E /c/spin.srv https://a1:1004/x -w %{http_code}",
        ))
        .unwrap();
        assert_eq!(options.url, "https://a1:1004/x");
        assert_eq!(options.certificate.as_deref(), Some("/c/spin.srv"));
        assert_eq!(options.limit, Some(Duration::from_secs(5)));
        assert_eq!(
            parse(&args("--wonder https://a")),
            Err(CurlError::Option("--wonder".into()))
        );
        assert_eq!(parse(&args("-s")), Err(CurlError::NoUrl));
    }

    #[test]
    fn an_answer_is_split_and_judged() {
        let answer = "HTTP/1.0 403 Error\r\nA: b\r\n\r\nno\r\n\r\nway";
        let page = split(answer, false).unwrap();
        assert_eq!((page.status, page.body.as_str()), (403, "no\r\n\r\nway"));
        assert_eq!(split(answer, true).err(), Some(CurlError::Status(403)));
    }
}
