//! `replace`: replaces all that matches a pattern in a text file.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};

use super::edit::{self, Edit, FileText};
use crate::describe::{core, example, file_arguments, needed, path, returns, switch, text, with};
use crate::python_regex::{Flags, PythonRegex, RegexError};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("path", "File to edit.")).alias(&["dest", "destfile", "name"]),
        needed(text("regexp", "Pattern; `^` and `$` match at every line.")),
        text("replace", "What each match becomes; none removes it.").defaults_to(""),
        text(
            "after",
            "Pattern: only what comes after its first match is looked at.",
        ),
        text(
            "before",
            "Pattern: only what comes before its first match is looked at.",
        ),
        switch("backup", "Keeps a copy of the old file beside it."),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
        text("encoding", "Encoding of the file; only `utf-8` is known.").defaults_to("utf-8"),
    ];
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("msg", "str", "What was done."),
            ("rc", "int", "Always 0 on success."),
            ("backup_file", "str", "Where the old file was kept."),
        ]),
        examples: vec![example(
            "Rename a host",
            "ansible.builtin.replace:\n  path: /etc/hosts\n  regexp: '(\\s+)old\\.host\\.name(\\s+.*)?$'\n  replace: '\\1new.host.name\\2'",
        )],
        ..core(
            "replace",
            "Replaces all that matches a pattern in a text file.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let found = edit::find(&host, arguments.text_or_empty("path")).await?;
    if !found.status.exists() {
        let path = &found.path;
        return Err(Failure::new(format!("Path {path} does not exist !")).with("rc", 257));
    }
    let edited = replace(&arguments, &found.file).map_err(|error: RegexError| match error {
        RegexError::Replacement { reason, .. } => {
            Failure::new(format!("Unable to process replace due to error: {reason}"))
        }
        other => Failure::new(other.to_string()),
    })?;
    let mut result = Object::new();
    result.insert("rc".into(), 0.into());
    match edited {
        Replaced::Edit(edited) => edit::finish(&host, &call, found, edited, result).await,
        Replaced::NoSection(pattern) => Ok(Outcome {
            result,
            ..Outcome::unchanged()
        }
        .with(
            "msg",
            format!("Pattern for before/after params did not match the given file: {pattern}"),
        )),
    }
}

enum Replaced {
    Edit(Edit),
    /// The part of the file that was to be looked at is not there.
    NoSection(String),
}

fn replace(arguments: &Arguments, file: &FileText) -> Result<Replaced, RegexError> {
    let given = |name| arguments.text(name).filter(|text| !text.is_empty());
    let pattern = match (given("after"), given("before")) {
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*){before}"),
        (None, None) => String::new(),
    };
    let text = file.text.as_str();
    let mut section = (0, text.len());
    if !pattern.is_empty() {
        let flags = Flags {
            dot_all: true,
            ..Flags::default()
        };
        let regex = PythonRegex::new(&file.spell(&pattern), flags)?;
        let captures = regex.captures(text)?;
        match captures.and_then(|found| {
            found
                .name("subsection")
                .map(|part| (part.start(), part.end()))
        }) {
            Some(range) => section = range,
            None => return Ok(Replaced::NoSection(pattern)),
        }
    }
    let flags = Flags {
        multi_line: true,
        ..Flags::default()
    };
    let regex = PythonRegex::new(&file.spell(arguments.text_or_empty("regexp")), flags)?;
    let old = &text[section.0..section.1];
    check_template(arguments.text_or_empty("replace"))?;
    let (new, count) = regex.replace_all(old, &file.spell(arguments.text_or_empty("replace")))?;
    let changed = count > 0 && new != old;
    let msg = if changed {
        format!("{count} replacements made")
    } else {
        String::new()
    };
    Ok(Replaced::Edit(Edit {
        text: format!("{}{new}{}", &text[..section.0], &text[section.1..]),
        msg,
        changed,
    }))
}

/// Refuses a replacement with an escape that means nothing, also where nothing matches.
fn check_template(template: &str) -> Result<(), RegexError> {
    let mut chars = template.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some((_, letter)) if letter.is_ascii_alphabetic() && !"abfgnrtv".contains(letter) => {
                return Err(RegexError::Replacement {
                    template: template.to_owned(),
                    reason: format!("bad escape \\{letter} at position {at}"),
                });
            }
            _ => {}
        }
    }
    Ok(())
}
