//! Versions of components by the package database of a host.
//!
//! Which package stands for which component is a table, so that a site's can replace it.

use std::collections::BTreeMap;

use sasrun_plugin::{Host, Object};

use crate::component;
use crate::release::Release;

/// What the package database says of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installed {
    /// A release that is known.
    Release(Release),
    /// A version that no release is known by.
    Unknown(String),
    /// No such package.
    Absent,
    /// The database could not be asked, or says two things.
    Unreadable(String),
}

impl Installed {
    /// As it is shown to people and playbooks.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Release(release) => release.name(),
            Self::Unknown(text) => text,
            Self::Absent => "absent",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Tells whether it is this release.
    pub(crate) fn is(&self, wanted: &Release) -> bool {
        matches!(self, Self::Release(release) if wanted.is_met_by(release))
    }
}

/// Versions by component id.
pub(crate) type Versions = BTreeMap<String, Installed>;

/// Package that stands for a component.
fn package<'a>(id: &'a str, packages: &'a Object) -> &'a str {
    packages
        .get(id)
        .and_then(|name| name.as_str())
        .or_else(|| component::find(id).map(|component| component.package))
        .unwrap_or(id)
}

/// Shell text that asks for the packages of the components.
pub(crate) fn script<'a>(ids: impl IntoIterator<Item = &'a str>, packages: &Object) -> String {
    let names: Vec<String> = ids
        .into_iter()
        .map(|id| Host::quote(package(id, packages)))
        .collect();
    format!(
        "rpm=/opt/opsware/bin/rpm; [ -x $rpm ] || rpm=rpm\n\
         for p in {}; do echo \"PACKAGE $p\"; $rpm -q \"$p\" 2>&1; echo \"STATUS $?\"; done\n",
        names.join(" ")
    )
}

/// Reads the answer to [`script`].
pub(crate) fn read<'a>(
    output: &str,
    ids: impl IntoIterator<Item = &'a str>,
    packages: &Object,
) -> Versions {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in output.lines() {
        if let Some(name) = line.strip_prefix("PACKAGE ") {
            current = name.trim();
            found.entry(current).or_default();
        } else if !current.is_empty() {
            found.entry(current).or_default().push(line.trim());
        }
    }
    ids.into_iter()
        .map(|id| {
            let name = package(id, packages);
            let lines = found.get(name).map(Vec::as_slice).unwrap_or_default();
            (id.to_owned(), read_package(name, lines))
        })
        .collect()
}

fn read_package(name: &str, lines: &[&str]) -> Installed {
    let mut versions: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('-'))
        .filter_map(|rest| rest.split('-').next())
        .collect();
    versions.dedup();
    match versions.as_slice() {
        [version] => match Release::parse(version) {
            Some(release) => Installed::Release(release),
            None => Installed::Unknown((*version).to_owned()),
        },
        [] if lines.iter().any(|line| line.contains("not installed")) => Installed::Absent,
        [] => Installed::Unreadable(format!("package {name}: {}", lines.join(" / "))),
        several => Installed::Unreadable(format!(
            "package {name} is there in several versions: {}",
            several.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_tell_releases() {
        let output = "PACKAGE OPSWtruth\nOPSWtruth-32.f-1\nSTATUS 0\nPACKAGE OPSWspin\nOPSWspin-32.g\nSTATUS 0\n\
                      PACKAGE OPSWvault\npackage OPSWvault is not installed\nSTATUS 1\n\
                      PACKAGE way\nway-40.z-1\nSTATUS 0\nPACKAGE OPSWword\nsh: rpm: not found\nSTATUS 127\n\
                      PACKAGE OPSWgw\nOPSWgw-32.f-1\nOPSWgw-32.g-1\nSTATUS 0\n";
        let packages: Object = serde_json::from_str(r#"{"way": "way"}"#).unwrap();
        let ids = ["truth", "spin", "vault", "way", "word", "gateway"];
        let versions = read(output, ids, &packages);
        assert_eq!(
            versions["truth"],
            Installed::Release(Release::parse("6.6").unwrap())
        );
        assert_eq!(versions["spin"].shown(), "6.61");
        assert_eq!(versions["vault"], Installed::Absent);
        assert_eq!(versions["way"], Installed::Unknown("40.z".into()));
        assert!(
            matches!(&versions["word"], Installed::Unreadable(why) if why.contains("not found"))
        );
        assert!(
            matches!(&versions["gateway"], Installed::Unreadable(why) if why.contains("several"))
        );
        assert!(
            script(ids, &packages).contains("OPSWtruth OPSWspin OPSWvault way OPSWword OPSWgw")
        );
    }
}
