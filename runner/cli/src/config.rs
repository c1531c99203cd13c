//! Settings of `ansible.cfg` and of Ansible's environment variables that mean something here.
//!
//! Knows where a setting is written, not what it is for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The settings that were found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    values: HashMap<(String, String), String>,
    folder: PathBuf,
    file: Option<PathBuf>,
}

impl Config {
    /// Reads the first `ansible.cfg` there is, in Ansible's order.
    pub(crate) fn load() -> Self {
        let home = std::env::home_dir().unwrap_or_default();
        let named = std::env::var_os("ANSIBLE_CONFIG").map(|path| {
            let path = PathBuf::from(path);
            if path.is_dir() {
                path.join("ansible.cfg")
            } else {
                path
            }
        });
        let places = [
            Path::new("ansible.cfg").to_owned(),
            home.join(".ansible.cfg"),
            PathBuf::from("/etc/ansible/ansible.cfg"),
        ];
        let found = named.into_iter().chain(places).find_map(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            let path = std::path::absolute(&path).ok()?;
            Some((text, path))
        });
        match found {
            Some((text, path)) => Self {
                values: parse(&text),
                folder: path.parent().map(Path::to_owned).unwrap_or_default(),
                file: Some(path),
            },
            None => Self::default(),
        }
    }

    /// The file that was read.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// A setting: of the environment, else of the file. An empty one counts as none.
    pub(crate) fn text(&self, variable: &str, section: &str, key: &str) -> Option<String> {
        let from_file = || {
            self.values
                .get(&(section.to_owned(), key.to_owned()))
                .cloned()
        };
        std::env::var(variable)
            .ok()
            .or_else(from_file)
            .filter(|text| !text.is_empty())
    }

    /// A setting that is on or off.
    pub(crate) fn flag(&self, variable: &str, section: &str, key: &str) -> Option<bool> {
        let text = self.text(variable, section, key)?;
        Some(is_yes(&text))
    }

    /// A list, separated by commas.
    pub(crate) fn list(&self, variable: &str, section: &str, key: &str) -> Vec<String> {
        let text = self.text(variable, section, key).unwrap_or_default();
        text.split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }

    /// A path: relative to the file when the file says it, else to where we are.
    pub(crate) fn path(&self, variable: &str, section: &str, key: &str) -> Option<PathBuf> {
        let text = self.text(variable, section, key)?;
        Some(self.place(&text, variable))
    }

    /// Paths, separated by colons.
    pub(crate) fn paths(&self, variable: &str, section: &str, key: &str) -> Vec<PathBuf> {
        let text = self.text(variable, section, key).unwrap_or_default();
        text.split(':')
            .filter(|path| !path.is_empty())
            .map(|path| self.place(path, variable))
            .collect()
    }

    /// A path that the file of settings says, from where that file is.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.folder.join(expand_home(path))
    }

    fn place(&self, path: &str, variable: &str) -> PathBuf {
        let path = path.replace("{{CWD}}", ".").replace("{{ CWD }}", ".");
        let path = expand_home(&path);
        let is_from_environment = std::env::var_os(variable).is_some();
        if is_from_environment {
            path
        } else {
            self.folder.join(path)
        }
    }
}

/// Whether a setting is switched on.
pub(crate) fn is_yes(text: &str) -> bool {
    matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on" | "y" | "t"
    )
}

/// `~` and `~/…` as the home of the user.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix('~'), std::env::home_dir()) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(path),
    }
}

/// Sections of `key = value`; a comment begins a line with `#` or `;`, or stands after ` ;`.
fn parse(text: &str) -> HashMap<(String, String), String> {
    let mut section = String::new();
    let mut values = HashMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.trim().clone_into(&mut section);
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let value = value.split(" ;").next().unwrap_or_default();
        values.insert(
            (section.clone(), key.trim().to_ascii_lowercase()),
            value.trim().to_owned(),
        );
    }
    values
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sections_and_comments_are_told_apart() {
        let values =
            parse("# no\n[defaults]\nForks = 5 ; few\nroles_path=~/r:/s\n[ssh]\nforks: 2\n");
        let get = |section: &str, key: &str| {
            values
                .get(&(section.to_owned(), key.to_owned()))
                .map(String::as_str)
        };
        assert_eq!(get("defaults", "forks"), Some("5"));
        assert_eq!(get("defaults", "roles_path"), Some("~/r:/s"));
        assert_eq!(get("ssh", "forks"), Some("2"));
        assert_eq!(get("defaults", "no"), None);
    }
}
