//! Paths of the host as text.

use sasrun_plugin::{Failure, Host};

use crate::words::expandable;

/// Returns the path with `~` and `$VARIABLES` resolved by the host's shell; costs a round trip
/// only where there are any.
pub(crate) async fn expand(host: &Host, path: &str) -> Result<String, Failure> {
    if !path.starts_with('~') && !path.contains('$') {
        return Ok(path.to_owned());
    }
    let script = format!("printf '%s' {}", expandable(path));
    let output = host.read_script(script).await?;
    if !output.succeeded() {
        return Err(Failure::new(format!(
            "the path {path} could not be resolved: {}",
            output.stderr.trim()
        )));
    }
    Ok(output.stdout)
}

/// Returns the last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

/// Returns the directory of a path: `.` for a bare name.
pub(crate) fn parent(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    match path.rfind('/') {
        Some(0) => "/",
        Some(end) => path[..end].trim_end_matches('/'),
        None => ".",
    }
}

/// Joins a directory and a name below it; an absolute name stands for itself.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if name.starts_with('/') || directory.is_empty() {
        return name.to_owned();
    }
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// Quotes a path for the shell so that no program takes it for an option.
pub(crate) fn word(path: &str) -> String {
    if path.starts_with('-') {
        return Host::quote(&format!("./{path}"));
    }
    Host::quote(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths() {
        assert_eq!(parent("/etc/motd"), "/etc");
        assert_eq!(parent("/motd"), "/");
        assert_eq!(parent("motd"), ".");
        assert_eq!(parent("/etc/ssh/"), "/etc");
        assert_eq!(file_name("/etc/ssh/"), "ssh");
        assert_eq!(join("/etc/", "motd"), "/etc/motd");
        assert_eq!(join("/etc", "/motd"), "/motd");
        assert_eq!(word("-rf"), "./-rf");
    }
}
