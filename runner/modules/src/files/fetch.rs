//! `fetch`: brings a file of the host to the controller.

use sasrun_plugin::{
    Arguments, Call, Change, CheckSupport, Command, Failure, FileKind, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Place,
};

use crate::answers::{Answers, look_inside};
use crate::describe::{choice, core, example, needed, path, returns, switch};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::Full,
        variables: vec!["playbook_dir".into(), "inventory_hostname".into()],
        returns: returns(&[
            ("dest", "path", "Where the file is on the controller."),
            ("checksum", "str", "SHA-1 of the file."),
            ("remote_checksum", "str", "SHA-1 of the file on the host."),
            ("file", "path", "Path of the file, if nothing was brought."),
        ]),
        examples: vec![example(
            "Keep a log",
            "ansible.builtin.fetch:\n  src: /var/log/install.log\n  dest: logs/\n  flat: true",
        )],
        ..core(
            "fetch",
            "Brings a file of the host to the controller.",
            vec![
                needed(path("src", "File of the host.")),
                needed(path(
                    "dest",
                    "Directory of the controller; below it the file lies by host and path.",
                )),
                switch(
                    "flat",
                    "Writes to `dest` itself, or below it if it ends with a slash.",
                ),
                choice("fail_on_missing", "Fails if the file is not there.").defaults_to(true),
                choice(
                    "validate_checksum",
                    "Compares what arrived with what was sent.",
                )
                .defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let src = paths::expand(&host, arguments.text_or_empty("src")).await?;
    let status = Answers::of(&host, vec![look_inside(&src, true)])
        .await?
        .status()?;
    if let Some(outcome) = unavailable(&arguments, &src, &status.kind, status.readable)? {
        return Ok(outcome);
    }
    let dest = destination(&call, &arguments, &src);
    let checksum = status.checksum.clone().unwrap_or_default();
    if checksum_here(&host, &dest).await?.as_deref() == Some(checksum.as_str()) {
        return Ok(Outcome::unchanged()
            .with("dest", dest)
            .with("file", src)
            .with("checksum", checksum));
    }
    let mut result = Object::new();
    result.insert("dest".into(), dest.as_str().into());
    result.insert("checksum".into(), checksum.as_str().into());
    result.insert("remote_checksum".into(), checksum.as_str().into());
    host.will_change(format!("bring {src} to {dest}"), None, result.clone())
        .await?;
    let written = host
        .written(Change::Fetch {
            path: src,
            controller_path: dest,
        })
        .await?;
    let arrived = written.status.checksum.unwrap_or_else(|| checksum.clone());
    if arguments.flag("validate_checksum") && arrived != checksum {
        return Err(Failure {
            result,
            ..Failure::new("checksum mismatch")
        }
        .with("checksum", arrived));
    }
    Ok(Outcome {
        result,
        ..Outcome::changed()
    })
}

fn unavailable(
    arguments: &Arguments,
    src: &str,
    kind: &FileKind,
    readable: bool,
) -> Result<Option<Outcome>, Failure> {
    let msg = match kind {
        FileKind::Absent => "the remote file does not exist",
        FileKind::Directory => "remote file is a directory, fetch cannot work on directories",
        _ if !readable => "no read permission on remote file",
        _ => return Ok(None),
    };
    if arguments.flag("fail_on_missing") {
        return Err(Failure::new(format!("{msg}, not transferring")).with("file", src));
    }
    Ok(Some(
        Outcome::unchanged()
            .with("msg", format!("{msg}, not transferring, ignored"))
            .with("file", src),
    ))
}

/// Returns where the file goes on the controller.
fn destination(call: &Call, arguments: &Arguments, src: &str) -> String {
    let dest = arguments.text_or_empty("dest");
    let variable = |name: &str| call.variables.get(name).and_then(serde_json::Value::as_str);
    let place = match (arguments.flag("flat"), dest.ends_with('/')) {
        (true, true) => paths::join(dest, paths::file_name(src)),
        (true, false) => dest.to_owned(),
        (false, _) => {
            let name = variable("inventory_hostname").unwrap_or(&call.host);
            let below = src.trim_start_matches('/');
            format!("{}/{name}/{below}", dest.trim_end_matches('/'))
        }
    };
    match variable("playbook_dir") {
        Some(directory) if !place.starts_with(['/', '~']) => paths::join(directory, &place),
        _ => place,
    }
}

/// Returns the SHA-1 of the controller's copy, if there is one.
async fn checksum_here(host: &Host, path: &str) -> Result<Option<String>, Failure> {
    let word = paths::word(path);
    let command = Command {
        script: format!("[ -f {word} ] && {{ sha1sum {word} || shasum {word}; }} 2>/dev/null"),
        place: Place::Controller,
        ..Command::default()
    };
    let output = host.read_command(command).await?;
    Ok(output.stdout.split_whitespace().next().map(str::to_owned))
}
