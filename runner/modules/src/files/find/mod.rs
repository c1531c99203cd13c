//! `find`: lists files of the host by name, kind, age, size and content.

mod content;
mod filter;

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Failure, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Read, Repetition, Stat,
};
use serde_json::Value;

use self::filter::Filter;
use super::stat::fields;
use crate::answers::{Answers, script};
use crate::describe::{core, example, integer, needed, returns, switch, text, texts};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let arguments = vec![
        needed(texts("paths", "Directories to look in.")).alias(&["name", "path"]),
        ArgumentSpec::optional(
            "patterns",
            ArgumentType::StringList,
            "Shell patterns of names, or regular expressions with `use_regex`.",
        )
        .alias(&["pattern"]),
        texts("excludes", "Patterns of names to leave out.").alias(&["exclude"]),
        text("contains", "Pattern that a line of the file matches."),
        switch(
            "read_whole_file",
            "Looks for `contains` in the whole file, not line by line.",
        ),
        text("file_type", "Kind of file.")
            .choices(&["any", "directory", "file", "link"])
            .defaults_to("file"),
        text("age", "Least age, such as `2d`; with a minus the greatest."),
        text("age_stamp", "Time by which age is told.")
            .choices(&["atime", "ctime", "mtime"])
            .defaults_to("mtime"),
        text(
            "size",
            "Least size, such as `10m`; with a minus the greatest.",
        ),
        switch("recurse", "Looks below directories too."),
        integer("depth", "How deep to look."),
        switch("hidden", "Takes names that start with a dot."),
        switch("follow", "Follows symbolic links."),
        switch("get_checksum", "Answers a checksum of each file."),
        text("checksum_algorithm", "Kind of checksum.")
            .alias(&["checksum", "checksum_algo"])
            .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
            .defaults_to("sha1"),
        text(
            "encoding",
            "How the files that `contains` looks into are written; else UTF-8, and what is none is passed over.",
        ),
        switch("use_regex", "Takes patterns as regular expressions."),
        integer("limit", "How many to answer at most."),
        ArgumentSpec::optional(
            "mode",
            ArgumentType::Mode,
            "Permission bits that a file must have.",
        ),
        switch("exact_mode", "Takes the bits as all there may be.").defaults_to(true),
    ];
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("files", "list", "What was found, each as `stat` tells it."),
            ("matched", "int", "How many were found."),
            ("examined", "int", "How many were looked at."),
            (
                "skipped_paths",
                "dict",
                "Directories that could not be read, with the reason.",
            ),
        ]),
        examples: vec![example(
            "Find old logs",
            "ansible.builtin.find:\n  paths: /var/log\n  patterns: '*.log'\n  age: 4w\nregister: logs",
        )],
        ..core("find", "Lists files of the host.", arguments)
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if let Some(limit) = arguments.integer("limit").filter(|limit| *limit <= 0) {
        return Err(Failure::new(format!(
            "limit cannot be {limit} (use None for unlimited)"
        )));
    }
    let filter = Filter::of(&arguments)?;
    let mut roots = Vec::new();
    // A path that is empty is none; as text it would stand for the root of all.
    let given = arguments.strings("paths").into_iter();
    for root in given.filter(|root| !root.is_empty()) {
        roots.push(paths::expand(&host, &root).await?);
    }
    let mut reads: Vec<Read> = roots
        .iter()
        .map(|root| script(listing(root, &arguments)))
        .collect();
    reads.push(script("date +%s"));
    let mut answers = Answers::of(&host, reads).await?;
    let (mut found, mut skipped) = (Vec::new(), Object::new());
    let mut examined = 0;
    let depth = depth_of(&arguments);
    for root in &roots {
        let output = answers.command()?;
        if output.stdout.is_empty() && output.stderr.trim() == NO_DIRECTORY {
            let reason = format!("'{root}' is not a directory");
            skipped.insert(root.clone(), reason.into());
            continue;
        }
        if !output.succeeded() {
            let reason = format!("[Errno 13] Permission denied: '{root}'");
            skipped.insert(root.clone(), reason.into());
        }
        let errors = output.stderr.lines();
        skipped.extend(
            errors
                .filter_map(|line| refused(root, line, depth))
                .map(|(path, reason)| (path, Value::from(reason))),
        );
        examined += output.stdout.lines().count();
        let listed = output
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix('+'));
        found.extend(
            listed
                .filter(|path| filter.takes_name(path))
                .map(|path| paths::join(root, path)),
        );
    }
    let now: f64 = answers.command()?.stdout.trim().parse().unwrap_or_default();
    let files = look_at(
        &host,
        &arguments,
        &filter,
        (&roots, found),
        now,
        &mut skipped,
    )
    .await?;
    let msg = if skipped.is_empty() {
        "All paths examined"
    } else {
        "Not all paths examined, check warnings for details"
    };
    let warnings = skipped
        .iter()
        .map(|(path, reason)| {
            let reason = reason.as_str().unwrap_or_default();
            format!("Skipped '{path}' path due to this access issue: {reason}")
        })
        .collect();
    let outcome = Outcome {
        warnings,
        ..Outcome::unchanged()
    };
    Ok(outcome
        .with("matched", files.len())
        .with("files", files)
        .with("examined", examined)
        .with("skipped_paths", skipped)
        .with("msg", msg))
}

/// What a listing says of a path that is none.
const NO_DIRECTORY: &str = "is not a directory";

/// How deep to look; none for all the way down.
fn depth_of(arguments: &Arguments) -> Option<i64> {
    match arguments.flag("recurse") {
        true => arguments.integer("depth").filter(|depth| *depth > 0),
        false => Some(1),
    }
}

/// Writes shell text that lists what is below a directory, one path a line after a plus; what is a
/// level deeper than asked for is looked at and comes after a minus.
fn listing(root: &str, arguments: &Arguments) -> String {
    let follow = if arguments.flag("follow") {
        " -follow"
    } else {
        ""
    };
    let bare = root.trim_end_matches('/');
    let word = paths::word(&format!("{bare}/"));
    // Depth is told by awk, for not every find knows -maxdepth.
    let (prune, depth) = match depth_of(arguments) {
        Some(1) if !arguments.flag("recurse") => (" ! -name . -prune", 0),
        depth => ("", depth.unwrap_or(0)),
    };
    format!(
        "[ -d {word} ] || {{ echo '{NO_DIRECTORY}' >&2; exit 0; }}\n\
         cd {word} && find .{follow}{prune} -print | awk -v d={depth} \
         '{{ p = substr($0, 3); n = split(p, a, \"/\"); \
         if (p != \"\" && (d == 0 || n <= d)) print \"+\" p; \
         else if (p != \"\" && n == d + 1) print \"-\" p }}'"
    )
}

/// Reads what `find` says of a directory that it may not read: the path, and the reason.
fn refused(root: &str, line: &str, depth: Option<i64>) -> Option<(String, String)> {
    let (path, reason) = line.strip_prefix("find: ")?.rsplit_once(": ")?;
    if reason != "Permission denied" {
        return None;
    }
    let path = path.trim_matches(['\'', '`', '"', '\u{2018}', '\u{2019}']);
    let below = path.strip_prefix('.')?.trim_start_matches('/');
    let level = below.split('/').filter(|part| !part.is_empty()).count();
    // Deeper ones nobody asked for.
    if depth.is_some_and(|depth| i64::try_from(level).is_ok_and(|level| level > depth)) {
        return None;
    }
    let path = match below {
        "" => root.to_owned(),
        below => paths::join(root, below),
    };
    let reason = format!("[Errno 13] Permission denied: '{path}'");
    Some((path, reason))
}

async fn look_at(
    host: &Host,
    arguments: &Arguments,
    filter: &Filter,
    (roots, found): (&[String], Vec<String>),
    now: f64,
    skipped: &mut Object,
) -> Result<Vec<Value>, Failure> {
    let checksum = arguments
        .flag("get_checksum")
        .then(|| arguments.text_or_empty("checksum_algorithm").to_owned());
    let reads: Vec<Read> = found
        .iter()
        .map(|path| {
            Read::Stat(Stat {
                path: path.clone(),
                // Links are followed to what is below them, and are links themselves.
                follow: false,
                checksum: checksum.clone(),
            })
        })
        .collect();
    if reads.is_empty() {
        return Ok(Vec::new());
    }
    let mut answers = Answers::of(host, reads).await?;
    let mut kept = Vec::new();
    for path in &found {
        let status = answers.status()?;
        if filter.takes(&status, now) {
            kept.push((path, status));
        }
    }
    if filter.contains.is_some() {
        let encoding = arguments.text("encoding");
        kept = content::containing(host, filter, encoding, roots, kept, skipped).await?;
    }
    let mut files: Vec<Value> = kept
        .into_iter()
        .map(|(path, status)| {
            let mut file = fields(path, &status);
            file.shift_remove("exists");
            Value::Object(file)
        })
        .collect();
    if let Some(limit) = arguments
        .integer("limit")
        .and_then(|limit| usize::try_from(limit).ok())
    {
        files.truncate(limit);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn directories_that_may_not_be_read_are_told() {
        for line in [
            "find: './a/b': Permission denied",
            "find: ./a/b: Permission denied",
            "find: \u{2018}./a/b\u{2019}: Permission denied",
        ] {
            let (path, reason) = refused("/x", line, None).unwrap();
            assert_eq!(path, "/x/a/b");
            assert_eq!(reason, "[Errno 13] Permission denied: '/x/a/b'");
            assert_eq!(refused("/x", line, Some(1)), None);
        }
        assert_eq!(refused("/x", "find: something: else", None), None);
    }
}
