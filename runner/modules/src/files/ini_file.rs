//! `community.general.ini_file`: one option of a file made of sections.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
};
use serde_json::Value;

use super::edit::{self, Edit};
use crate::describe::{
    choice, example, file_arguments, needed, of_collection, path, presence, raw, returns, set,
    switch, text, texts, with,
};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("path", "File to edit.")).alias(&["dest"]),
        text("section", "Section; none is what stands before the first."),
        raw(
            "section_has_values",
            "Options that the section must have, as a list of `option` and `value` or `values`.",
        ),
        text("option", "Option; none with `absent` removes the section."),
        text("value", "Value of the option."),
        texts("values", "Values of an option that stands several times."),
        switch("backup", "Keeps a copy of the old file beside it."),
        presence(),
        choice("exclusive", "Removes other values of the option.").defaults_to(true),
        switch("no_extra_spaces", "Writes no spaces around `=`."),
        switch(
            "ignore_spaces",
            "Takes a value that differs in spaces for the same.",
        ),
        choice("create", "Makes the file if it is not there.").defaults_to(true),
        switch("allow_no_value", "Allows an option without a value."),
        choice(
            "modify_inactive_option",
            "Uses a line with the option that is a comment.",
        )
        .defaults_to(true),
        switch(
            "follow",
            "Follows a symbolic link; links are always followed.",
        ),
    ];
    ModuleSpec {
        diff: true,
        mutually_exclusive: vec![set(&["value", "values"])],
        returns: returns(&[
            ("msg", "str", "What was done."),
            ("path", "path", "The file."),
            ("backup_file", "str", "Where the old file was kept."),
        ]),
        examples: vec![example(
            "Set an option",
            "community.general.ini_file:\n  path: /etc/app.ini\n  section: web\n  option: port\n  value: '8080'",
        )],
        ..of_collection(
            "community.general",
            "ini_file",
            "Sets and removes options of a file made of sections.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let wish = Wish::of(&arguments)?;
    let found = edit::find(&host, arguments.text_or_empty("path")).await?;
    if !found.status.exists() && !arguments.flag("create") {
        let path = &found.path;
        return Err(Failure::new(format!("Destination {path} does not exist!")).with("rc", 257));
    }
    let (text, msg) = wish.edited(&found.file.text);
    let mut result = Object::new();
    result.insert("path".into(), found.path.as_str().into());
    let changed = text != found.file.text || !found.status.exists();
    let edited = Edit {
        text,
        msg: msg.to_owned(),
        changed,
    };
    edit::finish(&host, &call, found, edited, result).await
}

/// What is wanted of the file.
#[derive(Debug, Default)]
struct Wish {
    section: Option<String>,
    has: Vec<(String, Vec<String>)>,
    option: Option<String>,
    values: Vec<String>,
    is_present: bool,
    exclusive: bool,
    tight: bool,
    ignore_spaces: bool,
    allow_no_value: bool,
    uses_comments: bool,
}

impl Wish {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let mut values = arguments.strings("values");
        values.extend(arguments.text("value").map(str::to_owned));
        let wish = Self {
            section: arguments
                .text("section")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            has: conditions(arguments.value("section_has_values")),
            option: arguments.text("option").map(str::to_owned),
            values,
            is_present: arguments.text("state") != Some("absent"),
            exclusive: arguments.flag("exclusive"),
            tight: arguments.flag("no_extra_spaces"),
            ignore_spaces: arguments.flag("ignore_spaces"),
            allow_no_value: arguments.flag("allow_no_value"),
            uses_comments: arguments.flag("modify_inactive_option"),
        };
        let lacks = wish.is_present && wish.values.is_empty() && !wish.allow_no_value;
        if lacks && wish.option.is_some() {
            return Err(Failure::new(
                "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.",
            ));
        }
        Ok(wish)
    }

    fn line(&self, value: Option<&str>) -> String {
        let option = self.option.as_deref().unwrap_or_default();
        match value {
            Some(value) if self.tight => format!("{option}={value}"),
            Some(value) => format!("{option} = {value}"),
            None => option.to_owned(),
        }
    }

    /// Returns the new text and what was done.
    fn edited(&self, text: &str) -> (String, &'static str) {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let Some((start, end)) = self.find_section(&lines) else {
            return self.without_section(lines, text);
        };
        let msg = match (&self.option, self.is_present) {
            (None, true) => "OK",
            (None, false) if self.section.is_none() => "OK",
            (None, false) => {
                lines.drain(start - 1..end);
                "section removed"
            }
            (Some(_), false) => self.remove(&mut lines, start, end),
            (Some(_), true) => self.set(&mut lines, start, end),
        };
        if msg == "OK" {
            return (text.to_owned(), msg);
        }
        (crate::changing::joined(&lines), msg)
    }

    fn without_section(&self, mut lines: Vec<String>, text: &str) -> (String, &'static str) {
        let (Some(section), true) = (&self.section, self.is_present) else {
            return (text.to_owned(), "OK");
        };
        lines.push(format!("[{section}]"));
        for (option, values) in &self.has {
            let of = Self {
                option: Some(option.clone()),
                tight: self.tight,
                ..Self::default()
            };
            lines.extend(values.iter().map(|value| of.line(Some(value))));
        }
        let mut msg = "section added";
        if self.option.is_some() {
            lines.extend(self.wanted());
            msg = "section and option added";
        }
        (crate::changing::joined(&lines), msg)
    }

    fn wanted(&self) -> Vec<String> {
        if self.values.is_empty() {
            return vec![self.line(None)];
        }
        self.values
            .iter()
            .map(|value| self.line(Some(value)))
            .collect()
    }

    /// Returns the lines of the section, without its name.
    fn find_section(&self, lines: &[String]) -> Option<(usize, usize)> {
        let names: Vec<(usize, &str)> = lines
            .iter()
            .enumerate()
            .filter_map(|(at, line)| Some((at, section_name(line)?)))
            .collect();
        let end_of = |nth: usize| names.get(nth).map_or(lines.len(), |(at, _)| *at);
        let Some(wanted) = &self.section else {
            return Some((0, end_of(0)));
        };
        names.iter().enumerate().find_map(|(nth, (at, name))| {
            let range = (at + 1, end_of(nth + 1));
            let body = lines.get(range.0..range.1)?;
            (name == wanted && self.has.iter().all(|known| holds(body, known))).then_some(range)
        })
    }

    /// Tells whether a line holds the option, and its value.
    fn option_in<'a>(&self, line: &'a str, comments: bool) -> Option<Option<&'a str>> {
        let option = self.option.as_deref()?;
        let bare = if comments {
            line.trim_start_matches(|c: char| c.is_whitespace() || c == '#' || c == ';')
        } else {
            line.trim_start()
        };
        value_of(bare, option)
    }

    fn remove(&self, lines: &mut Vec<String>, start: usize, end: usize) -> &'static str {
        let before = lines.len();
        let goes = |line: &String| match self.option_in(line, false) {
            None => false,
            Some(value) => {
                self.exclusive
                    || self.values.is_empty()
                    || value.is_some_and(|value| self.values.iter().any(|known| known == value))
            }
        };
        let kept: Vec<String> = lines
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter(|line| !goes(line))
            .cloned()
            .collect();
        lines.splice(start..end, kept);
        if lines.len() == before {
            "OK"
        } else {
            "option removed"
        }
    }

    /// Puts the wanted lines where the option stands, or at the end of the section.
    fn set(&self, lines: &mut Vec<String>, start: usize, end: usize) -> &'static str {
        let old: Vec<String> = lines.get(start..end).unwrap_or_default().to_vec();
        let mut missing = self.wanted();
        let (mut body, mut changed) = (Vec::with_capacity(old.len() + 1), false);
        for line in &old {
            if self.option_in(line, false).is_none() {
                body.push(line.clone());
                continue;
            }
            if let Some(at) = missing.iter().position(|wanted| self.is_same(wanted, line)) {
                missing.remove(at);
                body.push(line.clone());
            } else if self.exclusive {
                body.push(String::from("\0"));
            } else {
                body.push(line.clone());
            }
        }
        // Lines whose value is wrong make room for the ones that are wanted, in their order.
        for place in body.iter_mut().filter(|line| *line == "\0") {
            changed = true;
            if !missing.is_empty() {
                *place = missing.remove(0);
            }
        }
        body.retain(|line| line != "\0");
        if self.uses_comments && !missing.is_empty() {
            let comment = body.iter().position(|line| {
                line.trim_start().starts_with(['#', ';']) && self.option_in(line, true).is_some()
            });
            if let Some(at) = comment {
                body[at] = missing.remove(0);
                changed = true;
            }
        }
        let msg = match (changed, missing.is_empty()) {
            (false, true) => return "OK",
            (true, true) => "option changed",
            (_, false) => "option added",
        };
        let last = body.iter().rposition(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with(['#', ';'])
        });
        let at = last.map_or(0, |at| at + 1);
        body.splice(at..at, missing);
        lines.splice(start..end, body);
        msg
    }

    fn is_same(&self, wanted: &str, line: &str) -> bool {
        if !self.ignore_spaces {
            return wanted == line.trim_end();
        }
        let option = self.option.as_deref().unwrap_or_default();
        value_of(wanted, option) == value_of(line.trim(), option)
    }
}

fn section_name(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix('[')?
        .strip_suffix(']')
        .map(str::trim)
}

/// Returns the value of the option that stands in a line, if it is this option.
fn value_of<'a>(line: &'a str, option: &str) -> Option<Option<&'a str>> {
    let rest = line.strip_prefix(option)?.trim_start();
    match rest.strip_prefix('=') {
        Some(value) => Some(Some(value.trim())),
        None => rest.is_empty().then_some(None),
    }
}

fn holds(body: &[String], (option, values): &(String, Vec<String>)) -> bool {
    values.iter().all(|wanted| {
        body.iter()
            .any(|line| value_of(line.trim(), option) == Some(Some(wanted.as_str())))
    })
}

fn conditions(value: Option<&Value>) -> Vec<(String, Vec<String>)> {
    let entries = value
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    entries
        .iter()
        .filter_map(|entry| {
            let option = entry.get("option")?.as_str()?.to_owned();
            let mut values: Vec<String> = entry
                .get("values")
                .and_then(Value::as_array)
                .map(|values| values.iter().map(text).collect())
                .unwrap_or_default();
            values.extend(
                entry
                    .get("value")
                    .filter(|value| !value.is_null())
                    .map(text),
            );
            Some((option, values))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Wish;

    fn wish(section: &str, option: &str, values: &[&str]) -> Wish {
        Wish {
            section: Some(section.into()),
            option: Some(option.into()),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            is_present: true,
            exclusive: true,
            uses_comments: true,
            ..Wish::default()
        }
    }

    const TEXT: &str = "[a]\nx = 1\n#y = 2\n\n[b]\nx = 1\n";

    #[test]
    fn an_option_is_set_in_its_section_only() {
        assert_eq!(
            wish("b", "x", &["2"]).edited(TEXT),
            (
                "[a]\nx = 1\n#y = 2\n\n[b]\nx = 2\n".into(),
                "option changed"
            )
        );
        assert_eq!(wish("a", "x", &["1"]).edited(TEXT), (TEXT.into(), "OK"));
        assert_eq!(
            wish("a", "z", &["3"]).edited(TEXT).0,
            "[a]\nx = 1\nz = 3\n#y = 2\n\n[b]\nx = 1\n"
        );
        assert_eq!(
            wish("c", "z", &["3"]).edited(TEXT),
            (format!("{TEXT}[c]\nz = 3\n"), "section and option added")
        );
    }

    #[test]
    fn a_comment_with_the_option_becomes_the_option() {
        assert_eq!(
            wish("a", "y", &["5"]).edited(TEXT).0,
            "[a]\nx = 1\ny = 5\n\n[b]\nx = 1\n"
        );
    }

    #[test]
    fn several_values_replace_those_that_are_there() {
        let text = "[a]\nx = 1\nx = 2\n";
        assert_eq!(
            wish("a", "x", &["2", "3"]).edited(text).0,
            "[a]\nx = 3\nx = 2\n"
        );
        let more = Wish {
            exclusive: false,
            ..wish("a", "x", &["3"])
        };
        assert_eq!(more.edited(text).0, "[a]\nx = 1\nx = 2\nx = 3\n");
    }

    #[test]
    fn options_and_sections_go() {
        let gone = Wish {
            is_present: false,
            ..wish("a", "x", &[])
        };
        assert_eq!(gone.edited(TEXT).0, "[a]\n#y = 2\n\n[b]\nx = 1\n");
        let section = Wish {
            option: None,
            ..gone
        };
        assert_eq!(
            section.edited(TEXT),
            ("[b]\nx = 1\n".into(), "section removed")
        );
    }
}
