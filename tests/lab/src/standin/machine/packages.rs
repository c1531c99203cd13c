//! The package database of a host and the command `rpm`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;

use crate::standin::component::{self, AGENT_PACKAGE, CATALOG, SATELLITE, package_version};
use crate::standin::site::{self, Site};
use crate::standin::store::{Store, StoreError};
use crate::standin::terminal::{complain, print};

/// Installed packages with their versions.
pub type Packages = BTreeMap<String, String>;

/// The package database of this host.
pub fn store(site: &Site) -> Store<Packages> {
    site.store("packages")
}

/// What a host has installed when the lab comes up.
pub fn at_first(site: &Site) -> Packages {
    let mut packages = Packages::new();
    let installed = CATALOG
        .iter()
        .chain(SATELLITE)
        .filter(|facts| site.host.components.iter().any(|one| one.id() == facts.id));
    for facts in installed {
        let version = package_version(site.first_release(facts.id));
        packages.extend(
            facts
                .packages
                .iter()
                .map(|name| ((*name).to_owned(), version.clone())),
        );
        if facts.id == "word" {
            let uploads = component::UPLOADS.iter().flat_map(|upload| upload.packages);
            packages.extend(uploads.map(|name| ((*name).to_owned(), version.clone())));
        }
    }
    packages.insert(
        AGENT_PACKAGE.to_owned(),
        package_version(site.first_release("agent")),
    );
    packages
}

/// Brings the packages of a component to a version.
pub fn upgrade(site: &Site, id: &str, version: &str) -> Result<(), StoreError> {
    let names = component::find(id).map_or(&[][..], |facts| facts.packages);
    store(site).update(|packages| {
        packages.extend(
            names
                .iter()
                .map(|name| ((*name).to_owned(), version.to_owned())),
        );
    })
}

/// Tells whether a component is at a version.
pub fn is_at(packages: &Packages, id: &str, version: &str) -> bool {
    component::find(id)
        .and_then(|facts| facts.packages.first())
        .and_then(|name| packages.get(*name))
        .is_some_and(|installed| installed == version)
}

/// `rpm`: queries only; nothing else is understood.
pub fn rpm(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("rpm.query", json!({"argv": args}));
    let Some(query) = Query::parse(args) else {
        complain("rpm: only queries are supported");
        return ExitCode::from(1);
    };
    let packages = match store(site).read() {
        Ok(packages) => packages,
        Err(error) => {
            complain(&format!("error: cannot open Packages database: {error}"));
            return ExitCode::from(1);
        }
    };
    let (text, missing) = query.answer(&packages);
    print(&text);
    ExitCode::from(u8::try_from(missing).unwrap_or(u8::MAX))
}

/// One query of the package database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Query {
    is_all: bool,
    format: Option<String>,
    names: Vec<String>,
}

impl Query {
    fn parse(args: &[String]) -> Option<Self> {
        let mut query = Self::default();
        let mut is_query = false;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "-q" | "--query" => is_query = true,
                "-qa" | "-aq" => {
                    is_query = true;
                    query.is_all = true;
                }
                "-a" | "--all" => query.is_all = true,
                "--qf" | "--queryformat" => query.format = Some(args.next()?.clone()),
                other if other.starts_with("--qf=") || other.starts_with("--queryformat=") => {
                    query.format = other.split_once('=').map(|(_, format)| format.to_owned());
                }
                other if other.starts_with('-') => return None,
                name => query.names.push(name.to_owned()),
            }
        }
        is_query.then_some(query)
    }

    /// The text of the answer, and how many of the names are not installed.
    fn answer(&self, packages: &Packages) -> (String, usize) {
        let mut text = String::new();
        let mut missing = 0;
        if self.is_all {
            let fits = |name: &str| {
                self.names.is_empty() || self.names.iter().any(|pattern| matches(pattern, name))
            };
            for (name, version) in packages.iter().filter(|(name, _)| fits(name)) {
                text.push_str(&self.line(name, version));
            }
            return (text, 0);
        }
        for name in &self.names {
            match packages.get(name) {
                Some(version) => text.push_str(&self.line(name, version)),
                None => {
                    text.push_str(&format!("package {name} is not installed\n"));
                    missing += 1;
                }
            }
        }
        (text, missing)
    }

    fn line(&self, name: &str, version: &str) -> String {
        let Some(format) = &self.format else {
            return format!("{name}-{version}-0\n");
        };
        let fields = [
            ("%{NAME}", name),
            ("%{name}", name),
            ("%{VERSION}", version),
            ("%{version}", version),
            ("%{RELEASE}", "0"),
            ("%{release}", "0"),
        ];
        let filled = fields.iter().fold(format.clone(), |text, (field, value)| {
            text.replace(field, value)
        });
        filled.replace("\\n", "\n").replace("\\t", "\t")
    }
}

/// A name against a pattern whose only wildcard is a star at its end.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_answered_as_rpm_does() {
        let packages = Packages::from(
            [("OPSWspin", "32.f"), ("OPSWtruth", "32.g")]
                .map(|(name, version)| (name.into(), version.into())),
        );
        let table = [
            ("-q OPSWspin", "OPSWspin-32.f-0\n", 0),
            (
                "-q OPSWspin OPSWno",
                "OPSWspin-32.f-0\npackage OPSWno is not installed\n",
                1,
            ),
            ("-qa", "OPSWspin-32.f-0\nOPSWtruth-32.g-0\n", 0),
            ("-qa OPSWt*", "OPSWtruth-32.g-0\n", 0),
            ("-q --qf %{VERSION}\\n OPSWspin", "32.f\n", 0),
        ];
        for (line, text, missing) in table {
            let args: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(
                Query::parse(&args).unwrap().answer(&packages),
                (text.to_owned(), missing),
                "{line}"
            );
        }
        assert_eq!(
            Query::parse(&["-e".to_owned(), "OPSWspin".to_owned()]),
            None
        );
    }
}
