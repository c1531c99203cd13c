//! Requests as configuration for `curl`, read from its standard input, so that no password ever
//! stands in a list of processes; and its output as answers.

use sasrun_plugin::{ArgumentSpec, Arguments, Command, Host, Object};
use serde_json::Value;

use crate::describe::{choice, dictionary, integer, path, switch, text};

/// Mark between the answer and what curl says of it; nothing else starts a line with it.
const MARK: &str = "@@sasrun-curl ";

/// Arguments that both modules have.
pub(super) fn shared_arguments() -> Vec<ArgumentSpec> {
    vec![
        text("url_username", "User for the server.").alias(&["username", "user"]),
        text("url_password", "Password for the server.")
            .alias(&["password"])
            .secret(),
        switch(
            "force_basic_auth",
            "Sends them at once, not when the server asks for them.",
        ),
        dictionary("headers", "Headers to send."),
        choice("validate_certs", "Checks the server's certificate.").defaults_to(true),
        path("client_cert", "Certificate to show to the server."),
        path("client_key", "Key of that certificate."),
        path("ca_path", "Certificates to check the server's with."),
        text("http_agent", "What the client calls itself.").defaults_to("ansible-httpget"),
        choice("use_proxy", "Uses the proxy that the environment names.").defaults_to(true),
        integer("timeout", "How long it may take, in seconds.").defaults_to(30),
        switch("force", "Does not trust what caches hold."),
        choice("use_netrc", "Looks for the user in the host's netrc.").defaults_to(true),
        switch("use_gssapi", "Accepted and not used."),
        text("ciphers", "Ciphers to offer."),
        choice("decompress", "Unpacks what comes compressed.").defaults_to(true),
        crate::describe::texts(
            "unredirected_headers",
            "Headers that are not sent on to where the server redirects (`get_url`).",
        ),
    ]
}

/// Asks with what the host's netrc knows of the server, if it has one.
const WITH_NETRC: &str = "n=${NETRC-$HOME/.netrc}\n\
    if [ -r \"$n\" ]; then curl --netrc-optional --netrc-file \"$n\" -K -\n\
    else curl -K -; fi";

/// A request as a command of the host, which reads its configuration.
pub(super) fn command(arguments: &Arguments, url: &str, config: Config) -> Command {
    let is_named = arguments.has("url_username");
    let script = if is_named || arguments.given_flag("use_netrc") == Some(false) {
        "curl -K -".to_owned()
    } else if names_authorization(arguments) {
        netrc_before_header(url)
    } else {
        WITH_NETRC.to_owned()
    };
    Command {
        script,
        stdin: Some(config.0),
        ..Command::default()
    }
}

fn names_authorization(arguments: &Arguments) -> bool {
    let headers = arguments.dictionary("headers");
    headers.is_some_and(|headers| {
        let mut names = headers.keys();
        names.any(|name| name.eq_ignore_ascii_case("authorization"))
    })
}

/// What netrc says of the server wins over a header, as in Ansible; curl would take the header.
fn netrc_before_header(url: &str) -> String {
    let server = url.split_once("://").map_or(url, |(_, rest)| rest);
    let server = server.split(['/', '?', '#']).next().unwrap_or_default();
    let server = server.rsplit('@').next().unwrap_or_default();
    let server = server.split(':').next().unwrap_or_default();
    let line = Host::quote(&format!("^{server}$"));
    format!(
        "n=${{NETRC-$HOME/.netrc}}\n\
         if [ -r \"$n\" ] && {{ tr ' \\011' '\\012\\012' <\"$n\" | sed -n '/^machine$/{{n;p;}}' | grep {line} >/dev/null \
         || grep '^ *default' \"$n\" >/dev/null; }}; then\n\
         sed '/^header = \"[Aa]uthorization:/d' | curl --netrc-optional --netrc-file \"$n\" -K -\n\
         else curl -K -; fi"
    )
}

/// Configuration of one request.
pub(super) struct Config(String);

impl Config {
    pub(super) fn new(arguments: &Arguments, url: &str) -> Self {
        Self::leaving_out(arguments, url, &[])
    }

    /// The same without some of the headers, in lower case.
    pub(super) fn leaving_out(arguments: &Arguments, url: &str, left_out: &[String]) -> Self {
        let is_left = |name: &str| left_out.contains(&name.to_lowercase());
        let mut config = Self(String::new());
        config.set("url", url);
        config.flag("silent");
        config.flag("show-error");
        config.flag("globoff");
        config.set("user-agent", arguments.text_or_empty("http_agent"));
        let timeout = arguments.integer("timeout").unwrap_or(30).max(1);
        config.set("max-time", &timeout.to_string());
        let user = arguments.text("url_username");
        if let Some(user) = user.filter(|_| !is_left("authorization")) {
            config.set(
                "user",
                &format!("{user}:{}", arguments.text_or_empty("url_password")),
            );
            if !arguments.flag("force_basic_auth") {
                // The server says how it wants them, a digest as well.
                config.flag("anyauth");
            }
        }
        let headers = arguments.dictionary("headers").into_iter().flatten();
        for (name, value) in headers.filter(|(name, _)| !is_left(name)) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            config.set("header", &format!("{name}: {value}"));
        }
        if arguments.given_flag("validate_certs") == Some(false) {
            config.flag("insecure");
        }
        if arguments.given_flag("use_proxy") == Some(false) {
            config.set("noproxy", "*");
        }
        for (argument, option) in [
            ("client_cert", "cert"),
            ("client_key", "key"),
            ("ca_path", "cacert"),
            ("ciphers", "ciphers"),
        ] {
            if let Some(value) = arguments.text(argument) {
                config.set(option, value);
            }
        }
        config
    }

    pub(super) fn set(&mut self, option: &str, value: &str) {
        let escaped = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
            .replace('\t', "\\t");
        self.0.push_str(&format!("{option} = \"{escaped}\"\n"));
    }

    pub(super) fn flag(&mut self, option: &str) {
        self.0.push_str(option);
        self.0.push('\n');
    }

    /// Ends the configuration so that the answer carries its headers and figures.
    pub(super) fn with_figures(mut self) -> Self {
        self.set("dump-header", "-");
        self.set(
            "write-out",
            &format!(
                "\n{MARK}%{{http_code}} %{{num_redirects}} %{{size_download}} %{{url_effective}} %{{redirect_url}}\n"
            ),
        );
        self
    }
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: i64,
    pub(super) redirects: u64,
    pub(super) size_bytes: u64,
    pub(super) url: String,
    pub(super) reason: String,
    /// Headers of the last answer, in lower case; several of one name are joined.
    pub(super) headers: Object,
    pub(super) content: String,
}

impl Reply {
    /// Reads what curl printed; none if there was no answer.
    pub(super) fn read(printed: &str) -> Option<Self> {
        let at = printed.rfind(&format!("\n{MARK}"))?;
        let mut figures = printed[at + 1 + MARK.len()..].split_whitespace();
        let status: i64 = figures.next()?.parse().ok()?;
        let redirects = figures.next()?.parse().unwrap_or(0);
        let size_bytes = figures.next()?.parse().unwrap_or(0);
        let url = figures.next().unwrap_or_default().to_owned();
        if status == 0 {
            return None;
        }
        let next = figures.next().map(str::to_owned);
        let (mut reason, mut headers) = (String::new(), Object::new());
        let mut rest = &printed[..at];
        // Every hop of a redirection brings headers of its own; the last ones count.
        while rest.starts_with("HTTP/") {
            let (head, after) = split_head(rest);
            (reason, headers) = read_head(head);
            rest = after;
        }
        // A server may write where to go on below its own address; curl resolves that.
        if let Some(next) = next.filter(|_| headers.contains_key("location")) {
            headers.insert("location".into(), next.into());
        }
        Some(Self {
            status,
            redirects,
            size_bytes,
            url,
            reason,
            headers,
            content: rest.to_owned(),
        })
    }
}

fn split_head(text: &str) -> (&str, &str) {
    let ends = ["\r\n\r\n", "\n\n"];
    ends.iter()
        .filter_map(|end| Some((text.find(end)?, end.len())))
        .min()
        .map_or((text, ""), |(at, length)| {
            (&text[..at], &text[at + length..])
        })
}

fn read_head(head: &str) -> (String, Object) {
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let reason = status
        .splitn(3, ' ')
        .nth(2)
        .unwrap_or_default()
        .trim()
        .to_owned();
    let mut headers = Object::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.trim().to_lowercase();
        let value = value.trim();
        match headers.get_mut(&name) {
            Some(Value::String(all)) => {
                all.push_str(", ");
                all.push_str(value);
            }
            _ => {
                headers.insert(name, value.into());
            }
        }
    }
    (reason, headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hop_counts() {
        let printed = "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbody\nmore\n@@sasrun-curl 200 1 9 http://x/b\n";
        let reply = Reply::read(printed).unwrap();
        assert_eq!(
            (reply.status, reply.redirects, reply.reason.as_str()),
            (200, 1, "OK")
        );
        assert_eq!(reply.headers["set-cookie"], "a=1, b=2");
        assert_eq!(reply.content, "body\nmore");
        assert_eq!(Reply::read("\n@@sasrun-curl 000 0 0 \n"), None);
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        let mut config = Config(String::new());
        config.set("header", "X: \"a\\\nurl = \"evil\"");
        assert_eq!(config.0.lines().count(), 1);
    }

    #[test]
    fn the_server_is_looked_for_in_netrc() {
        for url in ["https://h.tests/a?b", "h.tests", "http://me@h.tests:80#x"] {
            assert!(
                netrc_before_header(url).contains("grep '^h.tests$'"),
                "{url}"
            );
        }
    }
}
