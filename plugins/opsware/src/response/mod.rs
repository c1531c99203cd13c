//! `opsware_response`: response files on the servers of a core — found, read, compared, copied.
//!
//! They hold every password of a core: content is read as sensitive, its secrets are registered
//! before anything else happens, and differences are told by name alone.

mod dialect;
mod name;

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, Content, Diff, Example, Failure, FileKind,
    FileStatus, Host, Module, ModuleResult, ModuleSpec, Object, Outcome, Read, ReadAnswer,
    Returned, Stat, WriteFile,
};
use serde_json::{Value, json};

pub(crate) use dialect::{ResponseFile, is_secret};

use crate::base64;

/// Where the installer keeps the files it saved.
const DIRECTORY: &str = "/var/opt/opsware/install_opsware/resp";
/// No response file is longer.
const LONGEST: u64 = 1024 * 1024;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Path, String};
    ModuleSpec {
        name: "opsware_response".into(),
        summary: "Finds, reads, compares and copies the installer's response files.".into(),
        description: vec![
            "`found` lists the files of a server and chooses the newest by the moment in its name; forms of the moment may \
             mix. `read` gives the content for another server's `copied`; run both with `no_log`. `compared` tells the names \
             of the parameters that differ, never their values."
                .into(),
            "A copy is written beside its place with mode 0600 and renamed, so that half a file never has the final name; \
             afterwards the digests are compared."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional("state", String, "What to do.")
                .choices(&["found", "read", "compared", "copied"])
                .defaults_to("found"),
            ArgumentSpec::optional(
                "path",
                Path,
                "The file. For `found`, a file that is taken instead of the newest one.",
            ),
            ArgumentSpec::optional("directory", Path, "Where the installer keeps its files.").defaults_to(DIRECTORY),
            ArgumentSpec::optional("content", String, "Content in Base64, as `read` gave it on another server.").secret(),
        ],
        diff: true,
        required_if: ["read", "compared", "copied"]
            .iter()
            .map(|state| ("state".to_owned(), json!(state), vec!["path".to_owned()]))
            .collect(),
        returns: vec![
            Returned::new("path", "str", "The file; empty if there is none."),
            Returned::new("checksum", "str", "SHA-256 of the file."),
            Returned::new("files", "list", "For `found`: all files, newest first."),
            Returned::new("parameters", "dict", "Parameters that are no secrets."),
            Returned::new("missing", "list", "Secret parameters without a value."),
            Returned::new("duplicates", "list", "Parameters that are given twice; the last one holds."),
            Returned::new("differences", "list", "For `compared`: parameters that differ."),
            Returned::new("content", "str", "For `read`: the content in Base64."),
        ],
        examples: vec![Example {
            title: "Give every server of a core the interview's file".into(),
            yaml: "- opsware_response:\n    state: copied\n    path: \"{{ interview.response_file }}\"\n    content: \"{{ \
                   saved.content }}\"\n  no_log: true\n"
                .into(),
        }],
        ..ModuleSpec::default()
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let path = arguments.text_or_empty("path");
    match arguments.text_or_empty("state") {
        "read" => read_whole(&host, path).await,
        "compared" => compare(&host, path, arguments.text_or_empty("content")).await,
        "copied" => {
            copy(
                &host,
                path,
                arguments.text_or_empty("content"),
                call.check_mode,
            )
            .await
        }
        _ => find(&host, arguments.text_or_empty("directory"), path).await,
    }
}

/// Reads a response file of the host and registers its secrets.
pub(crate) async fn read_on(host: &Host, path: &str) -> Result<ResponseFile, Failure> {
    let (file, _) = read_content(host, path).await?;
    Ok(file)
}

async fn read_content(host: &Host, path: &str) -> Result<(ResponseFile, String), Failure> {
    let read = Read::File {
        path: path.to_owned(),
        max_bytes: LONGEST,
        sensitive: true,
    };
    let content = match host.read(vec![read]).await?.pop() {
        Some(ReadAnswer::File(content)) if content.exists && !content.truncated => content,
        Some(ReadAnswer::File(content)) if content.truncated => {
            return Err(Failure::new(format!(
                "{path} is too long for a response file"
            )));
        }
        Some(ReadAnswer::Refused(refusal)) => {
            return Err(Failure::new(format!("{path}: {}", refusal.message)));
        }
        _ => return Err(Failure::new(format!("there is no response file {path}"))),
    };
    let file =
        parse(&content.base64).map_err(|reason| Failure::new(format!("{path}: {reason}")))?;
    let mut secrets = file.secrets();
    secrets.push(content.base64.clone());
    host.secrets(secrets).await?;
    Ok((file, content.base64))
}

fn parse(content: &str) -> Result<ResponseFile, String> {
    let bytes = base64::decode(content).ok_or("its content came damaged")?;
    let text = String::from_utf8_lossy(&bytes);
    ResponseFile::read(&text).map_err(|reason| reason.to_string())
}

/// One file that was found.
struct Found {
    status: FileStatus,
    moment: Option<i64>,
}

impl Found {
    /// What files are sorted by: the moment in the name, or the file's own time.
    fn age_key(&self) -> f64 {
        self.moment
            .map_or(self.status.mtime, |moment| moment as f64)
    }

    fn shown(&self) -> Value {
        json!({
            "path": self.status.path, "moment": self.moment, "mtime": self.status.mtime,
            "size": self.status.size_bytes, "checksum": self.status.checksum,
            "mode": format!("{:04o}", self.status.mode), "owner": self.status.owner,
        })
    }
}

/// RESP-DISC-1: the newest by the moment in the name.
async fn find(host: &Host, directory: &str, chosen: &str) -> ModuleResult {
    if !chosen.is_empty() && !chosen.starts_with('/') {
        return Err(Failure::new(format!(
            "the response file {chosen} must be an absolute path: the installer is started in /"
        )));
    }
    let mut warnings = Vec::new();
    let script = format!(
        "ls -d {}/resp.* 2>/dev/null; exit 0",
        Host::quote(directory)
    );
    let mut paths: Vec<String> = host
        .read_script(script)
        .await?
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    if !chosen.is_empty() && !paths.iter().any(|path| path == chosen) {
        paths.push(chosen.to_owned());
    }
    let stats = paths
        .iter()
        .map(|path| {
            Read::Stat(Stat {
                path: path.clone(),
                follow: true,
                checksum: Some("sha256".into()),
            })
        })
        .collect();
    let answers = if paths.is_empty() {
        Vec::new()
    } else {
        host.read(stats).await?
    };
    let mut found: Vec<Found> = answers
        .into_iter()
        .filter_map(|answer| match answer {
            ReadAnswer::Stat(status) if status.kind == FileKind::File => Some(Found {
                moment: name::moment(&status.path),
                status,
            }),
            _ => None,
        })
        .collect();
    found.sort_by(|one, other| other.age_key().total_cmp(&one.age_key()));
    for file in found.iter().filter(|file| file.moment.is_none()) {
        warnings.push(format!(
            "{}: the name tells no moment, so the file's own time counts",
            file.status.path
        ));
    }
    let newest = match chosen {
        "" => found.first(),
        chosen => found.iter().find(|file| file.status.path == chosen),
    };
    let files: Value = found.iter().map(Found::shown).collect();
    let Some(newest) = newest else {
        let what = if chosen.is_empty() {
            format!("{directory}/resp.*")
        } else {
            chosen.to_owned()
        };
        return Err(Failure::new(format!(
            "there is no response file {what}; the installer cannot work without one"
        ))
        .with("files", files));
    };
    let youngest = found
        .iter()
        .max_by(|one, other| one.status.mtime.total_cmp(&other.status.mtime));
    if let Some(youngest) =
        youngest.filter(|file| file.status.path != newest.status.path && chosen.is_empty())
    {
        warnings.push(format!(
            "{} is the newest by its name, {} by its time; the name counts",
            newest.status.path, youngest.status.path
        ));
    }
    let (path, checksum) = (newest.status.path.clone(), newest.status.checksum.clone());
    let file = read_on(host, &path).await?;
    let mut outcome = describe(Outcome::unchanged(), &file, &mut warnings)
        .with("path", path)
        .with("checksum", checksum)
        .with("files", files);
    outcome.warnings = warnings;
    Ok(outcome)
}

/// Adds what may be shown of a file's content.
fn describe(outcome: Outcome, file: &ResponseFile, warnings: &mut Vec<String>) -> Outcome {
    let values: Object = file
        .names()
        .into_iter()
        .filter(|name| !is_secret(name))
        .filter_map(|name| Some((name.to_owned(), Value::from(file.get(name)?))))
        .collect();
    let missing: Value = file
        .names()
        .into_iter()
        .filter(|name| is_secret(name) && file.get(name).is_none_or(str::is_empty))
        .map(Value::from)
        .collect();
    let duplicates: Vec<&str> = file.duplicates();
    for name in &duplicates {
        warnings.push(format!(
            "`{name}` is given more than once; the last one holds"
        ));
    }
    outcome
        .with("parameters", Value::Object(values))
        .with("missing", missing)
        .with("duplicates", json!(duplicates))
}

async fn read_whole(host: &Host, path: &str) -> ModuleResult {
    let (file, content) = read_content(host, path).await?;
    let mut warnings = Vec::new();
    let mut outcome = describe(Outcome::unchanged(), &file, &mut warnings)
        .with("path", path)
        .with("content", content);
    outcome.warnings = warnings;
    Ok(outcome)
}

/// RESP-DISC-2: names of the parameters that differ from another server's file.
async fn compare(host: &Host, path: &str, content: &str) -> ModuleResult {
    let here = read_on(host, path).await?;
    let there = parse(content)
        .map_err(|reason| Failure::new(format!("the content to compare with: {reason}")))?;
    let differences: Vec<Value> = here
        .differences(&there)
        .into_iter()
        .map(|name| json!({"name": name, "secret": is_secret(name), "here": here.get(name).is_some(), "there": there.get(name).is_some()}))
        .collect();
    Ok(Outcome::unchanged()
        .with("path", path)
        .with("differences", differences))
}

/// Adds what `df` says of the place, for shells do not always tell that a disk is full.
async fn with_room(mut failure: Failure, host: &Host, path: &str) -> Result<Failure, Failure> {
    let directory = path
        .rsplit_once('/')
        .map_or("/", |(directory, _)| directory);
    let seen = host
        .read_command(sasrun_plugin::Command {
            script: format!("df -k {}", Host::quote(directory)),
            timeout_ms: Some(10_000),
            ..Default::default()
        })
        .await?;
    failure.msg = format!("{}; df -k says: {}", failure.msg, seen.stdout.trim_end());
    Ok(failure)
}

/// RESP-COPY-1: the same file on every server that runs a component.
async fn copy(host: &Host, path: &str, content: &str, check_mode: bool) -> ModuleResult {
    if content.is_empty() && check_mode {
        // The interview was only predicted, so its file is not there to be copied.
        host.will_change(
            "copy the response file that the interview will save",
            None,
            Object::new(),
        )
        .await?;
    }
    if !path.starts_with('/') {
        return Err(Failure::new(format!(
            "the response file's path must be absolute, not `{path}`"
        )));
    }
    parse(content).map_err(|reason| Failure::new(format!("the content to be copied: {reason}")))?;
    let read = Read::File {
        path: path.to_owned(),
        max_bytes: LONGEST,
        sensitive: true,
    };
    let stat = Read::Stat(Stat {
        path: path.to_owned(),
        follow: true,
        checksum: None,
    });
    let answers = host.read(vec![read, stat]).await?;
    let (Some(ReadAnswer::File(old)), Some(ReadAnswer::Stat(status))) =
        (answers.first(), answers.get(1))
    else {
        return Err(Failure::new(format!("{path} could not be looked at")));
    };
    let same = |content: &str, other: &str| {
        base64::decode(content).is_some_and(|bytes| base64::decode(other) == Some(bytes))
    };
    if old.exists && same(&old.base64, content) && status.mode & 0o7777 == 0o600 && status.uid == 0
    {
        return Ok(Outcome::unchanged().with("path", path));
    }
    let header = path.to_owned();
    let before = if old.exists {
        "(response file, not shown)\n"
    } else {
        ""
    };
    host.will_change(
        "copy the response file",
        Some(Diff::text(
            &header,
            before,
            "(response file, not shown, mode 0600)\n",
        )),
        Object::new(),
    )
    .await?;
    if let Some((directory, _)) = path.rsplit_once('/') {
        let script = format!("[ -d {0} ] || mkdir -p {0}", Host::quote(directory));
        let made = host
            .run(sasrun_plugin::Command {
                script,
                ..Default::default()
            })
            .await?;
        if !made.succeeded() {
            return Err(Failure::new(format!(
                "{directory} could not be made: {}",
                made.stderr.trim()
            )));
        }
    }
    let file = WriteFile {
        path: path.to_owned(),
        content: Content::Base64(content.to_owned()),
        mode: Some(0o600),
        owner: Some("root".into()),
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    };
    if let Err(failure) = host.write(file).await {
        return Err(with_room(failure, host, path).await?);
    }
    let read = Read::File {
        path: path.to_owned(),
        max_bytes: LONGEST,
        sensitive: true,
    };
    match host.read(vec![read]).await?.pop() {
        Some(ReadAnswer::File(now)) if now.exists && same(&now.base64, content) => {
            Ok(Outcome::changed().with("path", path))
        }
        _ => Err(Failure::new(format!(
            "{path} does not hold what was written to it"
        ))),
    }
}
