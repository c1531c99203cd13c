//! `find`: lists files of the host by name, kind, age, size and content.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Failure, FileKind, FileStatus,
    FunctionModule, Host, Module, ModuleResult, ModuleSpec, Outcome, Read, Repetition, Stat,
};
use serde_json::Value;

use super::shell_pattern::shell_pattern;
use super::stat::fields;
use crate::answers::{Answers, script};
use crate::describe::{core, example, integer, needed, returns, switch, text, texts};
use crate::paths;
use crate::python_regex::{Flags, PythonRegex};

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
        text("checksum_algorithm", "Kind of checksum.").defaults_to("sha1"),
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
    let (mut found, mut skipped) = (Vec::new(), sasrun_plugin::Object::new());
    let mut examined = 0;
    for root in &roots {
        let output = answers.command()?;
        if output.stdout.is_empty() && !output.stderr.is_empty() {
            let reason = format!("'{root}' is not a directory");
            skipped.insert(root.clone(), reason.into());
        }
        let all: Vec<&str> = output.stdout.lines().filter(|path| path != root).collect();
        examined += all.len();
        found.extend(
            all.into_iter()
                .filter(|path| filter.takes_name(path))
                .map(str::to_owned),
        );
    }
    let now: f64 = answers.command()?.stdout.trim().parse().unwrap_or_default();
    let files = look_at(&host, &arguments, &filter, found, now).await?;
    let msg = if skipped.is_empty() {
        "All paths examined"
    } else {
        "Not all paths examined, check warnings for details"
    };
    Ok(Outcome::unchanged()
        .with("matched", files.len())
        .with("files", files)
        .with("examined", examined)
        .with("skipped_paths", skipped)
        .with("msg", msg))
}

/// Writes shell text that lists what is below a directory, one path a line.
fn listing(root: &str, arguments: &Arguments) -> String {
    let follow = if arguments.flag("follow") {
        " -follow"
    } else {
        ""
    };
    let depth = match (arguments.integer("depth"), arguments.flag("recurse")) {
        (Some(depth), true) => format!("{depth}"),
        (None, true) => String::new(),
        (_, false) => "1".to_owned(),
    };
    let word = paths::word(&format!("{}/", root.trim_end_matches('/')));
    // Depth is told by awk, for not every find knows -maxdepth.
    let deep = if depth.is_empty() {
        "0".to_owned()
    } else {
        depth
    };
    format!(
        "[ -d {word} ] || {{ echo 'is not a directory' >&2; exit 0; }}\n\
         cd {word} && find .{follow} -print | awk -v d={deep} \
         '{{ p = substr($0, 3); n = split(p, a, \"/\"); if (p != \"\" && (d == 0 || n <= d)) print p }}' | \
         while IFS= read -r p; do echo {root}/\"$p\"; done",
        root = paths::word(if root == "/" {
            ""
        } else {
            root.trim_end_matches('/')
        })
    )
}

async fn look_at(
    host: &Host,
    arguments: &Arguments,
    filter: &Filter,
    found: Vec<String>,
    now: f64,
) -> Result<Vec<Value>, Failure> {
    let checksum = arguments
        .flag("get_checksum")
        .then(|| arguments.text_or_empty("checksum_algorithm").to_owned());
    let reads: Vec<Read> = found
        .iter()
        .map(|path| {
            Read::Stat(Stat {
                path: path.clone(),
                follow: arguments.flag("follow"),
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
        kept = containing(host, filter, kept).await?;
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

/// How many files are read in one round trip.
const READ_AT_ONCE: usize = 32;

/// Leaves those that hold what is looked for. Only regular files are opened: a pipe would wait for
/// its other end.
async fn containing<'a>(
    host: &Host,
    filter: &Filter,
    mut found: Vec<(&'a String, FileStatus)>,
) -> Result<Vec<(&'a String, FileStatus)>, Failure> {
    found.retain(|(_, status)| status.kind == FileKind::File);
    let mut kept = Vec::new();
    for batch in found.chunks(READ_AT_ONCE) {
        let reads = batch.iter().map(|(path, _)| crate::answers::whole(path));
        let mut answers = Answers::of(host, reads.collect()).await?;
        for (path, status) in batch {
            let Ok(content) = answers.file() else {
                continue;
            };
            let bytes = crate::answers::bytes_of(&content).unwrap_or_default();
            if filter.takes_content(&String::from_utf8_lossy(&bytes))? {
                kept.push((*path, status.clone()));
            }
        }
    }
    Ok(kept)
}

/// What is asked of the files.
struct Filter {
    patterns: Vec<PythonRegex>,
    excludes: Vec<PythonRegex>,
    contains: Option<PythonRegex>,
    reads_whole: bool,
    hidden: bool,
    kind: Option<FileKind>,
    age: Option<(f64, bool)>,
    stamp: String,
    size: Option<(u64, bool)>,
    mode: Option<u32>,
    exact_mode: bool,
}

impl Filter {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let compile = |pattern: &str| {
            PythonRegex::new(pattern, Flags::default())
                .map_err(|error| Failure::new(error.to_string()))
        };
        let use_regex = arguments.flag("use_regex");
        let patterns = |name: &str| -> Result<Vec<PythonRegex>, Failure> {
            let anchor = |text: String| format!("^(?:{text})");
            arguments
                .strings(name)
                .iter()
                .map(|text| {
                    compile(&if use_regex {
                        anchor(text.clone())
                    } else {
                        shell_pattern(text)
                    })
                })
                .collect()
        };
        let reads_whole = arguments.flag("read_whole_file");
        let contains = match arguments.text("contains") {
            Some(text) if reads_whole => Some(compile(text)?),
            Some(text) => Some(compile(&format!("^(?:{text})"))?),
            None => None,
        };
        Ok(Self {
            patterns: patterns("patterns")?,
            excludes: patterns("excludes")?,
            contains,
            reads_whole,
            hidden: arguments.flag("hidden"),
            kind: match arguments.text("file_type") {
                Some("directory") => Some(FileKind::Directory),
                Some("link") => Some(FileKind::Link),
                Some("any") => None,
                _ => Some(FileKind::File),
            },
            age: arguments.text("age").map(age).transpose()?,
            stamp: arguments.text_or_empty("age_stamp").to_owned(),
            size: arguments.text("size").map(size).transpose()?,
            mode: arguments.mode("mode", 0, false),
            exact_mode: arguments.flag("exact_mode"),
        })
    }

    fn takes_name(&self, path: &str) -> bool {
        let name = paths::file_name(path);
        let any = |set: &[PythonRegex]| set.iter().any(|regex| regex.is_match(name) == Ok(true));
        (self.hidden || !name.starts_with('.'))
            && (self.patterns.is_empty() || any(&self.patterns))
            && !any(&self.excludes)
    }

    fn takes(&self, status: &FileStatus, now: f64) -> bool {
        let stamp = match self.stamp.as_str() {
            "atime" => status.atime,
            "ctime" => status.ctime,
            _ => status.mtime,
        };
        status.exists()
            && self.kind.is_none_or(|kind| kind == status.kind)
            && self
                .age
                .is_none_or(|(age, younger)| (now - stamp < age) == younger)
            && self.size.is_none_or(|(size, smaller)| {
                if smaller {
                    status.size_bytes <= size
                } else {
                    status.size_bytes >= size
                }
            })
            && self.mode.is_none_or(|mode| {
                if self.exact_mode {
                    status.mode == mode
                } else {
                    status.mode & mode != 0
                }
            })
    }

    fn takes_content(&self, text: &str) -> Result<bool, Failure> {
        let Some(regex) = &self.contains else {
            return Ok(true);
        };
        let tell = |text: &str| {
            regex
                .is_match(text)
                .map_err(|error| Failure::new(error.to_string()))
        };
        if self.reads_whole {
            return tell(text);
        }
        for line in text.split_inclusive('\n') {
            if tell(line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Reads an age such as `2d` or `-3600`: seconds, and whether the file must be younger.
fn age(text: &str) -> Result<(f64, bool), Failure> {
    let (number, younger) = signed(text);
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &number[digits.len()..] {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => {
            return Err(Failure::new(format!(
                "the age {text} is not written as 2d or 4w"
            )));
        }
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| Failure::new(format!("the age {text} is not written as 2d or 4w")))?;
    Ok((number * unit, younger))
}

fn size(text: &str) -> Result<(u64, bool), Failure> {
    let (number, smaller) = signed(text);
    sasrun_plugin::parse_size(number)
        .map(|size| (size, smaller))
        .ok_or_else(|| Failure::new(format!("the size {text} is not written as 10m or 2g")))
}

fn signed(text: &str) -> (&str, bool) {
    let text = text.trim();
    text.strip_prefix('-')
        .map_or((text, false), |rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_may_be_upper_limits() {
        assert_eq!(age("2d").unwrap(), (172_800.0, false));
        assert_eq!(age("-1h").unwrap(), (3_600.0, true));
        assert!(age("2x").is_err());
        assert_eq!(size("-1k").unwrap(), (1024, true));
    }
}
