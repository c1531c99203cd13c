//! Pages of the network for templates: the controller's `curl` fetches them. All it shall do stands in
//! configuration on its standard input, so that no password ever stands in a list of processes.

mod netrc;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sasrun_template::{PageError, PageRequest};

/// Mark between the page and what curl says of the answer.
const MARK: &str = "\n@@sasrun-page ";

/// How curl ends where a certificate proves nothing, or where there is none to prove it with.
const CERTIFICATE_CODES: [i32; 3] = [51, 60, 77];

/// Fetches a page.
pub(crate) fn fetch(page: &PageRequest) -> Result<Vec<u8>, PageError> {
    let login = page.uses_netrc.then(netrc::read).flatten();
    let login = login.and_then(|text| netrc::login(&text, server_of(&page.url)));
    if !page.follows_redirects || page.unredirected_headers.is_empty() {
        return ask(page, login.as_ref(), page.follows_redirects)?.page();
    }
    let first = ask(page, login.as_ref(), false)?;
    if first.redirects_to.is_empty() {
        return first.page();
    }
    let is_kept = |name: &str| {
        let mut left = page.unredirected_headers.iter();
        !left.any(|other| other.eq_ignore_ascii_case(name))
    };
    let mut next = page.clone();
    next.url = first.redirects_to;
    next.headers.retain(|(name, _)| is_kept(name));
    // A user of this server is none of another's business.
    let is_same_server = server_of(&next.url) == server_of(&page.url);
    if !is_kept("authorization") || !is_same_server {
        next.username = None;
    }
    let login = login.filter(|_| is_kept("authorization") && is_same_server);
    ask(&next, login.as_ref(), true)?.page()
}

/// What a server answered.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    redirects_to: String,
    content: Vec<u8>,
}

impl Answer {
    /// Reads what curl printed.
    fn read(mut printed: Vec<u8>) -> Option<Self> {
        let mark = MARK.as_bytes();
        let at = printed
            .windows(mark.len())
            .rposition(|window| window == mark)?;
        let figures = String::from_utf8_lossy(&printed[at + mark.len()..]).into_owned();
        printed.truncate(at);
        let (status, redirects_to) = figures.trim_end().split_once(' ').unwrap_or((&figures, ""));
        Some(Self {
            status: status.trim().parse().ok()?,
            redirects_to: redirects_to.trim().to_owned(),
            content: printed,
        })
    }

    /// The page; files and FTP have no status.
    fn page(self) -> Result<Vec<u8>, PageError> {
        match self.status {
            0 | 200..300 => Ok(self.content),
            status => Err(PageError::Status(status)),
        }
    }
}

fn ask(
    page: &PageRequest,
    login: Option<&netrc::Login>,
    follows_redirects: bool,
) -> Result<Answer, PageError> {
    let output = run(&configuration(page, login, follows_redirects))
        .map_err(|error| PageError::Failed(format!("cannot run curl: {error}")))?;
    let code = output.status.code().unwrap_or(-1);
    if code != 0 {
        // What follows the first line is advice for users of curl.
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().next().unwrap_or_default();
        let said = said.trim_start_matches("curl: ").to_owned();
        return Err(if CERTIFICATE_CODES.contains(&code) {
            PageError::Certificate(said)
        } else {
            PageError::Failed(said)
        });
    }
    Answer::read(output.stdout)
        .ok_or_else(|| PageError::Failed("curl told nothing of the answer".to_owned()))
}

fn run(configuration: &str) -> std::io::Result<Output> {
    // `-q`: the user's own configuration of curl is not Ansible's.
    let mut child = Command::new("curl")
        .args(["-q", "-K", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // curl reads all of it before it does anything; if it ended early, its own words say why.
        match input.write_all(configuration.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    child.wait_with_output()
}

/// A request as curl's configuration.
fn configuration(
    page: &PageRequest,
    login: Option<&netrc::Login>,
    follows_redirects: bool,
) -> String {
    let mut lines = String::from("silent\nshow-error\ngloboff\n");
    let mut set = |option: &str, value: &str| {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
            .replace('\t', "\\t");
        lines.push_str(&format!("{option} = \"{value}\"\n"));
    };
    let timeout = page.timeout_seconds.max(1).to_string();
    set("url", &page.url);
    set("proto", "=http,https,ftp,file");
    set("proto-redir", "=http,https,ftp");
    set("user-agent", &page.agent);
    set("connect-timeout", &timeout);
    set("speed-limit", "1");
    set("speed-time", &timeout);
    set(
        "write-out",
        &format!("{MARK}%{{http_code}} %{{redirect_url}}"),
    );
    // What netrc knows of the server wins over a header, as in Ansible; curl would take the header.
    let login = login.filter(|_| page.username.is_none());
    for (name, value) in &page.headers {
        if login.is_none() || !name.eq_ignore_ascii_case("authorization") {
            let sign = if value.is_empty() { ";" } else { ": " };
            set("header", &format!("{name}{sign}{value}"));
        }
    }
    if let Some(login) = login {
        set("user", &format!("{}:{}", login.user, login.password));
    } else if let Some(user) = &page.username {
        let password = page.password.as_deref().unwrap_or_default();
        set("user", &format!("{user}:{password}"));
    } else if page.uses_gssapi {
        set("user", ":");
    }
    let bundle = page.ca_path.as_deref();
    let (bundle, folder) = match bundle.map(|path| (path, Path::new(path).is_dir())) {
        Some((path, true)) => (None, Some(path)),
        Some((path, false)) => (Some(path), None),
        None => (None, None),
    };
    for (option, value) in [
        ("cacert", bundle),
        ("capath", folder),
        ("ciphers", page.ciphers.as_deref()),
        ("unix-socket", page.unix_socket.as_deref()),
        ("noproxy", (!page.uses_proxy).then_some("*")),
    ] {
        if let Some(value) = value {
            set(option, value);
        }
    }
    for (flag, is_set) in [
        ("location", follows_redirects),
        ("insecure", !page.validates_certificates),
        ("negotiate", page.uses_gssapi),
        // Basic is curl's first choice; where it is not forced the server says what it wants.
        (
            "anyauth",
            page.username.is_some() && !page.forces_basic_auth && !page.uses_gssapi,
        ),
    ] {
        if is_set {
            lines.push_str(flag);
            lines.push('\n');
        }
    }
    lines
}

/// The name of the server in an address.
fn server_of(url: &str) -> &str {
    let server = url.split_once("://").map_or(url, |(_, rest)| rest);
    let server = server.split(['/', '?', '#']).next().unwrap_or_default();
    let server = server.rsplit('@').next().unwrap_or_default();
    match server.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => server.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> PageRequest {
        PageRequest {
            url: "https://h.tests/".to_owned(),
            username: None,
            password: None,
            forces_basic_auth: false,
            uses_netrc: true,
            uses_gssapi: false,
            headers: vec![("Authorization".to_owned(), "Bearer t".to_owned())],
            unredirected_headers: Vec::new(),
            follows_redirects: true,
            validates_certificates: true,
            ca_path: None,
            ciphers: None,
            agent: "me".to_owned(),
            timeout_seconds: 10,
            uses_proxy: true,
            unix_socket: None,
        }
    }

    #[test]
    fn the_page_ends_where_the_figures_begin() {
        let printed = b"a\n@@sasrun-page x\n@@sasrun-page 302 https://h/b".to_vec();
        let answer = Answer::read(printed).unwrap();
        assert_eq!(answer.content, b"a\n@@sasrun-page x");
        assert_eq!(
            (answer.status, answer.redirects_to.as_str()),
            (302, "https://h/b")
        );
        assert_eq!(answer.page(), Err(PageError::Status(302)));
        let answer = Answer::read(b"\n@@sasrun-page 000 ".to_vec()).unwrap();
        assert_eq!(answer.page(), Ok(Vec::new()));
        assert_eq!(Answer::read(b"none".to_vec()), None);
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        let mut page = request();
        page.agent = "x\"\nurl = \"evil".to_owned();
        let lines = configuration(&page, None, true);
        assert_eq!(
            lines.lines().filter(|line| line.starts_with("url")).count(),
            1
        );
    }

    #[test]
    fn netrc_wins_over_a_header_and_a_given_user_over_netrc() {
        let login = netrc::Login {
            user: "foo".to_owned(),
            password: "bar".to_owned(),
        };
        let mut page = request();
        let lines = configuration(&page, Some(&login), true);
        assert!(lines.contains("user = \"foo:bar\"\n"), "{lines}");
        assert!(!lines.contains("Bearer"), "{lines}");
        page.username = Some("me".to_owned());
        let lines = configuration(&page, Some(&login), true);
        assert!(
            lines.contains("user = \"me:\"\nlocation\nanyauth\n"),
            "{lines}"
        );
    }

    #[test]
    fn servers_are_found_in_addresses() {
        for (url, server) in [
            ("https://h.tests/a?b", "h.tests"),
            ("http://me:x@h.tests:80#x", "h.tests"),
            ("http://[::1]:80/", "::1"),
            ("h.tests", "h.tests"),
        ] {
            assert_eq!(server_of(url), server);
        }
    }
}
