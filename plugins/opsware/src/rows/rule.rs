//! The rows of the response file's table as data: what each is compared with, and how.
//!
//! Facts alone, read from `rows.json`; nothing here looks at a host.

use serde::Deserialize;

/// The data, one row a line, in the order of the guide.
const DATA: &str = include_str!("rows.json");

/// One parameter of the response file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    /// Printed page of the guide.
    pub(super) page: u16,
    pub(super) needed: Needed,
    /// What makes a conditional row apply: a component, `multimaster` or `satellite`.
    #[serde(default, rename = "if")]
    pub(super) condition: Option<String>,
    #[serde(default)]
    pub(super) secret: bool,
    /// Whether a satellite's file is judged by it too.
    #[serde(default)]
    pub(super) satellite: bool,
    /// Component whose servers hold the truth.
    pub(super) on: String,
    pub(super) by: By,
    #[serde(default)]
    pub(super) compare: Compare,
}

/// Whether the upgrade needs the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Needed {
    Yes,
    If,
    No,
}

/// Where the actual value comes from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// A person looks at the web client.
    Person(Person),
    /// Never changes after the installation: being there is enough.
    Kept,
    /// The upgrade makes no use of it.
    Unused,
    /// Cannot be read back from anything.
    Unreadable,
    /// One logon to the database.
    Account(Account),
    /// The connect names of the database: `servicename` or `sid`.
    Names(String),
    Files(Files),
    Environment(Environment),
    Directory(Directory),
    /// A directory with these files, each under one of its names.
    Utilities(Vec<Vec<String>>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    /// Where to look.
    pub(super) look: String,
    /// The value is a number.
    #[serde(default)]
    pub(super) number: bool,
    #[serde(default)]
    pub(super) cross: Option<Cross>,
}

/// What a value that a person confirms must not contradict.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cross {
    /// The suffix of the gateways' directories.
    GatewayDirectories,
    /// One of the core's servers that carry this component.
    ServersOf(String),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: String,
    /// `session` or `no_session`, as `oracle_login` takes it.
    pub(super) expects: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    /// The first that is there counts; `{truth.dcNm}` stands for that value, `*` for anything.
    pub(super) paths: Vec<String>,
    /// The same on Solaris, where it differs.
    #[serde(default)]
    pub(super) solaris: Vec<String>,
    /// All that are there count, not only the first.
    #[serde(default)]
    pub(super) all: bool,
    /// A file that must be there besides; it is never read.
    #[serde(default)]
    pub(super) with: Option<String>,
    pub(super) take: Take,
}

/// How a value is taken out of a file's text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Take {
    /// All of it but one line end.
    Whole,
    /// All of it but blanks around it.
    Word,
    /// All of it, or the value behind a name and `=` or `:`.
    Password,
    /// An attribute of one record.
    Ldif { record: String, attribute: String },
    /// Exported directories.
    Exports,
    /// The path of the Windows share that the response file names, or of the only one.
    SharePath,
    /// Names of the shares.
    ShareNames,
    /// Address and proxy port of an agent-facing gateway.
    AgentGateways,
    /// The server or the directory behind an NFS mount point that ends so.
    Mount { end: String, part: MountPart },
    /// A gateway's setting.
    Property { key: String, part: PropertyPart },
    /// Targets of a balancing rule.
    Rule { begins: String, port: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MountPart {
    Host,
    Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PropertyPart {
    Value,
    Port,
    /// The port of the entries that name a certificate.
    Listener,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    pub(super) user: String,
    pub(super) variable: String,
    /// Must be executable below the value.
    pub(super) program: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directory {
    pub(super) holds: String,
    pub(super) usual: String,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Compare {
    #[default]
    Exact,
    /// Without regard to letter case; any of several will do.
    Word,
    /// Without regard to a slash at the end.
    Path,
    /// Two names of one host are equal; any of several will do.
    Host,
    Port,
    /// The value is an exported directory, or below one.
    Exported,
    /// Plain, or a salted digest of the value.
    Password,
    /// Comma lists with the same elements.
    Set,
}

/// Every row, in the order of the guide.
pub(super) fn all() -> Result<Vec<Row>, serde_json::Error> {
    serde_json::from_str(DATA)
}

/// What kind of target a response file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Standalone,
    Multimaster,
    Satellite,
}

impl Row {
    /// The row's id in tasks, gates and reports.
    pub(super) fn reference(&self) -> String {
        format!("RESP-{}", self.id)
    }

    /// Tells whether the row is judged at all; `has` tells which components the target carries.
    pub(super) fn applies(&self, target: Target, has: &dyn Fn(&str) -> bool) -> bool {
        if self.needed == Needed::No {
            return false;
        }
        if target == Target::Satellite && !self.satellite {
            return false;
        }
        match self.condition.as_deref() {
            None => true,
            Some("multimaster") => target == Target::Multimaster,
            Some("satellite") => target == Target::Satellite,
            Some(component) => has(component),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_has_the_guides_counts() {
        let rows = all().unwrap();
        let of = |needed| rows.iter().filter(|row| row.needed == needed).count();
        assert_eq!(rows.len(), 50);
        assert_eq!(
            (of(Needed::Yes), of(Needed::If), of(Needed::No)),
            (33, 11, 6)
        );
        assert_eq!(rows.iter().filter(|row| row.secret).count(), 15);
        let accounts: Vec<&Account> = rows
            .iter()
            .filter_map(|row| match &row.by {
                By::Account(account) => Some(account),
                _ => None,
            })
            .collect();
        let may = |expects: &str| -> BTreeSet<&str> {
            let fitting = accounts.iter().filter(|one| one.expects == expects);
            fitting.map(|one| one.name.as_str()).collect()
        };
        assert_eq!(
            may("session"),
            ["opsware_admin", "spin", "twist", "vault"].into()
        );
        assert_eq!(
            may("no_session"),
            ["aaa", "gcadmin", "lcrep", "truth"].into()
        );
        let pages: Vec<u16> = rows.iter().map(|row| row.page).collect();
        assert!(pages.is_sorted() && pages.first() == Some(&10) && pages.last() == Some(&24));
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids.len(), 50);
        for row in &rows {
            let known = crate::response::is_secret(&row.id);
            assert_eq!(known, row.secret, "{}", row.id);
            assert_eq!(
                row.condition.is_some(),
                row.needed == Needed::If,
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn rows_apply_by_kind_of_target() {
        let rows = all().unwrap();
        let count = |target, with: bool| {
            let has = |_: &str| with;
            rows.iter().filter(|row| row.applies(target, &has)).count()
        };
        assert_eq!(count(Target::Multimaster, true), 43);
        assert_eq!(count(Target::Standalone, true), 42);
        assert_eq!(count(Target::Standalone, false), 33);
        let vault = rows.iter().find(|row| row.id == "truth.vaultPwd").unwrap();
        assert!(!vault.applies(Target::Standalone, &|_| true));
        let list = rows
            .iter()
            .find(|row| row.id == "agent_gw_list_args")
            .unwrap();
        assert!(list.applies(Target::Satellite, &|_| false));
    }
}
