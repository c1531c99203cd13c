//! `creates` and `removes`: files whose presence decides whether a command runs at all.

use sasrun_plugin::{ArgumentSpec, Arguments, Command, Failure, Host};

use crate::{describe, paths, words};

/// What the guards came to.
pub(crate) enum Verdict {
    /// There is no guard: only running it will tell.
    Unguarded,
    /// A guard says that it has yet to run.
    Run,
    /// A guard says that there is nothing to do.
    Skip(Skip),
}

/// Why a command does not run.
pub(crate) struct Skip {
    pub(crate) path: String,
    pub(crate) exists: bool,
}

pub(crate) fn arguments() -> Vec<ArgumentSpec> {
    vec![
        describe::path(
            "creates",
            "File (or pattern) that, if it is there, makes the command needless.",
        ),
        describe::path(
            "removes",
            "File (or pattern) that, if it is not there, makes the command needless.",
        ),
    ]
}

/// Looks at the guards, in one round trip, and only if there are any.
pub(crate) async fn check(
    arguments: &Arguments,
    host: &Host,
    directory: Option<&str>,
) -> Result<Verdict, Failure> {
    let guards = [("creates", true), ("removes", false)];
    let given: Vec<(&str, bool)> = guards
        .into_iter()
        .filter_map(|(name, exists)| Some((arguments.text(name)?, exists)))
        .filter(|(path, _)| !path.is_empty())
        .collect();
    if given.is_empty() {
        return Ok(Verdict::Unguarded);
    }
    let tests: Vec<String> = given
        .iter()
        .map(|(path, _)| {
            let word = pattern(path);
            if path.contains(['*', '?', '[']) {
                return format!("if ls -d {word} >/dev/null 2>&1; then echo y; else echo n; fi");
            }
            // Shells of Linux know every kind; elsewhere a program looks.
            format!(
                "if [ -f {word} ] || [ -d {word} ] || [ -h {word} ]; then echo y\n\
                 elif [ -h /proc/self/exe ]; then\n\
                 if [ -S {word} ] || [ -p {word} ] || [ -c {word} ] || [ -b {word} ]; then echo y; else echo n; fi\n\
                 elif ls -d {word} >/dev/null 2>&1; then echo y; else echo n; fi"
            )
        })
        .collect();
    let output = host
        .read_command(Command {
            script: tests.join("\n"),
            directory: directory.map(str::to_owned),
            ..Command::default()
        })
        .await?;
    let found = output.stdout.lines().map(|line| line == "y");
    for ((path, exists), found) in given.into_iter().zip(found) {
        if found == exists {
            return Ok(Verdict::Skip(Skip {
                path: path.to_owned(),
                exists,
            }));
        }
    }
    Ok(Verdict::Run)
}

/// Writes a path as shell text in which `*`, `?` and `[…]` stay patterns.
fn pattern(path: &str) -> String {
    let mut written = String::new();
    let mut rest = path;
    while let Some(at) = rest.find(['*', '?', '[', ']']) {
        if at > 0 {
            written.push_str(&part(&rest[..at], written.is_empty()));
        }
        written.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        written.push_str(&part(rest, written.is_empty()));
    }
    written
}

fn part(text: &str, is_first: bool) -> String {
    if !is_first {
        return Host::quote(text);
    }
    if text.starts_with('~') || text.contains('$') {
        return words::expandable(text);
    }
    paths::word(text)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn patterns_stay_and_the_rest_is_quoted() {
        assert_eq!(pattern("/tmp/a b*.log"), "'/tmp/a b'*.log");
        assert_eq!(pattern("~/x?"), "\"${HOME-~}\"/x?");
        assert_eq!(pattern("-x"), "./-x");
        assert_eq!(pattern("/x/[ab]$c"), "/x/[ab]'$c'");
    }
}
