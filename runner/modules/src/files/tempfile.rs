//! `tempfile`: makes a file or directory that no one else has.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome, Repetition,
};

use crate::answers::{Answers, look, run as change};
use crate::attributes;
use crate::describe::{core, example, path, returns, text};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        repetition: Repetition::Repeat,
        returns: returns(&[("path", "path", "What was made.")]),
        examples: vec![example(
            "Make a directory",
            "ansible.builtin.tempfile:\n  state: directory\n  suffix: build\nregister: work",
        )],
        ..core(
            "tempfile",
            "Makes a temporary file or directory.",
            vec![
                text("state", "What to make.")
                    .choices(&["file", "directory"])
                    .defaults_to("file"),
                path("path", "Directory in which it is made."),
                text("prefix", "Start of its name.").defaults_to("ansible."),
                text("suffix", "End of its name.").defaults_to(""),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    for name in ["prefix", "suffix"] {
        if arguments.text_or_empty(name).contains('/') {
            return Err(Failure::new(format!(
                "{name} must be a valid file name component, without path separators"
            )));
        }
    }
    let is_directory = arguments.text("state") == Some("directory");
    let below = match arguments.text("path") {
        Some(path) => paths::word(&paths::expand(&host, path).await?),
        None => "\"${TMPDIR-/tmp}\"".to_owned(),
    };
    let prefix = Host::quote(arguments.text_or_empty("prefix"));
    let suffix = Host::quote(arguments.text_or_empty("suffix"));
    let make = if is_directory {
        "mkdir \"$f\""
    } else {
        "( set -C; : > \"$f\" )"
    };
    // `set -C` refuses to write to a file that is there; names are tried until one is free.
    let script = format!(
        "umask 077\nn=0\n\
         while f={below}/{prefix}$$.`date +%H%M%S`.${{n}}{suffix}; {make} 2>/dev/null; [ $? -ne 0 ]; do\n\
         n=`expr $n + 1`\n\
         if [ $n -gt 50 ]; then echo \"nothing can be made below \"{below} >&2; exit 1; fi\n\
         done\necho \"$f\""
    );
    host.will_change("make a temporary file or directory", None, Object::new())
        .await?;
    let output = change(&host, script, "making a temporary file").await?;
    let path = output.stdout.trim_end_matches('\n').to_owned();
    let status = Answers::of(&host, vec![look(&path, false)])
        .await?
        .status()?;
    Ok(Outcome {
        result: attributes::fields(&status),
        ..Outcome::changed()
    }
    .with("path", path))
}
