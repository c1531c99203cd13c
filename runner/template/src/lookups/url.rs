//! The lookup `url`: pages of the network, fetched by the controller.

use super::LookupCall;
use crate::page::{PageError, PageRequest};
use crate::values::{Eval, Val};

/// Options that variables and settings may give too: by which name among each.
const SETTABLE: &[(&str, &str, &str)] = &[
    ("ca_path", "ca_path", "ca_path"),
    ("ciphers", "ciphers", "ciphers"),
    ("follow_redirects", "follow_redirects", "follow_redirects"),
    ("force", "force", "force"),
    ("force_basic_auth", "force_basic_auth", "force_basic_auth"),
    ("http_agent", "agent", "agent"),
    ("timeout", "timeout", "timeout"),
    (
        "unredirected_headers",
        "unredir_headers",
        "unredirected_headers",
    ),
    ("unix_socket", "unix_socket", "unix_socket"),
    ("use_gssapi", "use_gssapi", "use_gssapi"),
    ("use_netrc", "use_netrc", "use_netrc"),
];

pub(super) fn url(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let options = Options(call);
    let splits = options.flag("split_lines", true)?;
    let mut request = options.request()?;
    let mut found = Vec::new();
    for address in call.term_texts()? {
        request.url = address;
        let content = call
            .session()
            .world()
            .fetch(&request)
            .map_err(|error| call.fail(told(&request.url, &error)))?;
        let text = String::from_utf8_lossy(&content).into_owned();
        if splits {
            found.extend(text.lines().map(Val::from));
        } else {
            found.push(Val::from(text));
        }
    }
    Ok(found)
}

/// What is said of a failure, in the words that Ansible says it with.
fn told(url: &str, error: &PageError) -> String {
    let url = without_password(url);
    match error {
        PageError::Certificate(_) => {
            format!("Error validating the server's certificate for {url}: {error}")
        }
        PageError::Status(_) => format!("Received HTTP error for {url}: {error}"),
        PageError::NotAvailable | PageError::Failed(_) => {
            format!("Failed lookup url for {url}: {error}")
        }
    }
}

/// The address as it may be shown: a password in it is a secret.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (server, path) = rest.split_at(end);
    match server.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:********@{host}{path}")
        }
        _ => url.to_owned(),
    }
}

/// Options of the call, each looked for in Ansible's order: beside the call, in variables, in the
/// environment, in `ansible.cfg`.
struct Options<'c, 'e>(&'c LookupCall<'e>);

impl Options<'_, '_> {
    fn find(&self, name: &str) -> Eval<Option<Val>> {
        let Options(call) = self;
        if let Some(value) = call.option(name) {
            return Ok(Some(value.clone()));
        }
        let Some((_, variable, key)) = SETTABLE.iter().find(|(known, ..)| *known == name) else {
            return Ok(None);
        };
        let variable = format!("ansible_lookup_url_{variable}");
        match call.env.variable(&variable.as_str().into())? {
            Val::Undefined(_) => {}
            value => return Ok(Some(value)),
        }
        let said =
            call.session()
                .world()
                .setting(&variable.to_ascii_uppercase(), "url_lookup", key);
        Ok(said.map(Val::from))
    }

    /// The option as text; None where it is not given, or null.
    fn text(&self, name: &str) -> Eval<Option<String>> {
        match self.find(name)? {
            None | Some(Val::Null) => Ok(None),
            Some(value) => Ok(Some(self.0.session().text_of(&value)?)),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Eval<bool> {
        match self.find(name)? {
            None | Some(Val::Null) => Ok(default),
            Some(value) => {
                let data = self.0.session().to_data(&value)?;
                data.to_boolean()
                    .ok_or_else(|| self.0.fail(format!("{name} is neither true nor false")))
            }
        }
    }

    fn texts(&self, name: &str) -> Eval<Vec<String>> {
        let session = self.0.session();
        match self.find(name)? {
            None | Some(Val::Null) => Ok(Vec::new()),
            Some(value) if value.is_sequence() => session
                .iterate(&value)?
                .iter()
                .map(|item| session.text_of(item))
                .collect(),
            Some(value) => {
                let text = session.text_of(&value)?;
                let items = text.split(',').map(str::trim);
                Ok(items
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect())
            }
        }
    }

    fn headers(&self) -> Eval<Vec<(String, String)>> {
        let session = self.0.session();
        let given = match self.find("headers")? {
            None | Some(Val::Null) => return Ok(Vec::new()),
            Some(given) if given.is_mapping() => given,
            Some(_) => return Err(self.0.fail("headers is not a dictionary")),
        };
        let mut headers = Vec::new();
        for name in session.iterate(&given)? {
            let name = session.text_of(&name)?;
            let value = match session.entry(&given, &name.as_str().into())? {
                Some(value) => session.text_of(&value)?,
                None => String::new(),
            };
            // Whoever gives the value of a header shall not give a second header with it.
            if [&name, &value]
                .iter()
                .any(|part| part.contains(['\r', '\n', '\0']))
            {
                return Err(self
                    .0
                    .fail(format!("the header {name:?} has more than one line")));
            }
            headers.push((name, value));
        }
        Ok(headers)
    }

    fn timeout_seconds(&self) -> Eval<u64> {
        let Some(text) = self.text("timeout")? else {
            return Ok(10);
        };
        // The client counts whole seconds; less than one is not never.
        let seconds: Option<f64> = text.trim().parse().ok();
        match seconds.map(f64::ceil) {
            Some(seconds) if (1.0..=86_400_000.0).contains(&seconds) =>
            {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                Ok(seconds as u64)
            }
            _ => Err(self
                .0
                .fail(format!("timeout is no number of seconds: {text}"))),
        }
    }

    fn request(&self) -> Eval<PageRequest> {
        let mut headers = self.headers()?;
        if self.flag("force", false)? {
            headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        }
        let redirects = self.text("follow_redirects")?;
        let ciphers = self.texts("ciphers")?;
        let agent = self.text("http_agent")?;
        Ok(PageRequest {
            url: String::new(),
            username: self.text("username")?.filter(|name| !name.is_empty()),
            password: self.text("password")?,
            forces_basic_auth: self.flag("force_basic_auth", false)?,
            uses_netrc: self.flag("use_netrc", true)?,
            uses_gssapi: self.flag("use_gssapi", false)?,
            headers,
            unredirected_headers: self.texts("unredirected_headers")?,
            follows_redirects: !redirects.is_some_and(|how| {
                matches!(how.to_ascii_lowercase().as_str(), "no" | "none" | "false")
            }),
            validates_certificates: self.flag("validate_certs", true)?,
            ca_path: self.text("ca_path")?,
            ciphers: (!ciphers.is_empty()).then(|| ciphers.join(":")),
            agent: agent.unwrap_or_else(|| "ansible-httpget".to_owned()),
            timeout_seconds: self.timeout_seconds()?,
            uses_proxy: self.flag("use_proxy", true)?,
            unix_socket: self.text("unix_socket")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (url, shown) in [
            ("http://a:b@h/x?y@z", "http://a:********@h/x?y@z"),
            ("http://a:b:c@d@h", "http://a:********@h"),
            ("http://a@h/x:y@z", "http://a@h/x:y@z"),
            ("h/x", "h/x"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
