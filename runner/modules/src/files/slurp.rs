//! `slurp`: reads a file of the host as Base64.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FileKind, FileStatus, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome, Repetition,
};

use crate::answers::{Answers, look, whole};
use crate::describe::{core, example, needed, path, returns};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("content", "str", "The content, in Base64."),
            ("encoding", "str", "Always `base64`."),
            ("source", "str", "Path of the file."),
        ]),
        examples: vec![example(
            "Read a file",
            "ansible.builtin.slurp:\n  src: /var/run/sshd.pid\nregister: pid",
        )],
        ..core(
            "slurp",
            "Reads a file of the host.",
            vec![needed(path("src", "The file.")).alias(&["path"])],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let path = paths::expand(&host, arguments.text_or_empty("src")).await?;
    let mut answers = Answers::of(
        &host,
        vec![
            look(&path, true),
            look(paths::parent(&path), true),
            whole(&path),
        ],
    )
    .await?;
    let status = answers.status()?;
    let parent = answers.status()?;
    if !status.exists() {
        return Err(missing(&parent, &path));
    }
    if !status.readable {
        return Err(Failure::new(format!("File is not readable: {path}")));
    }
    if status.kind == FileKind::Directory {
        return Err(Failure::new(format!(
            "Source is a directory and must be a file: {path}"
        )));
    }
    let content = answers.file()?;
    if content.truncated {
        return Err(Failure::new(format!(
            "{path} is too large to be read into a variable"
        )));
    }
    Ok(Outcome::unchanged()
        .with("content", content.base64)
        .with("source", path)
        .with("encoding", "base64"))
}

/// A file that is not there, or whose place cannot be looked into.
fn missing(parent: &FileStatus, path: &str) -> Failure {
    match parent.kind {
        FileKind::File => Failure::new(format!("Unable to slurp file: {path}: Not a directory")),
        FileKind::Directory if !parent.executable => {
            Failure::new(format!("File is not readable: {path}"))
        }
        _ => Failure::new(format!("File not found: {path}")),
    }
}
