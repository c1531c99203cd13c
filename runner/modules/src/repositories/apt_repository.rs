//! `apt_repository`: one-line sources of apt.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, Content, Declaration, Diff, Failure,
    FunctionModule, Host, Module, ModuleResult, ModuleSpec, WriteFile,
};

use crate::answers::run as change;
use crate::changing::{fields, outcome};
use crate::describe::{choice, core, example, integer, needed, presence, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        lists_diff: true,
        returns: returns(&[
            ("repo", "str", "The source."),
            ("sources_added", "list", "Files that were made."),
            ("sources_removed", "list", "Files that were removed."),
        ]),
        examples: vec![example(
            "Add a repository",
            "ansible.builtin.apt_repository:\n  repo: deb http://deb.example.com/debian stable main\n  filename: example",
        )],
        ..core(
            "apt_repository",
            "Adds and removes one-line sources of apt.",
            vec![
                needed(text(
                    "repo",
                    "The source, such as `deb ADDRESS SUITE COMPONENTS`.",
                )),
                presence(),
                ArgumentSpec::optional(
                    "mode",
                    ArgumentType::Mode,
                    "Permission bits of a new file.",
                ),
                choice(
                    "update_cache",
                    "Brings the lists of packages up to date after a change.",
                )
                .alias(&["update-cache"])
                .defaults_to(true),
                integer("update_cache_retries", "How often that is tried.").defaults_to(5),
                integer(
                    "update_cache_retry_max_delay",
                    "Accepted; tries follow each other after a second.",
                )
                .defaults_to(12),
                choice(
                    "validate_certs",
                    "Accepted; nothing is fetched by the module.",
                )
                .defaults_to(true),
                text(
                    "filename",
                    "Name of the file below `sources.list.d`, without its end.",
                ),
                text(
                    "codename",
                    "Release that a `ppa:` source is for; the host's own.",
                ),
                choice("install_python_apt", "Accepted; nothing is needed.").defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let repo = arguments.text_or_empty("repo");
    let wanted = if let Some(ppa) = repo.strip_prefix("ppa:") {
        personal(&host, ppa, arguments.text("codename")).await?
    } else {
        source_of(repo)
            .filter(|line| line.is_enabled)
            .map(|line| line.source)
            .ok_or_else(|| Failure::new(format!("Invalid repository string: {repo}")))?
    };
    let is_present = arguments.text("state") != Some("absent");
    let files = read(&host).await?;
    let changed = if is_present {
        let name = arguments.text("filename").map(str::to_owned);
        added(&files, &wanted, &name.unwrap_or_else(|| suggested(&wanted)))
    } else {
        removed(&files, &wanted)
    };
    let mut result = fields([
        ("repo", repo.into()),
        ("state", arguments.text_or_empty("state").into()),
    ]);
    let names = |pick: fn(&(String, Option<String>, String)) -> bool| -> Vec<String> {
        changed
            .iter()
            .filter(|file| pick(file))
            .map(|(path, _, _)| path.clone())
            .collect()
    };
    result.insert(
        "sources_added".into(),
        names(|(_, before, _)| before.is_none()).into(),
    );
    result.insert(
        "sources_removed".into(),
        names(|(_, _, after)| after.is_empty()).into(),
    );
    if changed.is_empty() {
        return Ok(outcome(false, result));
    }
    host.declare(Declaration {
        summary: format!("{} {wanted}", if is_present { "add" } else { "remove" }),
        diff: changed
            .iter()
            .map(|(path, before, after)| {
                Diff::text(path, before.clone().unwrap_or_default(), after.as_str())
            })
            .collect(),
        result: result.clone(),
    })
    .await?;
    for (path, before, after) in changed {
        write(&host, &arguments, path, before.is_none(), after).await?;
    }
    if arguments.flag("update_cache") {
        let tries = arguments
            .integer("update_cache_retries")
            .unwrap_or(5)
            .clamp(1, 60);
        let update = format!(
            "n=1; while :; do apt-get -q update && break; \
             if [ $n -ge {tries} ]; then exit 1; fi; n=`expr $n + 1`; sleep 1; done"
        );
        change(&host, update, "Failed to update apt cache: apt-get update").await?;
    }
    Ok(outcome(true, result))
}

async fn write(
    host: &Host,
    arguments: &Arguments,
    path: String,
    is_new: bool,
    text: String,
) -> Result<(), Failure> {
    let word = crate::paths::word(&path);
    if text.is_empty() {
        change(host, format!("rm -f {word}"), "removing the file").await?;
        return Ok(());
    }
    if is_new {
        let parent = crate::paths::word(crate::paths::parent(&path));
        change(host, format!("mkdir -p {parent}"), "making the directory").await?;
    }
    host.write(WriteFile {
        path,
        content: Content::Text(text),
        mode: if is_new {
            arguments.mode("mode", 0o644, false).or(Some(0o644))
        } else {
            None
        },
        owner: None,
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    })
    .await?;
    Ok(())
}

/// Reads all files with one-line sources in one round trip.
async fn read(host: &Host) -> Result<Vec<(String, String)>, Failure> {
    let output = host
        .read_script(
            "for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do\n\
             if [ -f \"$f\" ]; then echo \"@@file $f\"; sed 's/^/ /' \"$f\"; echo; fi\ndone",
        )
        .await?;
    let mut files: Vec<(String, String)> = Vec::new();
    for line in output.stdout.lines() {
        if let Some(path) = line.strip_prefix("@@file ") {
            files.push((path.to_owned(), String::new()));
        } else if let (Some((_, text)), Some(line)) = (files.last_mut(), line.strip_prefix(' ')) {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(files)
}

/// A line of a file that is a source.
struct Source {
    source: String,
    is_enabled: bool,
}

fn source_of(line: &str) -> Option<Source> {
    let line = line.trim();
    let bare = line.strip_prefix('#').unwrap_or(line);
    let bare = bare
        .find('#')
        .filter(|at| *at > 0)
        .map_or(bare, |at| &bare[..at]);
    let words: Vec<&str> = bare.split_whitespace().collect();
    matches!(words.first(), Some(&("deb" | "deb-src"))).then(|| Source {
        source: words.join(" "),
        is_enabled: !line.starts_with('#'),
    })
}

/// A file, what it held, and what it shall hold; an empty one goes.
type Changed = (String, Option<String>, String);

fn added(files: &[(String, String)], wanted: &str, name: &str) -> Vec<Changed> {
    let mut changed = Vec::new();
    let mut is_known = false;
    for (path, text) in files {
        let mut after = String::new();
        for line in text.lines() {
            let source = source_of(line).filter(|source| source.source == wanted);
            is_known |= source.is_some();
            let is_off = source.is_some_and(|source| !source.is_enabled);
            after.push_str(if is_off { wanted } else { line });
            after.push('\n');
        }
        if after != *text {
            changed.push((path.clone(), Some(text.clone()), after));
        }
    }
    if is_known {
        return changed;
    }
    let path = if name.contains('/') {
        name.to_owned()
    } else {
        format!(
            "/etc/apt/sources.list.d/{}.list",
            name.trim_end_matches(".list")
        )
    };
    let before = files
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, text)| text.clone());
    let after = format!("{}{wanted}\n", before.as_deref().unwrap_or_default());
    vec![(path, before, after)]
}

fn removed(files: &[(String, String)], wanted: &str) -> Vec<Changed> {
    files
        .iter()
        .filter_map(|(path, text)| {
            let goes = |line: &&str| {
                source_of(line).is_some_and(|source| source.is_enabled && source.source == wanted)
            };
            let kept: Vec<&str> = text.lines().filter(|line| !goes(line)).collect();
            let after = crate::changing::joined(&kept);
            (kept.len() < text.lines().count()).then(|| (path.clone(), Some(text.clone()), after))
        })
        .collect()
}

/// Makes a name of the address: `http://a.b/c` becomes `a_b_c`.
fn suggested(source: &str) -> String {
    let words: Vec<&str> = match source.split_once('[') {
        Some((_, rest)) => rest
            .split_once(']')
            .map_or(rest, |(_, rest)| rest)
            .split_whitespace()
            .collect(),
        None => source.split_whitespace().skip(1).collect(),
    };
    let address = words.first().copied().unwrap_or_default();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    let parts: Vec<&str> = address
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("_")
}

/// Spells out a personal archive of Ubuntu's. Its key is the playbook's business.
async fn personal(host: &Host, ppa: &str, codename: Option<&str>) -> Result<String, Failure> {
    let (owner, name) = ppa.split_once('/').unwrap_or((ppa, "ppa"));
    let codename = match codename {
        Some(codename) => codename.to_owned(),
        None => {
            let script = ". /etc/os-release && echo \"$VERSION_CODENAME\"";
            host.read_script(script).await?.stdout.trim().to_owned()
        }
    };
    Ok(format!(
        "deb https://ppa.launchpadcontent.net/{owner}/{name}/ubuntu {codename} main"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_addresses() {
        assert_eq!(
            suggested("deb [arch=amd64] http://u:p@a.b/c-d stable main"),
            "a_b_c_d"
        );
        assert_eq!(suggested("deb file:/srv/repo ./"), "file_srv_repo");
    }

    #[test]
    fn a_source_that_is_off_is_turned_on() {
        let files = vec![(
            "/l".to_owned(),
            "# deb  http://a  b c # note\nother\n".to_owned(),
        )];
        let changed = added(&files, "deb http://a b c", "x");
        assert_eq!(changed[0].2, "deb http://a b c\nother\n");
        assert!(removed(&files, "deb http://a b c").is_empty());
        let new = added(&[], "deb http://a b c", "x");
        assert_eq!(
            (new[0].0.as_str(), new[0].1.is_none()),
            ("/etc/apt/sources.list.d/x.list", true)
        );
    }
}
