//! `mount_facts`: file systems in use and in the table, as facts.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use super::fstab::plain;
use crate::answers::succeeded;
use crate::describe::{choice, core, example, raw, returns, text, texts};
use crate::files::shell_pattern;
use crate::python_regex::{Flags, PythonRegex};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "ansible_facts",
            "dict",
            "`mount_points`: what is mounted, by path; `aggregate_mounts`: all entries of all sources.",
        )]),
        examples: vec![example(
            "Gather mounts",
            "ansible.builtin.mount_facts:\n  fstypes: [ext4, xfs]",
        )],
        ..core(
            "mount_facts",
            "Gathers file systems in use and in the table.",
            vec![
                texts("devices", "Patterns of devices."),
                texts("fstypes", "Patterns of kinds."),
                texts(
                    "sources",
                    "Files to read, or `all`, `dynamic`, `static`, `mount`.",
                ),
                raw(
                    "mount_binary",
                    "Program that lists mounts where no file does.",
                )
                .defaults_to("mount"),
                ArgumentSpec::optional(
                    "timeout",
                    ArgumentType::Float,
                    "Accepted; the task's own limit holds.",
                ),
                text("on_timeout", "Accepted.")
                    .choices(&["error", "ignore", "warn"])
                    .defaults_to("error"),
                choice(
                    "include_aggregate_mounts",
                    "Answers all entries of all sources too.",
                ),
            ],
        )
    }
}

const DYNAMIC: [&str; 3] = ["/etc/mtab", "/proc/mounts", "/etc/mnttab"];
const STATIC: [&str; 3] = ["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mut sources: Vec<String> = Vec::new();
    let given = arguments.strings("sources");
    let given = if given.is_empty() {
        vec!["all".to_owned()]
    } else {
        given
    };
    for source in given {
        match source.as_str() {
            "all" => sources.extend(DYNAMIC.iter().chain(&STATIC).map(|path| (*path).to_owned())),
            "dynamic" => sources.extend(DYNAMIC.map(str::to_owned)),
            "static" => sources.extend(STATIC.map(str::to_owned)),
            _ => sources.push(source),
        }
    }
    let binary = arguments.text("mount_binary").unwrap_or("mount");
    let mut script = String::new();
    for source in &sources {
        script.push_str(&if source == "mount" {
            format!("echo '@@ mount'; {} 2>/dev/null\n", Host::quote(binary))
        } else {
            let word = crate::paths::word(source);
            format!("if [ -f {word} ]; then echo '@@ '{word}; cat {word}; fi\n")
        });
    }
    script.push(':');
    let shown = succeeded(host.read_script(script).await?, "reading the mounts")?.stdout;
    let filter = (
        patterns(&arguments, "devices")?,
        patterns(&arguments, "fstypes")?,
    );
    let mounts: Vec<Mount> = read(&shown)
        .into_iter()
        .filter(|mount| mount.is_wanted(&filter))
        .collect();
    let facts = with_sizes(
        &host,
        mounts,
        arguments.given_flag("include_aggregate_mounts"),
    )
    .await?;
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

type Patterns = Option<Vec<PythonRegex>>;

fn patterns(arguments: &Arguments, name: &str) -> Result<Patterns, sasrun_plugin::Failure> {
    if !arguments.has(name) {
        return Ok(None);
    }
    let compiled: Result<Vec<_>, _> = arguments
        .strings(name)
        .iter()
        .map(|pattern| PythonRegex::new(&shell_pattern(pattern), Flags::default()))
        .collect();
    compiled
        .map(Some)
        .map_err(|error| sasrun_plugin::Failure::new(error.to_string()))
}

/// An entry of one source.
struct Mount {
    source: String,
    line: String,
    words: [String; 6],
}

impl Mount {
    fn is_wanted(&self, (devices, kinds): &(Patterns, Patterns)) -> bool {
        let any = |patterns: &Patterns, word: &str| {
            patterns
                .as_ref()
                .is_none_or(|all| all.iter().any(|regex| regex.is_match(word) == Ok(true)))
        };
        any(devices, &self.words[0]) && any(kinds, &self.words[2])
    }

    fn fields(&self) -> Object {
        let number = |text: &str| text.parse::<u64>().map_or(Value::Null, Value::from);
        crate::changing::fields([
            (
                "ansible_context",
                json!({"source": self.source, "source_data": self.line}),
            ),
            ("device", self.words[0].as_str().into()),
            ("mount", self.words[1].as_str().into()),
            ("fstype", self.words[2].as_str().into()),
            ("options", self.words[3].as_str().into()),
            ("dump", number(&self.words[4])),
            ("passno", number(&self.words[5])),
            ("uuid", "N/A".into()),
        ])
    }
}

fn read(shown: &str) -> Vec<Mount> {
    let mut source = String::new();
    let mut mounts = Vec::new();
    for line in shown.lines() {
        if let Some(next) = line.strip_prefix("@@ ") {
            next.clone_into(&mut source);
            continue;
        }
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        mounts.extend(entry(&source, bare).map(|words| Mount {
            source: source.clone(),
            line: line.to_owned(),
            words,
        }));
    }
    mounts
}

fn entry(source: &str, line: &str) -> Option<[String; 6]> {
    if source == "mount" {
        let (device, rest) = line.split_once(" on ")?;
        let (path, rest) = rest.split_once(" type ")?;
        let (kind, options) = rest.split_once(' ').unwrap_or((rest, ""));
        let options = options.trim_matches(['(', ')']);
        return Some([device, path, kind, options, "", ""].map(str::to_owned));
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |at: usize, usual: &str| plain(words.get(at).copied().unwrap_or(usual));
    (words.len() >= 3).then(|| {
        [
            word(0, ""),
            word(1, ""),
            word(2, ""),
            word(3, ""),
            word(4, "0"),
            word(5, "0"),
        ]
    })
}

/// Adds sizes of what is mounted, asked for in one round trip.
async fn with_sizes(
    host: &Host,
    mounts: Vec<Mount>,
    aggregate: Option<bool>,
) -> Result<Object, sasrun_plugin::Failure> {
    let paths: Vec<String> = mounts
        .iter()
        .map(|mount| crate::paths::word(&mount.words[1]))
        .collect();
    let mut sizes = Vec::new();
    if !paths.is_empty() {
        let script = format!(
            "for p in {}; do s=`stat -f -c '%b %f %a %S %c %d' \"$p\" 2>/dev/null`; echo \"$s\"; done",
            paths.join(" ")
        );
        let shown = host.read_script(script).await?.stdout;
        sizes.extend(shown.lines().map(numbers));
    }
    let (mut points, mut all) = (Object::new(), Vec::new());
    for (at, mount) in mounts.iter().enumerate() {
        let mut fields = mount.fields();
        fields.extend(sizes.get(at).cloned().unwrap_or_default());
        if aggregate != Some(false) {
            all.push(Value::Object(fields.clone()));
        }
        if !points.contains_key(&mount.words[1]) {
            points.insert(mount.words[1].clone(), Value::Object(fields));
        }
    }
    let mut facts = Object::new();
    facts.insert("mount_points".into(), points.into());
    facts.insert("aggregate_mounts".into(), all.into());
    Ok(facts)
}

fn numbers(line: &str) -> Object {
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [blocks, free, available, size, inodes, inodes_free] = numbers[..] else {
        return Object::new();
    };
    crate::changing::fields([
        ("size_total", (blocks * size).into()),
        ("size_available", (available * size).into()),
        ("block_size", size.into()),
        ("block_total", blocks.into()),
        ("block_available", available.into()),
        ("block_used", blocks.saturating_sub(free).into()),
        ("inode_total", inodes.into()),
        ("inode_available", inodes_free.into()),
        ("inode_used", inodes.saturating_sub(inodes_free).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn sources_are_read() {
        let mounts = read(
            "@@ /proc/mounts\n/dev/a /x\\040y ext4 rw 0 1\n@@ mount\nproc on /proc type proc (rw,nosuid)\n# no\n",
        );
        assert_eq!(mounts[0].words[1], "/x y");
        assert_eq!(
            (mounts[1].words[2].as_str(), mounts[1].words[3].as_str()),
            ("proc", "rw,nosuid")
        );
    }
}
