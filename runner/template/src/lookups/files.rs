//! Lookups of files, templates and commands.

use super::{Lookup, LookupCall, lookup};
use crate::eval::{Env, Sink};
use crate::options::RenderOptions;
use crate::syntax::Reading;
use crate::values::{Eval, Fault, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    lookup("file", file),
    lookup("fileglob", glob),
    lookup("first_found", first_found),
    lookup("lines", |call| commands(call, true)),
    lookup("pipe", |call| commands(call, false)),
    lookup("template", template),
    lookup("unvault", unvault),
];

impl LookupCall<'_> {
    /// The text of a file that tasks would find.
    pub(super) fn file_text(&self, kind: &str, name: &str) -> Eval<String> {
        let content = self.file_bytes(kind, name)?;
        String::from_utf8(content).map_err(|_| self.fail(format!("{name} is not text")))
    }

    /// The content of a file that tasks would find.
    pub(super) fn file_bytes(&self, kind: &str, name: &str) -> Eval<Vec<u8>> {
        let path = self.env.find_file(kind, name)?.ok_or_else(|| {
            let why = "No such file or directory";
            self.fail(format!("the file '{name}' was not found: {why}"))
        })?;
        self.session()
            .world()
            .read_file(&path)
            .map_err(|err| self.fail(format!("cannot read {path}: {err}")))
    }
}

fn file(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for name in call.term_texts()? {
        let mut text = call.file_text("files", &name)?;
        if call.option_flag("rstrip", true)? {
            text.truncate(text.trim_end().len());
        }
        if call.option_flag("lstrip", false)? {
            text = text.trim_start().to_owned();
        }
        found.push(Val::from(text));
    }
    Ok(found)
}

/// The files as they are: unlike `file`, no blank at their ends is taken away.
fn unvault(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let names = call.term_texts()?;
    let texts = names.iter().map(|name| call.file_text("files", name));
    texts.map(|text| Ok(Val::from(text?))).collect()
}

fn glob(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let world = call.session().world();
    let mut found = Vec::new();
    for pattern in call.term_texts()? {
        let pattern = call.env.expand_home(&pattern);
        let candidates = if pattern.starts_with('/') {
            vec![pattern]
        } else {
            // As Ansible: `files/` beside the play or role, and for a pattern with a directory that directory too.
            call.env
                .search_path("files")?
                .into_iter()
                .map(|directory| format!("{directory}/{pattern}"))
                .collect()
        };
        for candidate in candidates {
            let paths = world
                .glob(&candidate)
                .map_err(|err| call.fail(err.to_string()))?;
            let files: Vec<Val> = paths
                .into_iter()
                .filter(|path| world.path_kind(path).is_some_and(|kind| kind.is_file))
                .map(Val::from)
                .collect();
            if !files.is_empty() {
                found.extend(files);
                break;
            }
        }
    }
    Ok(found)
}

/// What `first_found` tries: names, and directories in front of them.
#[derive(Default)]
struct Candidates {
    names: Vec<String>,
    skip: bool,
}

fn first_found(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut candidates = Candidates::default();
    for term in &call.terms {
        collect(call, term, &mut candidates)?;
    }
    if call.terms.is_empty() {
        let options = Val::dict(
            call.options
                .iter()
                .map(|(key, value)| (sasrun_model::Key::Text(key.clone()), value.clone()))
                .collect(),
        );
        collect(call, &options, &mut candidates)?;
    }
    candidates.skip |= call.option_flag("skip", false)?;
    for name in &candidates.names {
        for kind in ["files", "templates", "vars"] {
            if let Some(path) = call.env.find_file(kind, name)? {
                return Ok(vec![Val::from(path)]);
            }
        }
    }
    if candidates.skip {
        return Ok(Vec::new());
    }
    Err(call.fail(format!(
        "no file was found of: {}",
        candidates.names.join(", ")
    )))
}

/// Names that stand in one text.
fn split(text: &str, signs: &[char]) -> Vec<String> {
    let names = text.split(signs).map(str::trim);
    names.map(str::to_owned).collect()
}

fn collect(call: &LookupCall<'_>, term: &Val, candidates: &mut Candidates) -> Eval<()> {
    let session = call.session();
    if term.is_sequence() {
        for item in session.iterate(term)? {
            collect(call, &item, candidates)?;
        }
        return Ok(());
    }
    if let Val::Text(_) | Val::Undefined(_) = term {
        candidates
            .names
            .extend(split(&session.text_of(term)?, &[',', ';']));
        return Ok(());
    }
    if !term.is_mapping() {
        return Err(call.fail(format!(
            "Invalid term supplied. A string, dict or list is required, not '{}'",
            term.type_name()
        )));
    }
    let texts = |name: &str, signs: &[char]| -> Eval<Vec<String>> {
        let items = match session.entry(term, &name.into())? {
            Some(value) if value.is_sequence() => session.iterate(&value)?,
            Some(Val::Null) | None => Vec::new(),
            Some(value) => vec![value],
        };
        let mut texts = Vec::new();
        for item in &items {
            texts.extend(split(&session.text_of(item)?, signs));
        }
        Ok(texts)
    };
    let (files, paths) = (
        texts("files", &[',', ';'])?,
        texts("paths", &[',', ':', ';'])?,
    );
    if let Some(skip) = session.entry(term, &"skip".into())? {
        candidates.skip |= session.to_data(&skip)?.to_boolean().unwrap_or(false);
    }
    if paths.is_empty() {
        candidates.names.extend(files);
    } else {
        for path in &paths {
            candidates.names.extend(
                files
                    .iter()
                    .map(|file| format!("{}/{file}", path.trim_end_matches('/'))),
            );
        }
    }
    Ok(())
}

fn commands(call: &LookupCall<'_>, by_line: bool) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for command in call.term_texts()? {
        let output = call
            .session()
            .world()
            .run_command(&command)
            .map_err(|err| call.fail(err.to_string()))?;
        if output.code != 0 {
            return Err(call.fail(format!(
                "command '{command}' ended with {}: {}",
                output.code,
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if by_line {
            found.extend(text.lines().map(Val::from));
        } else {
            found.push(Val::from(text.trim_end()));
        }
    }
    Ok(found)
}

fn template(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let shared = &call.session().shared;
    let mut found = Vec::new();
    for name in call.term_texts()? {
        let path = call
            .env
            .find_file("templates", &name)?
            .ok_or_else(|| call.fail(format!("the template file {name} could not be found")))?;
        let content = shared
            .world
            .read_file(&path)
            .map_err(|err| call.fail(format!("cannot read {path}: {err}")))?;
        let text = String::from_utf8_lossy(&content).into_owned();
        let mut options = RenderOptions {
            name: Some(path.as_str().into()),
            variable_start: call.option_text("variable_start_string", "{{")?,
            variable_end: call.option_text("variable_end_string", "}}")?,
            comment_start: call.option_text("comment_start_string", "{#")?,
            comment_end: call.option_text("comment_end_string", "#}")?,
            trim_blocks: call.option_flag("trim_blocks", true)?,
            lstrip_blocks: call.option_flag("lstrip_blocks", false)?,
            ..RenderOptions::default()
        };
        let body: std::sync::Arc<str> = options.take_header(&text).into();
        let mut search = call.env.search_path("templates")?;
        if let Some((directory, _)) = path.rsplit_once('/') {
            search.insert(0, directory.to_owned());
        }
        options.search_path = search;
        let program = shared
            .programs
            .program(
                &body,
                &Reading::File(Box::new(options.clone())),
                &shared.extensions,
            )
            .map_err(|problem| Fault::problem(crate::error::Problem::Syntax(problem)))?;
        let Some(session) = call.session().me() else {
            continue;
        };
        let mut env = Env::new(&session, &call.env.scope, &program, options);
        if let Some(variables) = call.option("template_vars") {
            env.set_all(variables)?;
        }
        let mut sink = Sink::native();
        session.deeper(|| env.run(&mut sink))?;
        if sink.is_untouched() {
            // Nothing at all was put out, not even text without letters.
            found.push(Val::Null);
            continue;
        }
        let mut text = sink.into_text(&session)?;
        let present = text.len() - text.trim_end_matches('\n').len();
        text.push_str(&"\n".repeat(program.trailing_newlines.saturating_sub(present)));
        found.push(Val::from(text));
    }
    Ok(found)
}
