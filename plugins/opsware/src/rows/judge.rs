//! From what a server shows to the verdict on each of its rows.

use std::collections::BTreeSet;

use super::compare::compare;
use super::look::{Look, needed_files, path};
use super::rule::{By, Compare, Cross, Files, Needed, Person, Row, Take};
use super::site::Site;
use super::take::{Context, take};
use super::verdict::{Judgement, Verdict};
use crate::response::ResponseFile;

/// Judges rows of one server.
pub(super) struct Judge<'a> {
    pub(super) file: &'a ResponseFile,
    pub(super) look: &'a Look,
    pub(super) site: &'a Site,
}

fn indeterminate(reason: impl Into<String>) -> Judgement {
    Judgement::of(Verdict::Indeterminate, reason)
}

impl Judge<'_> {
    /// The verdict on a row; accounts and connect names are judged elsewhere.
    pub(super) fn row(&self, row: &Row) -> Judgement {
        let wanted = self.file.get(&row.id).unwrap_or_default();
        if wanted.is_empty() && row.needed != Needed::No {
            return Judgement::of(Verdict::Missing, "the response file gives no value");
        }
        match &row.by {
            By::Unused => Judgement::of(Verdict::NotApplicable, "the upgrade makes no use of it"),
            By::Kept => Judgement::matches(),
            By::Unreadable => Judgement::of(
                Verdict::NotChecked,
                "it cannot be read back; the upgrade may set it anew",
            ),
            By::Account(_) | By::Names(_) => Judgement::of(Verdict::NotChecked, "not tried"),
            By::Person(person) => self.person(person, wanted),
            By::Files(files) => self.files(row, files, wanted),
            By::Environment(environment) => match &self.look.environment {
                Some((value, _)) if !value.starts_with('/') => indeterminate(format!(
                    "the user {} shows no {}",
                    environment.user, environment.variable
                )),
                Some((value, program)) => {
                    let judgement = self.compared(row.compare, wanted, std::slice::from_ref(value));
                    match (judgement.verdict, program) {
                        (Verdict::Match, false) => Judgement::of(
                            Verdict::Mismatch,
                            format!("there is no {} below it", environment.program),
                        ),
                        _ => judgement,
                    }
                }
                None => indeterminate("the server was not asked"),
            },
            By::Directory(_) => self.directory(row),
            By::Utilities(roles) => self.utilities(roles, wanted),
        }
    }

    fn compared(&self, how: Compare, wanted: &str, found: &[String]) -> Judgement {
        let same = |one: &str, other: &str| self.look.is_same_host(one, other);
        compare(how, wanted, found, &same)
    }

    fn person(&self, person: &Person, wanted: &str) -> Judgement {
        let is_number =
            wanted.bytes().all(|byte| byte.is_ascii_digit()) && !wanted.starts_with('0');
        if person.number && !is_number {
            return Judgement::of(Verdict::Mismatch, "it is no number");
        }
        let contradiction = match &person.cross {
            Some(Cross::GatewayDirectories) if !self.look.gateways.is_empty() => {
                let fits = self.look.gateways.iter().any(|name| name == wanted);
                (!fits).then(|| {
                    let seen = self.look.gateways.join(", ");
                    format!("the gateway's directory is that of {seen}")
                })
            }
            Some(Cross::ServersOf(component)) => {
                let same = |known: &str| {
                    known.eq_ignore_ascii_case(wanted) || self.look.is_same_host(known, wanted)
                };
                let mut servers = self.site.servers(component).iter();
                let fits = servers.any(|(name, address)| same(name) || same(address));
                (!fits).then(|| format!("no server of the core with {component} goes by it"))
            }
            _ => None,
        };
        match contradiction {
            Some(reason) => Judgement::of(Verdict::Mismatch, reason),
            None => Judgement::of(
                Verdict::NotChecked,
                format!("for a person: {}", person.look),
            ),
        }
    }

    /// Values that the files of a row hold; or why there are none.
    pub(super) fn found(&self, row: &Row, files: &Files) -> Result<Vec<String>, Judgement> {
        let listed = match self.look.is_solaris && !files.solaris.is_empty() {
            true => &files.solaris,
            false => &files.paths,
        };
        let patterns: Vec<String> = listed
            .iter()
            .filter_map(|pattern| path(pattern, self.file))
            .collect();
        let mut texts: Vec<(&str, &str)> = Vec::new();
        for pattern in &patterns {
            if files.all || texts.is_empty() {
                texts.extend(self.look.matching(pattern));
            }
        }
        if texts.is_empty() {
            return Err(indeterminate(format!(
                "there is no {}",
                patterns.join(" nor ")
            )));
        }
        if !files.all && texts.len() > 1 {
            return Err(indeterminate("several files fit"));
        }
        let directory = row.id.replace(".host", ".path");
        let context = Context {
            directory: self.file.get(&directory).unwrap_or_default(),
            wanted: self.file.get(&row.id).unwrap_or_default(),
            share: self
                .file
                .get("media_server.windows_share_name")
                .unwrap_or_default(),
        };
        let values: Vec<String> = texts
            .iter()
            .flat_map(|(_, text)| take(&files.take, text, &context))
            .collect();
        if values.is_empty() {
            return Err(nothing(&files.take, &texts));
        }
        Ok(values)
    }

    fn files(&self, row: &Row, files: &Files, wanted: &str) -> Judgement {
        let values = match self.found(row, files) {
            Ok(values) => values,
            Err(judgement) => return judgement,
        };
        let lacking = needed_files(row, self.file)
            .into_iter()
            .find(|path| self.look.file(path).is_none());
        if let Some(path) = lacking {
            return indeterminate(format!("{path} is missing"))
                .finding("gateway_certificate_missing");
        }
        let judgement = self.compared(row.compare, wanted, &values);
        match judgement.verdict {
            Verdict::Match | Verdict::NotApplicable => judgement,
            _ if row.secret => judgement,
            _ => Judgement {
                reason: format!("{}: {}", judgement.reason, values.join(", ")),
                ..judgement
            },
        }
    }

    fn directory(&self, row: &Row) -> Judgement {
        match needed_files(row, self.file).as_slice() {
            [there, usual] if self.look.file(there).is_none() => match self.look.file(usual) {
                Some(_) => Judgement::of(
                    Verdict::Mismatch,
                    format!("there is no {there}, but there is {usual}"),
                ),
                None => Judgement::of(Verdict::Mismatch, format!("there is no {there}")),
            },
            _ => Judgement::matches(),
        }
    }

    fn utilities(&self, roles: &[Vec<String>], wanted: &str) -> Judgement {
        let directory = wanted.trim_end_matches('/');
        let has = |name: &String| {
            let status = self.look.file(&format!("{directory}/{name}"));
            status.is_some_and(|status| status.size_bytes > 0)
        };
        let missing: Vec<&str> = roles
            .iter()
            .filter(|names| !names.iter().any(has))
            .filter_map(|names| names.first().map(String::as_str))
            .collect();
        if missing.is_empty() {
            return Judgement::matches();
        }
        let reason = format!("missing or empty: {}", missing.join(", "));
        Judgement::of(Verdict::Mismatch, reason)
    }

    /// Names that the server has to resolve before its rows can be judged.
    pub(super) fn names(&self, rows: &[&Row]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for row in rows {
            let wanted = self.file.get(&row.id).unwrap_or_default();
            let found = match &row.by {
                By::Files(files) if row.compare == Compare::Host => {
                    self.found(row, files).unwrap_or_default()
                }
                By::Person(Person {
                    cross: Some(Cross::ServersOf(component)),
                    ..
                }) => {
                    let servers = self.site.servers(component).iter();
                    servers.map(|(_, address)| address.clone()).collect()
                }
                _ => continue,
            };
            if !found.iter().any(|value| value.eq_ignore_ascii_case(wanted)) {
                names.insert(wanted.to_owned());
                names.extend(found);
            }
        }
        names
    }
}

/// Why files that are there hold no value.
fn nothing(how: &Take, texts: &[(&str, &str)]) -> Judgement {
    let paths: Vec<&str> = texts.iter().map(|(path, _)| *path).collect();
    let place = paths.join(", ");
    match how {
        Take::Mount { end, .. } => indeterminate(format!(
            "{place} has no NFS mount that ends in {end}: it may be local, or was taken off"
        ))
        .finding("not_mounted"),
        Take::Ldif { .. } => indeterminate(format!("the record is not in {place}")),
        Take::Property { key, .. } => {
            let keys: BTreeSet<&str> = texts.iter().flat_map(|(_, text)| keys(text)).collect();
            let keys: Vec<&str> = keys.into_iter().collect();
            indeterminate(format!(
                "{place} has no fitting {key}; it has {}",
                keys.join(", ")
            ))
        }
        _ => indeterminate(format!("{place} does not tell it")),
    }
}

/// Names of a gateway's settings (TRAP-20: the guide does not give them).
fn keys(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("opswgw.")?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric())?;
        rest.get(..end)
    })
}
