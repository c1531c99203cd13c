//! `lineinfile`: makes sure that a line is, or is not, in a text file.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};

use super::edit::{self, Edit, FileText};
use crate::describe::{
    core, example, file_arguments, needed, path, returns, set, switch, text, with,
};
use crate::python_regex::{self, Flags, PythonRegex, RegexError};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("path", "File to edit.")).alias(&["dest", "destfile", "name"]),
        text("state", "Whether the line shall be there.")
            .choices(&["absent", "present"])
            .defaults_to("present"),
        text(
            "regexp",
            "Pattern of the line to replace, or of the lines to remove.",
        )
        .alias(&["regex"]),
        text(
            "search_string",
            "Text that the line to replace, or to remove, contains.",
        ),
        text("line", "The line.").alias(&["value"]),
        text(
            "insertafter",
            "Pattern of the line after which a new one goes, or `BOF` or `EOF`.",
        ),
        text(
            "insertbefore",
            "Pattern of the line before which a new one goes, or `BOF`.",
        ),
        switch(
            "backrefs",
            "Fills `\\1` and the like in the line from the match of `regexp`.",
        ),
        switch("create", "Makes the file if it is not there."),
        switch("backup", "Keeps a copy of the old file beside it."),
        switch(
            "firstmatch",
            "Takes the first line that matches instead of the last.",
        ),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
    ];
    ModuleSpec {
        description: vec![
            "If `regexp` or `search_string` is found, the last line in which it is found becomes \
             `line`. Else the line is added: after `insertafter`, before `insertbefore`, or at the \
             end."
                .into(),
        ],
        diff: true,
        lists_diff: true,
        mutually_exclusive: vec![
            set(&["insertbefore", "insertafter"]),
            set(&["regexp", "search_string"]),
            set(&["backrefs", "search_string"]),
        ],
        returns: returns(&[
            ("msg", "str", "What was done."),
            (
                "found",
                "int",
                "With `state: absent`, how many lines were removed.",
            ),
            (
                "backup",
                "str",
                "Where the old file was kept, or an empty text.",
            ),
        ]),
        examples: vec![example(
            "Set an option",
            "ansible.builtin.lineinfile:\n  path: /etc/ssh/sshd_config\n  regexp: '^#?PermitRootLogin'\n  line: PermitRootLogin no\n  validate: /usr/sbin/sshd -t -f %s",
        )],
        ..core(
            "lineinfile",
            "Makes sure that a line is, or is not, in a text file.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let is_present = arguments.text("state") != Some("absent");
    check(&arguments, is_present)?;
    let found = edit::find(&host, arguments.text_or_empty("path")).await?;
    let (path, exists) = (found.path.clone(), found.status.exists());
    if !exists && !is_present {
        return Ok(Outcome::unchanged().with("msg", "file not present"));
    }
    if !exists && !arguments.flag("create") {
        return Err(Failure::new(format!("Destination {path} does not exist !")).with("rc", 257));
    }
    let bad = |error: RegexError| Failure::new(error.to_string());
    let mut result = Object::new();
    result.insert("backup".into(), "".into());
    let edited = if is_present {
        let place = Place::of(&arguments, &found.file).map_err(bad)?;
        place.put(&found.file.text).map_err(bad)?
    } else {
        let (edited, removed) = remove(&arguments, &found.file).map_err(bad)?;
        result.insert("found".into(), removed.into());
        edited
    };
    let outcome = edit::finish(&host, &call, found, edited, result).await?;
    Ok(warned(outcome, &arguments))
}

fn check(arguments: &Arguments, is_present: bool) -> Result<(), Failure> {
    let has = |name| arguments.has(name);
    if is_present && arguments.flag("backrefs") && !has("regexp") {
        return Err(Failure::new("regexp is required with backrefs=true"));
    }
    if is_present && !has("line") {
        return Err(Failure::new("line is required with state=present"));
    }
    if !is_present && !has("line") && !has("regexp") && !has("search_string") {
        return Err(Failure::new(
            "one of line, search_string, or regexp is required with state=absent",
        ));
    }
    Ok(())
}

fn warned(outcome: Outcome, arguments: &Arguments) -> Outcome {
    let empty = |name| arguments.text(name) == Some("");
    let (what, way_out) = match (empty("regexp"), empty("search_string")) {
        (true, _) => (
            "regular expression",
            " If this is desired, use '^' to match every line in the file and avoid this warning.",
        ),
        (_, true) => ("search string", ""),
        _ => return outcome,
    };
    outcome.warn(format!(
        "The {what} is an empty string, which will match every line in the file. \
         This may have unintended consequences, such as replacing the last line in the file rather \
         than appending.{way_out}"
    ))
}

/// Where a line goes.
struct Place {
    line: String,
    finder: Option<Finder>,
    anchor: Anchor,
    takes_first: bool,
    fills_references: bool,
}

enum Finder {
    Pattern(PythonRegex),
    Text(String),
}

enum Anchor {
    Start,
    End,
    After(PythonRegex),
    Before(PythonRegex),
}

/// What the search for the place found.
#[derive(Default)]
struct Search {
    /// Line that the finder matched, and what it becomes.
    matched: Option<(usize, String)>,
    /// Line that is already as wanted.
    exact: Option<usize>,
    /// Where a new line would go.
    anchored: Option<usize>,
}

impl Place {
    fn of(arguments: &Arguments, file: &FileText) -> Result<Self, RegexError> {
        let pattern = |text: &str| PythonRegex::new(&file.spell(text), Flags::default());
        let anchor = match (
            arguments.text("insertafter"),
            arguments.text("insertbefore"),
        ) {
            (Some("BOF"), _) | (None, Some("BOF")) => Anchor::Start,
            (Some("EOF") | None, None) | (Some("EOF"), Some(_)) => Anchor::End,
            (Some(after), _) => Anchor::After(pattern(after)?),
            (None, Some(before)) => Anchor::Before(pattern(before)?),
        };
        Ok(Self {
            line: file.spell(arguments.text_or_empty("line")),
            finder: Finder::of(arguments, file)?,
            anchor,
            takes_first: arguments.flag("firstmatch"),
            fills_references: arguments.flag("backrefs"),
        })
    }

    fn put(&self, text: &str) -> Result<Edit, RegexError> {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let search = self.search(&lines)?;
        if let Some((at, new)) = search.matched {
            return Ok(replace_line(lines, at, new, text));
        }
        if let Some(at) = search.exact {
            // It stands there already; only its own end may still be missing.
            return Ok(replace_line(lines, at, ended(&self.line), text));
        }
        if self.fills_references {
            return Ok(unchanged(text));
        }
        let new = ended(&self.line);
        match (&self.anchor, search.anchored) {
            (Anchor::Start, _) => lines.insert(0, new),
            (Anchor::After(_), Some(at)) => {
                end_last(&mut lines);
                if lines
                    .get(at)
                    .or(lines.last())
                    .is_some_and(|line| bare(line) == self.line)
                {
                    return Ok(unchanged(text));
                }
                lines.insert(at, new);
            }
            (Anchor::Before(_), Some(at)) => {
                let beside = lines.get(at.saturating_sub(1));
                if beside.is_some_and(|line| bare(line) == self.line) {
                    return Ok(unchanged(text));
                }
                lines.insert(at, new);
            }
            _ => {
                end_last(&mut lines);
                lines.push(new);
            }
        }
        Ok(changed(lines, "line added"))
    }

    fn search(&self, lines: &[String]) -> Result<Search, RegexError> {
        let mut search = Search::default();
        if let Some(finder) = &self.finder {
            for (at, line) in lines.iter().enumerate() {
                let Some(new) = finder.replacement(line, self)? else {
                    continue;
                };
                search.matched = Some((at, new));
                if self.takes_first {
                    break;
                }
            }
        }
        if search.matched.is_some() {
            return Ok(search);
        }
        for (at, line) in lines.iter().enumerate() {
            let (regex, offset) = match &self.anchor {
                _ if bare(line) == self.line => {
                    search.exact = Some(at);
                    continue;
                }
                Anchor::After(regex) => (regex, 1),
                Anchor::Before(regex) => (regex, 0),
                _ => continue,
            };
            if regex.is_match(line)? {
                search.anchored = Some(at + offset);
                if self.takes_first {
                    break;
                }
            }
        }
        Ok(search)
    }
}

impl Finder {
    fn of(arguments: &Arguments, file: &FileText) -> Result<Option<Self>, RegexError> {
        if let Some(regexp) = arguments.text("regexp") {
            let regex = PythonRegex::new(&file.spell(regexp), Flags::default())?;
            return Ok(Some(Finder::Pattern(regex)));
        }
        Ok(arguments
            .text("search_string")
            .map(|text| Finder::Text(file.spell(text))))
    }

    fn matches(&self, line: &str) -> Result<bool, RegexError> {
        match self {
            Finder::Pattern(regex) => regex.is_match(line),
            Finder::Text(text) => Ok(line.contains(text.as_str())),
        }
    }

    /// Returns what a line that matches becomes.
    fn replacement(&self, line: &str, place: &Place) -> Result<Option<String>, RegexError> {
        match self {
            Finder::Pattern(regex) if place.fills_references => match regex.captures(line)? {
                Some(captures) => Ok(Some(ended(&python_regex::expand(&captures, &place.line)?))),
                None => Ok(None),
            },
            finder => Ok(finder.matches(line)?.then(|| ended(&place.line))),
        }
    }
}

fn remove(arguments: &Arguments, file: &FileText) -> Result<(Edit, usize), RegexError> {
    let finder = Finder::of(arguments, file)?;
    let line = file.spell(arguments.text_or_empty("line"));
    let mut kept = Vec::new();
    let mut removed = 0;
    for current in file.text.split_inclusive('\n') {
        let goes = match &finder {
            Some(finder) => finder.matches(current)?,
            None => bare(current) == line,
        };
        if goes {
            removed += 1;
        } else {
            kept.push(current.to_owned());
        }
    }
    if removed == 0 {
        return Ok((unchanged(&file.text), 0));
    }
    Ok((
        changed(kept, &format!("{removed} line(s) removed")),
        removed,
    ))
}

fn replace_line(mut lines: Vec<String>, at: usize, new: String, text: &str) -> Edit {
    match lines.get_mut(at) {
        Some(line) if *line != new => {
            *line = new;
            changed(lines, "line replaced")
        }
        _ => unchanged(text),
    }
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn ended(line: &str) -> String {
    if line.ends_with('\n') {
        line.to_owned()
    } else {
        format!("{line}\n")
    }
}

/// Ends the last line, so that another can follow.
fn end_last(lines: &mut [String]) {
    if let Some(last) = lines
        .last_mut()
        .filter(|last| !last.ends_with(['\n', '\r']))
    {
        last.push('\n');
    }
}

fn unchanged(text: &str) -> Edit {
    Edit {
        text: text.to_owned(),
        msg: String::new(),
        changed: false,
    }
}

fn changed(lines: Vec<String>, msg: &str) -> Edit {
    Edit {
        text: lines.concat(),
        msg: msg.to_owned(),
        changed: true,
    }
}
