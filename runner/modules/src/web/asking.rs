//! Questions to a server about a file before it is loaded. Must not change the host.

use sasrun_plugin::{Arguments, CommandOutput, Failure, Host};

use super::curl::{Config, Reply, command};
use crate::paths;

/// The name of a file that goes into a directory: as the server says, else as its address ends.
pub(super) async fn name_of(
    host: &Host,
    arguments: &Arguments,
    url: &str,
) -> Result<String, Failure> {
    if url.starts_with("http") {
        let mut config = Config::new(arguments, url);
        config.flag("head");
        config.flag("location");
        let request = command(arguments, url, config.with_figures());
        let output = host.read_command(request).await?;
        let reply = Reply::read(&output.stdout);
        let said = reply.as_ref().and_then(|reply| {
            let header = reply.headers.get("content-disposition")?.as_str()?;
            let (_, name) = header.split_once("filename=")?;
            let name = name.split(';').next()?.trim().trim_matches('"');
            Some(paths::file_name(name).to_owned())
        });
        if let Some(name) = said.filter(|name| !name.is_empty()) {
            return Ok(name);
        }
    }
    let path = url.split(['?', '#']).next().unwrap_or_default();
    Ok(match paths::file_name(path) {
        "" => "index.html".to_owned(),
        name => name.to_owned(),
    })
}

/// The address to load from, and headers that are not for it: where some are not to be sent on,
/// the first redirection is followed by hand.
pub(super) async fn redirected(
    host: &Host,
    arguments: &Arguments,
    url: &str,
) -> Result<(String, Vec<String>), Failure> {
    let names = arguments.strings("unredirected_headers");
    let left_out: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    if left_out.is_empty() {
        return Ok((url.to_owned(), left_out));
    }
    let mut config = Config::new(arguments, url);
    config.flag("head");
    config.set("output", "/dev/null");
    config.set("write-out", "%{redirect_url}");
    let output = host.read_command(command(arguments, url, config)).await?;
    Ok(match output.stdout.trim() {
        "" => (url.to_owned(), Vec::new()),
        next => (next.to_owned(), left_out),
    })
}

/// Whether the server has the file newer than it is at its place, or does not tell.
pub(super) async fn is_newer(
    host: &Host,
    arguments: &Arguments,
    url: &str,
    dest: &str,
) -> Result<bool, Failure> {
    let output = head(host, arguments, url, Some(dest)).await?;
    match Reply::read(&output.stdout) {
        Some(reply) => Ok(reply.status != 304),
        None if output.succeeded() => Ok(true),
        None => Err(failed(url, &output).with("dest", dest)),
    }
}

/// Asks the server for the file's head alone, so that check mode sees an address that is wrong. A
/// server that answers no such question says nothing against the file.
pub(super) async fn there_is(
    host: &Host,
    arguments: &Arguments,
    url: &str,
) -> Result<String, Failure> {
    let output = head(host, arguments, url, None).await?;
    match Reply::read(&output.stdout) {
        Some(reply) if reply.status < 400 || matches!(reply.status, 405 | 501) => {
            let size = reply.headers.get("content-length");
            let size = size.and_then(|size| size.as_str()).unwrap_or("unknown");
            Ok(format!("OK ({size} bytes)"))
        }
        Some(reply) => {
            let (status, reason) = (reply.status, reply.reason);
            let msg = format!("Request failed: HTTP Error {status}: {reason}");
            Err(Failure::new(msg)
                .with("status_code", status)
                .with("url", url))
        }
        // Not every kind of address has a status.
        None if output.succeeded() => Ok("OK (unknown bytes)".to_owned()),
        None => Err(failed(url, &output)),
    }
}

/// Asks for the head of a file, perhaps only if it is newer than one that is there.
async fn head(
    host: &Host,
    arguments: &Arguments,
    url: &str,
    newer_than: Option<&str>,
) -> Result<CommandOutput, Failure> {
    let mut config = Config::new(arguments, url);
    config.flag("head");
    config.flag("location");
    if let Some(path) = newer_than {
        config.set("time-cond", path);
    }
    let request = command(arguments, url, config.with_figures());
    host.read_command(request).await
}

pub(super) fn failed(url: &str, output: &CommandOutput) -> Failure {
    let said = output.stderr.trim();
    let what = match output.rc {
        18 => "Incomplete read",
        51 | 60 => "Failed to validate the SSL certificate",
        _ => "Request failed",
    };
    let url = without_user(url);
    Failure::new(format!("{what}: {url}: {said}")).with("rc", output.rc)
}

/// An address without the user and password that may stand in it.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (server, path) = rest.split_at(end);
    let server = server.rsplit('@').next().unwrap_or(server);
    format!("{scheme}://{server}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_told() {
        let output = CommandOutput {
            rc: 22,
            ..CommandOutput::default()
        };
        let failure = failed("https://user:s@cret@h.tests/a@b", &output);
        assert_eq!(failure.msg, "Request failed: https://h.tests/a@b: ");
    }
}
