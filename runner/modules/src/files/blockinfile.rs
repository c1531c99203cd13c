//! `blockinfile`: keeps a block of lines between two marker lines of a text file.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};

use super::edit::{self, Edit, FileText};
use crate::describe::{
    core, example, file_arguments, needed, path, returns, set, switch, text, with,
};
use crate::python_regex::{Flags, PythonRegex, RegexError};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("path", "File to edit.")).alias(&["dest", "destfile", "name"]),
        text("state", "Whether the block shall be there.")
            .choices(&["absent", "present"])
            .defaults_to("present"),
        text(
            "marker",
            "Marker line; `{mark}` in it becomes `marker_begin` and `marker_end`.",
        )
        .defaults_to("# {mark} ANSIBLE MANAGED BLOCK"),
        text("block", "The lines; none removes the block.")
            .alias(&["content"])
            .defaults_to(""),
        text(
            "insertafter",
            "Pattern of the line after which a new block goes, or `EOF`.",
        ),
        text(
            "insertbefore",
            "Pattern of the line before which a new block goes, or `BOF`.",
        ),
        switch("create", "Makes the file if it is not there."),
        switch("backup", "Keeps a copy of the old file beside it."),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
        text("marker_begin", "Word in the first marker line.").defaults_to("BEGIN"),
        text("marker_end", "Word in the last marker line.").defaults_to("END"),
        switch(
            "append_newline",
            "Puts an empty line after the block, unless the file ends there.",
        ),
        switch(
            "prepend_newline",
            "Puts an empty line before the block, unless the file starts there.",
        ),
    ];
    ModuleSpec {
        diff: true,
        lists_diff: true,
        mutually_exclusive: vec![set(&["insertbefore", "insertafter"])],
        returns: returns(&[
            ("msg", "str", "What was done."),
            ("backup_file", "str", "Where the old file was kept."),
        ]),
        examples: vec![example(
            "Name some hosts",
            "ansible.builtin.blockinfile:\n  path: /etc/hosts\n  block: |\n    192.0.2.10 truth\n    192.0.2.11 slice",
        )],
        ..core(
            "blockinfile",
            "Keeps a block of lines between two marker lines of a text file.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let found = edit::find(&host, arguments.text_or_empty("path")).await?;
    let (path, exists) = (found.path.clone(), found.status.exists());
    let is_present = arguments.text("state") != Some("absent");
    if !exists && !arguments.flag("create") {
        if !is_present {
            return Ok(Outcome::unchanged().with("msg", format!("File {path} not present")));
        }
        return Err(Failure::new(format!("Path {path} does not exist !")).with("rc", 257));
    }
    if !exists && !is_present {
        return Ok(Outcome::unchanged().with("msg", format!("File {path} not present")));
    }
    let block = Block::of(&arguments, &found.file, is_present);
    let edited = block
        .place(&found.file, exists)
        .map_err(|error: RegexError| Failure::new(error.to_string()))?;
    edit::finish(&host, &call, found, edited, Object::new()).await
}

/// The block and where it goes.
struct Block {
    begin: String,
    end: String,
    /// Lines with their markers; none removes the block.
    lines: Vec<String>,
    after: Option<String>,
    before: Option<String>,
    append_newline: bool,
    prepend_newline: bool,
}

impl Block {
    fn of(arguments: &Arguments, file: &FileText, is_present: bool) -> Self {
        let given = |name: &str| arguments.text_or_empty(name).to_owned();
        let marker = |word: &str| {
            file.spell(&format!(
                "{}\n",
                given("marker").replace("{mark}", &given(word))
            ))
        };
        let (begin, end) = (marker("marker_begin"), marker("marker_end"));
        let mut text = file.spell(&given("block"));
        let mut lines = Vec::new();
        if is_present && !text.is_empty() {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            lines.push(begin.clone());
            lines.extend(split_keeping_ends(&text));
            lines.push(end.clone());
        }
        let after = arguments.text("insertafter");
        let before = arguments.text("insertbefore");
        Self {
            begin,
            end,
            lines,
            after: after
                .filter(|pattern| *pattern != "EOF")
                .map(|pattern| file.spell(pattern)),
            before: before.map(|pattern| file.spell(pattern)),
            append_newline: is_present && arguments.flag("append_newline"),
            prepend_newline: is_present && arguments.flag("prepend_newline"),
        }
    }

    fn place(&self, file: &FileText, exists: bool) -> Result<Edit, RegexError> {
        let mut lines = split_keeping_ends(&file.text);
        let last = |wanted: &String| lines.iter().rposition(|line| line == wanted);
        let mut at = match (last(&self.begin), last(&self.end)) {
            (Some(begin), Some(end)) => {
                let (first, last) = (begin.min(end), begin.max(end));
                lines.drain(first..=last);
                first
            }
            _ => self.anchor(&lines, &file.text)?,
        };
        if let Some(line) = at.checked_sub(1).and_then(|at| lines.get_mut(at)) {
            if !line.ends_with('\n') {
                line.push('\n');
            }
            if self.prepend_newline && line != "\n" {
                lines.insert(at, "\n".to_owned());
                at += 1;
            }
        }
        lines.splice(at..at, self.lines.iter().cloned());
        let after = at + self.lines.len();
        if self.append_newline && lines.get(after).is_some_and(|line| line != "\n") {
            lines.insert(after, "\n".to_owned());
        }
        let text = lines.concat();
        let changed = !exists || text != file.text;
        let msg = match (changed, exists, self.lines.is_empty()) {
            (false, ..) => "",
            (_, false, _) => "File created",
            (_, _, true) => "Block removed",
            _ => "Block inserted",
        };
        Ok(Edit {
            text,
            msg: msg.to_owned(),
            changed,
        })
    }

    /// Finds the line before which a new block goes.
    fn anchor(&self, lines: &[String], text: &str) -> Result<usize, RegexError> {
        let (pattern, offset) = match (&self.after, &self.before) {
            (Some(pattern), _) => (pattern, 1),
            (None, Some(before)) if before == "BOF" => return Ok(0),
            (None, Some(before)) => (before, 0),
            (None, None) => return Ok(lines.len()),
        };
        let regex = PythonRegex::new(pattern, Flags::default())?;
        if pattern.starts_with("(?m)") {
            let Some(found) = regex
                .captures(text)?
                .and_then(|found| found.get(0).map(|m| (m.start(), m.end())))
            else {
                return Ok(lines.len());
            };
            let upto = if offset == 1 { found.1 } else { found.0 };
            return Ok(text[..upto].matches('\n').count() + offset);
        }
        let mut at = None;
        for (number, line) in lines.iter().enumerate() {
            if regex.is_match(line)? {
                at = Some(number + offset);
            }
        }
        Ok(at.unwrap_or(lines.len()))
    }
}

/// Splits after `\n`, `\r\n` and `\r`, as Python splits bytes.
fn split_keeping_ends(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = match rest.find(['\n', '\r']) {
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        lines.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    lines
}
