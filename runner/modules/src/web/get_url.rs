//! `get_url`: downloads a file to the host.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, Failure, FileKind, FileStatus, FunctionModule,
    Host, Module, ModuleResult, ModuleSpec, Outcome, Read, Stat,
};

use super::asking::{failed, is_newer, name_of, redirected, there_is};
use super::curl::{Config, command, shared_arguments};
use crate::answers::{Answers, run as change};
use crate::attributes::{self, Attributes, Difference};
use crate::describe::{
    core, example, file_arguments, file_returns, needed, path, switch, text, with,
};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(text("url", "Address of the file.")),
        needed(path("dest", "Where it goes.")),
        text(
            "checksum",
            "Checksum it must have, such as `sha256:…`, or `sha256:` and the address of a list.",
        )
        .defaults_to(""),
        switch("backup", "Keeps a copy of the old file beside it."),
        path("tmp_dest", "Accepted; the file is loaded beside its place."),
    ];
    let shared: Vec<ArgumentSpec> = shared_arguments()
        .into_iter()
        .map(|argument| match argument.name.as_str() {
            "timeout" => ArgumentSpec::optional(
                "timeout",
                ArgumentType::Integer,
                "How long it may take, in seconds.",
            )
            .defaults_to(3600),
            _ => argument,
        })
        .collect();
    ModuleSpec {
        returns: file_returns(),
        examples: vec![example(
            "Download a file",
            "ansible.builtin.get_url:\n  url: https://example.com/app.tar.gz\n  dest: /opt/app.tar.gz\n  checksum: sha256:abc…",
        )],
        ..core(
            "get_url",
            "Downloads a file to the host.",
            with(with(own, shared), file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let url = arguments.text_or_empty("url");
    let attributes = Attributes::of(&arguments);
    let expected = expected(&arguments, &host).await?;
    let algorithm = expected
        .as_ref()
        .map_or("sha1", |(algorithm, _)| algorithm.as_str());
    let mut dest = paths::expand(&host, arguments.text_or_empty("dest")).await?;
    let mut there = look(&host, &dest, algorithm).await?;
    if there.kind == FileKind::Directory {
        dest = paths::join(&dest, &name_of(&host, &arguments, url).await?);
        there = look(&host, &dest, algorithm).await?;
    }
    let is_right = match &expected {
        Some((_, sum)) => there.checksum.as_deref() == Some(sum.as_str()),
        None if !there.exists() || arguments.flag("force") => false,
        None => !is_newer(&host, &arguments, url, &dest).await?,
    };
    let outcome = Outcome::default()
        .with("url", url)
        .with("dest", dest.as_str());
    let difference = attributes.difference(&there);
    if is_right && difference.is_empty() {
        let mut outcome = outcome.with("msg", "file already exists");
        if expected.is_none() {
            // So the server said.
            outcome = outcome
                .with("msg", "file already exists: HTTP Error 304: NOT MODIFIED")
                .with("status_code", 304);
        }
        outcome.result.extend(attributes::fields(&there));
        return Ok(outcome);
    }
    let mut declared = outcome.result.clone();
    if call.check_mode && !is_right {
        let msg = there_is(&host, &arguments, url).await?;
        declared.insert("msg".into(), msg.into());
    }
    host.will_change(format!("download {url} to {dest}"), None, declared)
        .await?;
    if !is_right && !download(&host, &arguments, &dest, &there, expected).await? {
        // What came is what was there; only its attributes may differ.
        if difference.is_empty() {
            return Ok(outcome.with("msg", "OK"));
        }
    }
    let difference = if is_right {
        difference
    } else {
        wanted(&attributes, &there)
    };
    change(&host, difference.script(&dest), "changing owner or mode").await?;
    let after = look(&host, &dest, "sha1").await?;
    let mut outcome = Outcome {
        changed: true,
        ..outcome
    }
    .with("msg", "OK")
    .with("checksum_dest", after.checksum.clone())
    .with("checksum_src", after.checksum.clone());
    outcome.result.extend(attributes::fields(&after));
    Ok(outcome)
}

fn wanted(attributes: &Attributes, there: &FileStatus) -> Difference {
    Difference {
        owner: attributes.owner.clone(),
        group: attributes.group.clone(),
        mode: if there.exists() {
            Some(attributes.bits(there).unwrap_or(there.mode))
        } else {
            attributes.bits_of_new(false)
        },
        marks: false,
    }
}

async fn look(host: &Host, path: &str, algorithm: &str) -> Result<FileStatus, Failure> {
    let read = Read::Stat(Stat {
        path: path.to_owned(),
        follow: true,
        checksum: Some(algorithm.to_owned()),
    });
    Answers::of(host, vec![read]).await?.status()
}

/// Returns the algorithm and the checksum that the file must have.
async fn expected(arguments: &Arguments, host: &Host) -> Result<Option<(String, String)>, Failure> {
    let given = arguments.text_or_empty("checksum").trim();
    if given.is_empty() {
        return Ok(None);
    }
    let Some((algorithm, sum)) = given.split_once(':') else {
        return Err(Failure::new(format!(
            "The checksum parameter has to be in format <algorithm>:<checksum>, not {given}"
        )));
    };
    let algorithm = algorithm.to_lowercase();
    if !sum.contains("://") {
        return Ok(Some((algorithm, digits(sum))));
    }
    let mut config = Config::new(arguments, sum);
    config.flag("fail");
    config.flag("location");
    let list = host.read_command(command(arguments, sum, config)).await?;
    if !list.succeeded() {
        return Err(failed(sum, &list));
    }
    let name = paths::file_name(arguments.text_or_empty("url")).to_owned();
    let lines: Vec<Vec<&str>> = list
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let found = lines
        .iter()
        .find_map(|words| match words.as_slice() {
            // As written with `--tag`: `SHA256 (name) = sum`.
            [_, file, "=", sum] if file.trim_matches(['(', ')']) == name => Some(sum),
            [sum, file, ..] if paths::file_name(file.trim_start_matches('*')) == name => Some(sum),
            _ => None,
        })
        .or_else(|| match lines.as_slice() {
            [only] => only.first(),
            _ => None,
        });
    match found {
        Some(sum) => Ok(Some((algorithm, digits(sum)))),
        None => Err(Failure::new(format!(
            "Unable to find a checksum for file '{name}' in '{sum}'"
        ))),
    }
}

/// A checksum without blanks, dots and the like, as in Ansible.
fn digits(sum: &str) -> String {
    let digits = sum.chars().filter(|c| c.is_alphanumeric());
    digits.collect::<String>().to_lowercase()
}

/// Loads the file beside its place and moves it there; tells whether it differs from what was there.
async fn download(
    host: &Host,
    arguments: &Arguments,
    dest: &str,
    there: &FileStatus,
    expected: Option<(String, String)>,
) -> Result<bool, Failure> {
    let url = arguments.text_or_empty("url");
    let part = format!("{dest}.sasrun-part");
    let (address, left_out) = redirected(host, arguments, url).await?;
    let mut config = Config::leaving_out(arguments, &address, &left_out);
    config.flag("fail");
    config.flag("location");
    if arguments.flag("decompress") {
        config.flag("compressed");
    }
    config.set("output", &part);
    let output = host.run(command(arguments, &address, config)).await?;
    let drop_part = format!("rm -f {}", paths::word(&part));
    if !output.succeeded() {
        change(host, drop_part, "removing what was loaded").await?;
        return Err(failed(url, &output).with("dest", dest));
    }
    let algorithm = expected
        .as_ref()
        .map_or("sha1", |(algorithm, _)| algorithm.as_str());
    let loaded = look(host, &part, algorithm).await?;
    if let Some((_, sum)) = &expected
        && loaded.checksum.as_deref() != Some(sum.as_str())
    {
        change(host, drop_part, "removing what was loaded").await?;
        let actual = loaded.checksum.unwrap_or_default();
        return Err(Failure::new(format!(
            "The checksum for {part} did not match {sum}; it was {actual}."
        ))
        .with("dest", dest)
        .with("url", url));
    }
    if there.exists() && loaded.checksum == there.checksum {
        change(host, drop_part, "removing what was loaded").await?;
        return Ok(false);
    }
    let (part, word) = (paths::word(&part), paths::word(dest));
    let mut steps = Vec::new();
    if arguments.flag("backup") && there.exists() {
        steps.push(format!("cp -p {word} {word}.`date +%Y-%m-%d@%H:%M:%S`~"));
    }
    steps.push(format!("mv -f {part} {word}"));
    change(host, steps.join(" && "), "moving the file into place").await?;
    Ok(true)
}
