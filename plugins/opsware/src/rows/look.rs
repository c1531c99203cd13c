//! What a server shows: everything that the rows need, in three looks at most.

use std::collections::{BTreeMap, BTreeSet};

use sasrun_plugin::{Failure, FileKind, FileStatus, Host, Read, ReadAnswer, Stat};

use super::rule::{By, Cross, Person, Row};
use crate::base64;
use crate::response::ResponseFile;

/// No file that a row looks at is longer.
const LONGEST: u64 = 1 << 20;
/// Where the directories of the gateways are.
const GATEWAYS: &str = "/etc/opt/opsware/opswgw-cgw0-";

/// What was seen on one server.
#[derive(Default)]
pub(super) struct Look {
    pub(super) is_solaris: bool,
    /// Files that are there, in the order of the rows' patterns.
    files: BTreeMap<String, String>,
    stats: BTreeMap<String, FileStatus>,
    /// Short names in the directories of core gateways.
    pub(super) gateways: Vec<String>,
    /// The value of a user's variable, and whether the program below it can be started.
    pub(super) environment: Option<(String, bool)>,
    /// Addresses by name.
    addresses: BTreeMap<String, BTreeSet<String>>,
}

/// A path with the values of the response file put in; none if they cannot be part of a path.
pub(super) fn path(pattern: &str, file: &ResponseFile) -> Option<String> {
    let Some((front, rest)) = pattern.split_once('{') else {
        return Some(pattern.to_owned());
    };
    let (name, back) = rest.split_once('}')?;
    let value = file.get(name)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let fits = !value.is_empty() && value.chars().all(is_plain);
    fits.then(|| format!("{front}{value}{back}"))
}

fn patterns(row: &Row) -> impl Iterator<Item = &String> {
    let files = match &row.by {
        By::Files(files) => Some(files),
        _ => None,
    };
    files
        .into_iter()
        .flat_map(|files| files.paths.iter().chain(&files.solaris))
}

/// Files whose being there counts, by row.
pub(super) fn needed_files(row: &Row, file: &ResponseFile) -> Vec<String> {
    let value = file.get(&row.id).unwrap_or_default().trim_end_matches('/');
    match &row.by {
        By::Files(files) => files
            .with
            .iter()
            .filter_map(|pattern| path(pattern, file))
            .collect(),
        By::Directory(directory) => vec![
            format!("{value}/{}", directory.holds),
            format!("{}/{}", directory.usual, directory.holds),
        ],
        By::Utilities(roles) => roles
            .iter()
            .flatten()
            .map(|name| format!("{value}/{name}"))
            .collect(),
        _ => Vec::new(),
    }
}

impl Look {
    /// Looks at a server for these rows.
    pub(super) async fn at(
        host: &Host,
        rows: &[&Row],
        file: &ResponseFile,
    ) -> Result<Self, Failure> {
        let output = host.read_script(script(rows, file)).await?;
        let mut look = Self::default();
        let mut present = Vec::new();
        for line in output.stdout.lines() {
            match line.split_once(' ') {
                Some(("SYSTEM", name)) => look.is_solaris = name.trim() == "SunOS",
                Some(("FILE", path)) => present.push(path.to_owned()),
                Some(("GATEWAY", path)) => {
                    look.gateways
                        .extend(path.strip_prefix(GATEWAYS).map(str::to_owned));
                }
                Some(("VALUE", value)) => look.environment = Some((value.trim().to_owned(), false)),
                Some(("PROGRAM", _)) => {
                    if let Some((_, is_there)) = &mut look.environment {
                        *is_there = true;
                    }
                }
                _ => {}
            }
        }
        let looked_at: Vec<String> = rows
            .iter()
            .flat_map(|row| needed_files(row, file))
            .collect();
        let mut reads: Vec<Read> = present.iter().map(|path| content(path)).collect();
        reads.extend(looked_at.iter().map(|path| status(path)));
        if reads.is_empty() {
            return Ok(look);
        }
        let paths = present.into_iter().chain(looked_at);
        for (path, answer) in paths.zip(host.read(reads).await?) {
            match answer {
                ReadAnswer::File(file) if file.exists && !file.truncated => {
                    let bytes = base64::decode(&file.base64).unwrap_or_default();
                    look.files
                        .insert(path, String::from_utf8_lossy(&bytes).into_owned());
                }
                ReadAnswer::Stat(status) => {
                    look.stats.insert(path, status);
                }
                _ => {}
            }
        }
        Ok(look)
    }

    /// Contents of the files of a pattern that are there, with their paths.
    pub(super) fn matching<'a>(
        &'a self,
        pattern: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (front, back) = pattern.split_once('*').unwrap_or((pattern, ""));
        let is_glob = pattern.contains('*');
        self.files
            .iter()
            .filter(move |(path, _)| match is_glob {
                true => path.starts_with(front) && path.ends_with(back),
                false => path.as_str() == pattern,
            })
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A regular file that was looked at and is there.
    pub(super) fn file(&self, path: &str) -> Option<&FileStatus> {
        self.stats
            .get(path)
            .filter(|status| status.kind == FileKind::File)
    }

    /// Asks the server's own resolver for these names.
    pub(super) async fn resolve(
        &mut self,
        host: &Host,
        names: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let words: Vec<String> = names
            .iter()
            .filter(|name| !name.is_empty() && !name.starts_with('-'))
            .map(|name| Host::quote(name))
            .collect();
        if words.is_empty() {
            return Ok(());
        }
        let script = format!(
            "for n in {}; do echo \"NAME $n\"; getent hosts \"$n\" 2>/dev/null; done; exit 0\n",
            words.join(" ")
        );
        let output = host.read_script(script).await?;
        let mut current = String::new();
        for line in output.stdout.lines() {
            if let Some(name) = line.strip_prefix("NAME ") {
                name.clone_into(&mut current);
            } else if let Some(address) = line.split_whitespace().next() {
                let known = self.addresses.entry(current.clone()).or_default();
                known.insert(address.to_owned());
            }
        }
        Ok(())
    }

    /// Tells whether two names are of one host, an address being its own.
    pub(super) fn is_same_host(&self, one: &str, other: &str) -> bool {
        let all = |name: &str| {
            let mut found = self.addresses.get(name).cloned().unwrap_or_default();
            found.insert(name.to_owned());
            found
        };
        !all(one).is_disjoint(&all(other))
    }
}

fn content(path: &str) -> Read {
    Read::File {
        path: path.to_owned(),
        max_bytes: LONGEST,
        sensitive: true,
    }
}

fn status(path: &str) -> Read {
    Read::Stat(Stat {
        path: path.to_owned(),
        follow: true,
        checksum: None,
    })
}

/// Shell text of the first look: the system, files by pattern, gateways, a user's variable.
fn script(rows: &[&Row], file: &ResponseFile) -> String {
    let mut script = String::from("echo \"SYSTEM `uname -s`\"\n");
    let mut seen = BTreeSet::new();
    let mut globs = Vec::new();
    for pattern in rows.iter().copied().flat_map(patterns) {
        if let Some(path) = path(pattern, file)
            && seen.insert(path.clone())
        {
            globs.push(path);
        }
    }
    if !globs.is_empty() {
        // Words of the rows' own data and of a checked short name: nothing here needs quotes.
        script.push_str(&format!(
            "for p in {}; do if [ -f \"$p\" ]; then echo \"FILE $p\"; fi; done\n",
            globs.join(" ")
        ));
    }
    let crosses = |row: &Row| match &row.by {
        By::Person(Person { cross, .. }) => *cross == Some(Cross::GatewayDirectories),
        _ => false,
    };
    if rows.iter().any(|row| crosses(row)) {
        script.push_str(&format!(
            "for d in {GATEWAYS}*; do if [ -d \"$d\" ]; then echo \"GATEWAY $d\"; fi; done\n"
        ));
    }
    for row in rows {
        if let By::Environment(environment) = &row.by {
            let inner = format!("echo \"SASRUN-VALUE ${}\"", environment.variable);
            script.push_str(&format!(
                "v=`su - {} -c {} </dev/null 2>/dev/null | sed -n 's/^SASRUN-VALUE //p'`\necho \"VALUE $v\"\n\
                 if [ -x \"$v/{}\" ]; then echo \"PROGRAM yes\"; fi\n",
                environment.user,
                Host::quote(&inner),
                environment.program
            ));
        }
    }
    script.push_str("exit 0\n");
    script
}
