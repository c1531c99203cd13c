//! The lookup `ini`: one setting, or those that match a pattern, of a file as Python's `configparser` reads it.

use super::{LookupCall, read_term};
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

/// Options that may stand beside the key in a term.
const OPTIONS: &[&str] = &[
    "allow_no_value",
    "allow_none",
    "case_sensitive",
    "default",
    "encoding",
    "file",
    "interpolation",
    "re",
    "section",
    "type",
];

/// Where settings of a file of properties are put, which has no sections.
const PROPERTIES: &str = "java_properties";
/// Section whose settings stand in for those that others lack.
const DEFAULTS: &str = "DEFAULT";
/// How often one setting may lead to another one.
const MOST_STEPS: u32 = 10;

/// How a file is read, and what is looked for in it.
struct Wish {
    file: String,
    section: String,
    is_regex: bool,
    keeps_case: bool,
    takes_bare_names: bool,
    interpolates: bool,
    is_properties: bool,
    is_latin: bool,
}

pub(super) fn ini(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in call.term_texts()? {
        let (key, own) = read_term(&term, OPTIONS);
        if let Some((name, _)) = own.iter().find(|(name, _)| !OPTIONS.contains(&&**name)) {
            return Err(call.fail(format!("'{name}' is not a valid option.")));
        }
        if key.is_empty() {
            return Err(call.fail(format!(
                "No key to look up was provided as first term within string inline options: {term}"
            )));
        }
        let wish = Wish::of(call, &own)?;
        let settings = wish.settings(call)?;
        let own_default = own.iter().find(|(name, _)| name == "default");
        let default = match (own_default, call.option("default")) {
            (Some((_, text)), _) => Some(Val::from(text.as_str())),
            (None, given) => given.cloned(),
        };
        found.extend(wish.values(call, &settings, &key, default)?);
    }
    Ok(found)
}

impl Wish {
    fn of(call: &LookupCall<'_>, own: &[(String, String)]) -> Eval<Self> {
        let text = |name: &str, default: &str| super::own_option(call, own, name, default);
        let flag = |name: &str, default: bool| -> Eval<bool> {
            match own.iter().find(|(key, _)| key == name) {
                Some((_, value)) => Ok(sasrun_model::Value::from(value.as_str())
                    .to_boolean()
                    .unwrap_or(default)),
                None => call.option_flag(name, default),
            }
        };
        let is_properties = text("type", "ini")? == "properties";
        let encoding = text("encoding", "utf-8")?.to_ascii_lowercase();
        let is_latin = match encoding.replace(['-', '_'], "").as_str() {
            "utf8" | "ascii" | "usascii" => false,
            "iso88591" | "latin1" | "8859" | "cp1252" => true,
            _ => return Err(call.fail(format!("unknown encoding: {encoding}"))),
        };
        Ok(Self {
            file: text("file", "ansible.ini")?,
            section: match is_properties {
                true => PROPERTIES.to_owned(),
                false => text("section", "global")?,
            },
            is_regex: flag("re", false)?,
            keeps_case: flag("case_sensitive", false)?,
            takes_bare_names: flag("allow_no_value", false)? || flag("allow_none", false)?,
            interpolates: flag("interpolation", true)?,
            is_properties,
            is_latin,
        })
    }

    /// All settings of the file.
    fn settings(&self, call: &LookupCall<'_>) -> Eval<Vec<Section>> {
        let bytes = call.file_bytes("files", &self.file)?;
        let text = if self.is_latin {
            bytes.iter().copied().map(char::from).collect()
        } else {
            String::from_utf8(bytes)
                .map_err(|_| call.fail(format!("{} is not text in UTF-8", self.file)))?
        };
        self.read(&text).map_err(|message| call.fail(message))
    }

    /// Reads a file; the message says what is wrong with it.
    fn read(&self, text: &str) -> Result<Vec<Section>, String> {
        let mut sections: Vec<Section> = Vec::new();
        if self.is_properties {
            sections.push(Section::named(PROPERTIES));
        }
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let goes_on = line.starts_with([' ', '\t']);
            if goes_on
                && let Some((_, value)) = sections.last_mut().and_then(|it| it.settings.last_mut())
            {
                let value = value.get_or_insert_default();
                value.push('\n');
                value.push_str(trimmed);
                continue;
            }
            let header = trimmed.strip_prefix('[').and_then(|it| it.split_once(']'));
            if let Some((name, _)) = header {
                sections.push(Section::named(name));
                continue;
            }
            let Some(section) = sections.last_mut() else {
                return Err(format!("File contains no section headers: {trimmed:?}"));
            };
            let (name, value) = match trimmed.split_once(['=', ':']) {
                Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
                None if self.takes_bare_names => (trimmed, None),
                None => {
                    return Err(format!("Source contains parsing errors: {trimmed:?}"));
                }
            };
            let name = self.folded(name);
            if section.settings.iter().any(|(known, _)| *known == name) {
                return Err(format!("Duplicate option in '{}'.", self.file));
            }
            section.settings.push((name, value));
        }
        Ok(sections)
    }

    fn folded(&self, name: &str) -> String {
        if self.keeps_case {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    }

    fn values(
        &self,
        call: &LookupCall<'_>,
        sections: &[Section],
        key: &str,
        default: Option<Val>,
    ) -> Eval<Vec<Val>> {
        let named = |wanted: &str| -> Vec<&Section> {
            let all = sections.iter();
            all.filter(|section| section.name == wanted).collect()
        };
        let own = named(&self.section);
        if own.is_empty() {
            return Err(call.fail(format!("No section '{}' in '{}'.", self.section, self.file)));
        }
        let settings: Vec<&(String, Option<String>)> = own
            .into_iter()
            .chain(named(DEFAULTS))
            .flat_map(|section| &section.settings)
            .collect();
        let read = |value: &Option<String>| -> Eval<Option<Val>> {
            let Some(value) = value else { return Ok(None) };
            if !self.interpolates {
                return Ok(Some(Val::from(value.as_str())));
            }
            match self.interpolated(value, &settings, 0) {
                Ok(value) => Ok(Some(Val::from(value))),
                Err(message) => Err(call.fail(message)),
            }
        };
        if self.is_regex {
            let pattern = regex::compile(&format!("^(?:{key})"), Flags::default())
                .map_err(|message| call.fail(message))?;
            let mut values = Vec::new();
            for (name, value) in settings.iter().copied() {
                if pattern.is_match(name).unwrap_or(false) {
                    values.extend(read(value)?);
                }
            }
            return Ok(values);
        }
        let wanted = self.folded(key);
        match settings.iter().find(|(name, _)| *name == wanted) {
            Some((_, value)) => Ok(read(value)?.into_iter().collect()),
            None => match default {
                Some(list) if list.is_sequence() => call.session().iterate(&list),
                Some(value) => Ok(vec![value]),
                None => Ok(vec![Val::from("")]),
            },
        }
    }

    /// A value with other settings of its section in the place of `%(name)s`.
    fn interpolated(
        &self,
        value: &str,
        settings: &[&(String, Option<String>)],
        depth: u32,
    ) -> Result<String, String> {
        if depth > MOST_STEPS {
            return Err("Recursion limit exceeded in value substitution".to_owned());
        }
        let (mut out, mut rest) = (String::new(), value);
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let inner = after.strip_prefix('(').and_then(|it| it.split_once(")s"));
            let Some((name, after)) = inner else {
                return Err(format!(
                    "'%' must be followed by '%' or '(', found: '%{after}'"
                ));
            };
            let wanted = self.folded(name);
            let Some((_, Some(value))) = settings.iter().find(|(name, _)| *name == wanted) else {
                return Err(format!("Bad value substitution: key '{name}' is not there"));
            };
            out.push_str(&self.interpolated(value, settings, depth + 1)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// A section of the file, its settings in their order.
struct Section {
    name: String,
    settings: Vec<(String, Option<String>)>,
}

impl Section {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            settings: Vec::new(),
        }
    }
}
