//! `assemble`: joins the files of a directory, in order of their names, into one file.

use base64::Engine as _;
use sasrun_plugin::{
    Arguments, Call, Command, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Place, Read, SearchIn,
};

use super::placing::{Source, place};
use crate::answers::{Answers, bytes_of, succeeded, whole};
use crate::describe::{
    choice, core, example, file_arguments, file_returns, needed, path, switch, text, with,
};
use crate::paths;
use crate::python_regex::{Flags, PythonRegex};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("src", "Directory with the fragments.")),
        needed(path("dest", "File to write.")),
        switch("backup", "Keeps a copy of the old file beside it."),
        text("delimiter", "Text between two fragments."),
        choice("remote_src", "Takes the fragments from the host itself.").defaults_to(true),
        text("regexp", "Pattern of the names of fragments to take."),
        switch("ignore_hidden", "Leaves out names that start with a dot."),
        switch(
            "follow",
            "Writes to what a symbolic link at `dest` leads to.",
        ),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
        choice(
            "decrypt",
            "Opens fragments of the controller's that are in a vault.",
        )
        .defaults_to(true),
    ];
    ModuleSpec {
        diff: true,
        returns: file_returns(),
        examples: vec![example(
            "Join fragments",
            "ansible.builtin.assemble:\n  src: /etc/app/conf.d\n  dest: /etc/app/app.conf",
        )],
        ..core(
            "assemble",
            "Joins fragments into one file.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let src = arguments.text_or_empty("src");
    let fragments = if arguments.flag("remote_src") {
        let src = paths::expand(&host, src).await?;
        of_host(&host, &src, &arguments).await?
    } else {
        of_controller(&host, src, &arguments).await?
    };
    let joined = join(&fragments, arguments.text("delimiter"));
    place(&host, &call, Source::of_bytes(&joined, None)).await
}

/// Joins fragments; a fragment that does not end its last line gets an end before a delimiter.
fn join(fragments: &[Vec<u8>], delimiter: Option<&str>) -> Vec<u8> {
    let delimiter = delimiter.map(|text| text.replace("\\n", "\n"));
    let mut joined = Vec::new();
    for (at, fragment) in fragments.iter().enumerate() {
        if at > 0 && !joined.ends_with(b"\n") {
            joined.push(b'\n');
        }
        if let Some(delimiter) = delimiter.as_ref().filter(|_| at > 0) {
            joined.extend_from_slice(delimiter.as_bytes());
            if !delimiter.ends_with('\n') {
                joined.push(b'\n');
            }
        }
        joined.extend_from_slice(fragment);
    }
    joined
}

fn selected(names: Vec<String>, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let regex = match arguments.text("regexp") {
        Some(pattern) => Some(
            PythonRegex::new(pattern, Flags::default())
                .map_err(|error| Failure::new(error.to_string()))?,
        ),
        None => None,
    };
    let hides = arguments.flag("ignore_hidden");
    let mut names: Vec<String> = names
        .into_iter()
        .filter(|name| !(hides && name.starts_with('.')))
        .filter(|name| {
            regex
                .as_ref()
                .is_none_or(|regex| regex.is_match(name) == Ok(true))
        })
        .collect();
    names.sort();
    Ok(names)
}

async fn of_host(host: &Host, src: &str, arguments: &Arguments) -> Result<Vec<Vec<u8>>, Failure> {
    let word = paths::word(src);
    let list = format!("cd {word} && for f in * .[!.]*; do [ -f \"$f\" ] && echo \"$f\"; done; :");
    let output = host.read_script(list).await?;
    if !output.stderr.is_empty() && output.stdout.is_empty() {
        return Err(Failure::new(format!("Source ({src}) does not exist")));
    }
    let names = selected(
        output.stdout.lines().map(str::to_owned).collect(),
        arguments,
    )?;
    let reads: Vec<Read> = names
        .iter()
        .map(|name| whole(&paths::join(src, name)))
        .collect();
    let mut answers = Answers::of(host, reads).await?;
    names.iter().map(|_| bytes_of(&answers.file()?)).collect()
}

async fn of_controller(
    host: &Host,
    src: &str,
    arguments: &Arguments,
) -> Result<Vec<Vec<u8>>, Failure> {
    let directory = host.controller_file(src, SearchIn::Files, None).await?;
    let names = directory
        .entries
        .iter()
        .map(|entry| entry.path.clone())
        .filter(|path| !path.contains('/'))
        .collect();
    let mut fragments = Vec::new();
    for name in selected(names, arguments)? {
        let path = paths::join(&directory.path, &name);
        let command = Command {
            script: format!("base64 < {} | tr -d '\\n'", paths::word(&path)),
            place: Place::Controller,
            ..Command::default()
        };
        let shown = succeeded(host.read_command(command).await?, "reading a fragment")?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(shown.stdout.trim())
            .map_err(|_| Failure::new(format!("the fragment {path} came garbled")))?;
        let is_vaulted = arguments.flag("decrypt") && bytes.starts_with(b"$ANSIBLE_VAULT;");
        fragments.push(if is_vaulted {
            super::copy::opened(host, &path).await?
        } else {
            bytes
        });
    }
    Ok(fragments)
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn fragments_are_joined_at_line_ends() {
        let parts = [b"a".to_vec(), b"b\n".to_vec(), b"c".to_vec()];
        assert_eq!(join(&parts, None), b"a\nb\nc");
        assert_eq!(join(&parts, Some("--")), b"a\n--\nb\n--\nc");
    }
}
