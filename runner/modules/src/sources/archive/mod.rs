//! `community.general.archive`: packs files of the host into an archive, by the host's own programs.

mod selection;

use sasrun_plugin::{
    Arguments, Call, Failure, FileKind, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome,
};
use serde_json::json;

use self::selection::Selection;
use crate::answers::{Answers, look, run as change, script};
use crate::attributes::{self, Attributes};
use crate::describe::{
    example, file_arguments, needed, of_collection, path, returns, switch, text, texts, with,
};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(texts(
            "path",
            "Files and directories to pack, by absolute paths or patterns.",
        )),
        path(
            "dest",
            "The archive. Needed for several paths; that of a single one has its name and the format.",
        ),
        text("format", "How it is packed.")
            .choices(&["bz2", "gz", "tar", "xz", "zip"])
            .defaults_to("gz"),
        texts("exclude_path", "Paths or patterns to take out of `path`."),
        texts(
            "exclusion_patterns",
            "Patterns of names inside of the archive to leave out; `*` matches slashes, too.",
        ),
        switch("force_archive", "Makes an archive even of a single file."),
        switch("remove", "Removes what was packed."),
    ];
    ModuleSpec {
        description: vec![
            "A single file is compressed as it is, unless `force_archive` or the formats `tar` and \
             `zip` ask for an archive; all else goes into a tar archive that is compressed, or a zip."
                .to_owned(),
            "Whether there is a change is judged by reading. What a compressed file or tar archive \
             holds is compared with what it would hold now, byte for byte, so names, content, \
             owners, modes and times count; of a zip the names and contents count. An archive that \
             another program made may be written anew once."
                .to_owned(),
            "The host needs the program of the format: gzip, bzip2, xz, tar, or zip and unzip. \
             `remove` removes what the archive holds, and directories that are empty then: what an \
             exclusion left out stays. Names with line ends are not for this module."
                .to_owned(),
        ],
        returns: returns(&[
            ("dest", "path", "The archive."),
            (
                "state",
                "str",
                "`archive`, `compress`, `incomplete` if paths are missing, or `absent`.",
            ),
            ("missing", "list", "Paths that are not there."),
            ("archived", "list", "Files that it holds, by their paths on the host."),
            ("arcroot", "str", "Directory that names in the archive are relative to."),
            ("expanded_paths", "list", "What `path` came to."),
            ("expanded_exclude_paths", "list", "What `exclude_path` came to."),
        ]),
        examples: vec![
            example(
                "Pack a directory without its logs",
                "community.general.archive:\n  path: /srv/app\n  dest: /backup/app.tar.gz\n  exclusion_patterns: [\"*.log\"]",
            ),
            example(
                "Compress a file in its place",
                "community.general.archive:\n  path: /var/log/old.log\n  remove: true",
            ),
        ],
        ..of_collection(
            "community.general",
            "archive",
            "Packs files of the host into an archive.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let selection = Selection::of(&host, &arguments).await?;
    let mut reads = vec![look(&selection.dest, true)];
    if !selection.sources.is_empty() {
        reads.push(script(
            selection.script("if same; then echo same; else echo differs; fi; names"),
        ));
    }
    let mut answers = Answers::of(&host, reads).await?;
    let status = answers.status()?;
    let dest = selection.dest.as_str();
    if status.kind == FileKind::Directory {
        return Err(Failure::new(format!(
            "the destination {dest} is a directory"
        )));
    }
    if selection.sources.is_empty() {
        let state = if status.exists() { "archive" } else { "absent" };
        return Ok(told(&selection, state, &[], Object::new()));
    }
    let compared = answers.command()?;
    let (verdict, names) = compared.stdout.split_once('\n').unwrap_or_default();
    let archived = selection.archived(names);
    let state = selection.state();
    let wanted = Attributes::of(&arguments);
    let is_same = verdict == "same";
    let removes = arguments.flag("remove");
    let difference = wanted.difference(&status);
    let fields = attributes::fields(&status);
    if is_same && !removes && difference.is_empty() {
        return Ok(told(&selection, state, &archived, fields));
    }
    let foretold = told(&selection, state, &archived, Object::new()).result;
    let summary = match (is_same, removes) {
        (false, _) => format!("write {dest}"),
        (true, true) => format!("remove what {dest} holds"),
        (true, false) => format!("change owner, group or mode of {dest}"),
    };
    host.will_change(summary, None, foretold).await?;
    let steps = match (is_same, removes) {
        (false, true) => Some("make && clear"),
        (false, false) => Some("make"),
        (true, true) => Some("clear"),
        (true, false) => None,
    };
    if let Some(steps) = steps {
        change(&host, selection.script(steps), "packing").await?;
    }
    let fields = set_attributes(&host, dest, &wanted).await?;
    Ok(Outcome {
        changed: true,
        ..told(&selection, state, &archived, fields)
    })
}

/// Gives the archive its owner, group and mode, and tells what it is then.
async fn set_attributes(host: &Host, dest: &str, wanted: &Attributes) -> Result<Object, Failure> {
    let mut status = Answers::of(host, vec![look(dest, true)]).await?.status()?;
    let difference = wanted.difference(&status);
    if !difference.is_empty() {
        let doing = "setting owner, group or mode";
        let shown = change(host, difference.script(dest), doing).await?;
        status = difference.apply(&status, &shown);
    }
    Ok(attributes::fields(&status))
}

fn told(selection: &Selection, state: &str, archived: &[String], fields: Object) -> Outcome {
    Outcome {
        result: fields,
        ..Outcome::default()
    }
    .with("dest", selection.dest.as_str())
    .with("state", state)
    .with("missing", json!(selection.missing))
    .with("archived", json!(archived))
    .with("arcroot", selection.root.as_str())
    .with("expanded_paths", json!(selection.expanded))
    .with("expanded_exclude_paths", json!(selection.excluded))
}

/// A path as the module takes it: resolved, and absolute.
async fn absolute(host: &Host, path: &str) -> Result<String, Failure> {
    let path = paths::expand(host, path).await?;
    if path.starts_with('/') {
        return Ok(path);
    }
    Err(Failure::new(format!("{path} is not an absolute path")))
}
