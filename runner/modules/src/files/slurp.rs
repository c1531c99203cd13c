//! `slurp`: reads a file of the host as Base64.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FileKind, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Outcome, Repetition,
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
    let mut answers = Answers::of(&host, vec![look(&path, true), whole(&path)]).await?;
    let status = answers.status()?;
    if !status.exists() {
        return Err(Failure::new(format!("file not found: {path}")));
    }
    if status.kind == FileKind::Directory {
        return Err(Failure::new(format!(
            "source is a directory and must be a file: {path}"
        )));
    }
    if !status.readable {
        return Err(Failure::new(format!("file is not readable: {path}")));
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
