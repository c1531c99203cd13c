//! The user's SSH client configuration: `~/.ssh/config` and `/etc/ssh/ssh_config`, as far as it says how to reach a host.
//!
//! Must not: run anything (`Match exec`, `ProxyCommand`), or look at the environment: home and user are given.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::known_hosts::wildcard;
use crate::error::{ConnectionError, Problem};
use crate::target::SshTarget;

/// How deep files may include each other.
const INCLUDE_DEPTH: usize = 16;

/// The configuration of the SSH client, read but not yet asked about a host.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {
    items: Vec<Item>,
    home: PathBuf,
    local_user: String,
}

#[derive(Debug, Clone)]
enum Item {
    Host(Vec<String>),
    Match(Vec<String>),
    Value {
        key: String,
        value: String,
        place: Place,
    },
    Included(Vec<Item>),
    /// The end of a file: what follows is under no condition of that file.
    Reset,
}

#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    line: usize,
}

impl Place {
    fn problem(&self, reason: impl Into<String>) -> Problem {
        Problem::SshConfig {
            path: self.path.clone(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

impl SshConfig {
    /// Makes an empty one: every host is what it is called.
    pub fn empty(home: impl Into<PathBuf>, local_user: impl Into<String>) -> Self {
        Self {
            items: Vec::new(),
            home: home.into(),
            local_user: local_user.into(),
        }
    }

    /// Reads the user's file and the system's.
    pub fn load(
        home: impl Into<PathBuf>,
        local_user: impl Into<String>,
    ) -> Result<Self, ConnectionError> {
        let config = Self::empty(home, local_user);
        let user_file = config.home.join(".ssh/config");
        config
            .with_file(&user_file)?
            .with_file(Path::new("/etc/ssh/ssh_config"))
    }

    /// Adds a file, whose values count after all that were there before; an absent one is empty.
    pub fn with_file(mut self, path: &Path) -> Result<Self, ConnectionError> {
        let items = self.read(path, 0);
        self.items
            .extend(items.map_err(|problem| ConnectionError::new("ssh_config", problem))?);
        self.items.push(Item::Reset);
        Ok(self)
    }

    fn read(&self, path: &Path, depth: usize) -> Result<Vec<Item>, Problem> {
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Problem::local(path, &error)),
        };
        let mut items = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let place = Place {
                path: path.to_owned(),
                line: index + 1,
            };
            let Some((key, value)) = split_line(line) else {
                continue;
            };
            let words = || {
                shell_words::split(&value)
                    .map_err(|_| place.problem(format!("a quote of {key} is not closed")))
            };
            items.push(match key.as_str() {
                "host" => Item::Host(words()?),
                "match" => Item::Match(words()?),
                "include" => self.include(&words()?, &place, depth)?,
                _ => Item::Value { key, value, place },
            });
        }
        Ok(items)
    }

    fn include(&self, patterns: &[String], place: &Place, depth: usize) -> Result<Item, Problem> {
        if depth >= INCLUDE_DEPTH {
            return Err(place.problem("files include each other without end"));
        }
        let base = match place.path.starts_with("/etc") {
            true => PathBuf::from("/etc/ssh"),
            false => self.home.join(".ssh"),
        };
        let mut items = Vec::new();
        for pattern in patterns {
            for path in expand(&base.join(self.expand_home(pattern))) {
                items.extend(self.read(&path, depth + 1)?);
                items.push(Item::Reset);
            }
        }
        Ok(Item::Included(items))
    }

    fn expand_home(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => PathBuf::from(path),
        }
    }

    /// Collects what the configuration says of a host; the first value of each key counts.
    fn lookup(&self, alias: &str) -> HostValues {
        let mut values = HostValues::default();
        self.walk(&self.items, alias, &mut values);
        values
    }

    fn walk(&self, items: &[Item], alias: &str, values: &mut HostValues) {
        let mut is_active = true;
        for item in items {
            match item {
                Item::Host(patterns) => is_active = matches_patterns(patterns, alias),
                Item::Match(criteria) => is_active = self.matches(criteria, alias, values),
                Item::Reset => is_active = true,
                Item::Included(items) if is_active => self.walk(items, alias, values),
                Item::Value { key, value, place } if is_active => values.add(key, value, place),
                Item::Included(_) | Item::Value { .. } => {}
            }
        }
    }

    fn matches(&self, criteria: &[String], alias: &str, values: &HostValues) -> bool {
        let mut words = criteria.iter();
        while let Some(word) = words.next() {
            let (is_negated, word) = match word.strip_prefix('!') {
                Some(word) => (true, word),
                None => (false, word.as_str()),
            };
            let word = word.to_ascii_lowercase();
            if word == "all" {
                continue;
            }
            let list = words.next().map(String::as_str).unwrap_or_default();
            let patterns: Vec<String> = list.split(',').map(str::to_owned).collect();
            let subject = match word.as_str() {
                "originalhost" => alias,
                "host" => values.first("hostname").unwrap_or(alias),
                "user" => values.first("user").unwrap_or(&self.local_user),
                "localuser" => &self.local_user,
                // `exec` and what else there is: we run nothing to find out.
                _ => return false,
            };
            if matches_patterns(&patterns, subject) == is_negated {
                return false;
            }
        }
        true
    }
}

#[derive(Debug, Default)]
struct HostValues {
    values: HashMap<String, Vec<(String, Place)>>,
}

impl HostValues {
    fn add(&mut self, key: &str, value: &str, place: &Place) {
        let slot = self.values.entry(key.to_owned()).or_default();
        if slot.is_empty() || key == "identityfile" {
            slot.push((value.to_owned(), place.clone()));
        }
    }

    fn first(&self, key: &str) -> Option<&str> {
        Some(self.values.get(key)?.first()?.0.as_str())
    }

    fn place(&self, key: &str) -> Option<&Place> {
        Some(&self.values.get(key)?.first()?.1)
    }

    fn is_yes(&self, key: &str) -> bool {
        self.first(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("yes"))
    }
}

impl SshTarget {
    /// Describes a host by its name and what the SSH client's configuration says of it.
    pub fn from_ssh_config(alias: &str, config: &SshConfig) -> Result<Self, ConnectionError> {
        resolve(alias, config, 0).map_err(|problem| ConnectionError::new(alias, problem))
    }
}

fn resolve(alias: &str, config: &SshConfig, depth: usize) -> Result<SshTarget, Problem> {
    let values = config.lookup(alias);
    refuse_proxy_command(&values)?;
    let host = match values.first("hostname") {
        Some(name) => name.replace("%h", alias).replace("%%", "%"),
        None => alias.to_owned(),
    };
    let user = values.first("user").unwrap_or(&config.local_user);
    let mut target = SshTarget::new(host, user);
    if let (Some(port), Some(place)) = (values.first("port"), values.place("port")) {
        target.port = port
            .parse()
            .map_err(|_| place.problem(format!("{port:?} is no port")))?;
    }
    set_identities(&mut target, &values, config);
    set_host_keys(&mut target, &values, config);
    let number = |key: &str| values.first(key).and_then(|text| text.parse::<u64>().ok());
    target.set_keepalive(number("serveraliveinterval"), number("serveralivecountmax"));
    let jumps = values.first("proxyjump").unwrap_or("none");
    if !jumps.eq_ignore_ascii_case("none") {
        if depth >= INCLUDE_DEPTH {
            let place = values.place("proxyjump");
            let problem = || Problem::lost("jump hosts lead to each other without end");
            return Err(place.map_or_else(problem, |at| {
                at.problem("jump hosts lead to each other without end")
            }));
        }
        for hop in jumps.split(',') {
            let mut hop = resolve_hop(hop.trim(), config, depth + 1)?;
            // A hop's own hops come before it; further ones go through it anyway.
            let before = std::mem::take(&mut hop.jump);
            if target.jump.is_empty() {
                target.jump.extend(before);
            }
            target.jump.push(hop);
        }
    }
    Ok(target)
}

fn refuse_proxy_command(values: &HostValues) -> Result<(), Problem> {
    let command = values.first("proxycommand").unwrap_or("none");
    match values.place("proxycommand") {
        Some(place)
            if !command.eq_ignore_ascii_case("none") && values.first("proxyjump").is_none() =>
        {
            Err(place.problem("ProxyCommand is not supported; ProxyJump is"))
        }
        _ => Ok(()),
    }
}

/// Reads `[ssh://][user@]host[:port]`.
fn resolve_hop(text: &str, config: &SshConfig, depth: usize) -> Result<SshTarget, Problem> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match rest.split_once(':') {
            // More than one colon: an IPv6 address.
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (rest, None),
        },
    };
    let mut hop = resolve(host, config, depth)?;
    if let Some(user) = user {
        hop.user = user.to_owned();
    }
    if let Some(port) = port {
        hop.port = port.parse().map_err(|_| Problem::Request {
            reason: format!("{port:?} is no port of the jump host {host}"),
        })?;
    }
    Ok(hop)
}

fn set_identities(target: &mut SshTarget, values: &HostValues, config: &SshConfig) {
    target.identities_only = values.is_yes("identitiesonly");
    let expand = |value: &str| {
        let text = unquote(value)
            .replace("%d", &config.home.display().to_string())
            .replace("%h", &target.host)
            .replace("%r", &target.user)
            .replace("%u", &config.local_user)
            .replace("%%", "%");
        config.expand_home(&text)
    };
    let files: Vec<PathBuf> = match values.values.get("identityfile") {
        Some(files) => files.iter().map(|(file, _)| expand(file)).collect(),
        None => ["id_ed25519", "id_ecdsa", "id_rsa"]
            .iter()
            .map(|name| config.home.join(".ssh").join(name))
            .collect(),
    };
    match values.first("identityagent").map(unquote) {
        Some("none") => target.use_agent = false,
        Some("SSH_AUTH_SOCK") | None => {}
        Some(path) => target.agent_socket = Some(expand(path)),
    }
    target.identity_files = files
        .into_iter()
        .filter(|file| file.as_os_str() != "none")
        .collect();
    if values
        .first("pubkeyauthentication")
        .is_some_and(|value| value.eq_ignore_ascii_case("no"))
    {
        target.identity_files.clear();
        target.use_agent = false;
    }
}

fn set_host_keys(target: &mut SshTarget, values: &HostValues, config: &SshConfig) {
    target.host_key_alias = values.first("hostkeyalias").map(str::to_owned);
    let user = values
        .first("userknownhostsfile")
        .unwrap_or("~/.ssh/known_hosts ~/.ssh/known_hosts2");
    let global = values
        .first("globalknownhostsfile")
        .unwrap_or("/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2");
    for list in [user, global] {
        let files = shell_words::split(list).unwrap_or_default();
        let files = files
            .iter()
            .filter(|file| *file != "none" && *file != "/dev/null");
        target
            .known_hosts
            .extend(files.map(|file| config.expand_home(file)));
    }
    target.host_key_checking = !values
        .first("stricthostkeychecking")
        .is_some_and(|value| ["no", "off"].contains(&value.to_ascii_lowercase().as_str()));
}

/// Splits `Key value`, `Key=value` and `Key "value"`; comments and empty lines are nothing.
fn split_line(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    // A comment may follow the value.
    let value = match rest.split_once(" #") {
        Some((value, _)) if !value.contains('"') => value.trim_end(),
        _ => rest,
    };
    let key = key.to_ascii_lowercase();
    let is_list = matches!(
        key.as_str(),
        "host" | "match" | "include" | "userknownhostsfile" | "globalknownhostsfile"
    );
    let value = match is_list {
        true => value,
        false => unquote(value),
    };
    Some((key, value.to_owned()))
}

fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

fn matches_patterns(patterns: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let mut is_match = false;
    for pattern in patterns {
        let pattern = pattern.to_lowercase();
        match pattern.strip_prefix('!') {
            Some(negated) if wildcard(negated, &name) => return false,
            Some(_) => {}
            None => is_match |= wildcard(&pattern, &name),
        }
    }
    is_match
}

/// Expands wildcards in the last part of a path, in the order of names.
fn expand(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy());
    let (Some(name), Some(parent)) = (name, path.parent()) else {
        return vec![path.to_owned()];
    };
    if !name.contains(['*', '?']) {
        return vec![path.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let file = entry.file_name();
            let file = file.to_string_lossy();
            !file.starts_with('.') && wildcard(&name, &file)
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (tempfile::TempDir, SshConfig) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".ssh/conf.d")).unwrap();
        std::fs::write(home.path().join(".ssh/config"), text).unwrap();
        std::fs::write(
            home.path().join(".ssh/conf.d/10-site"),
            "Host inc\n  User included\n  Port 2200\n",
        )
        .unwrap();
        let file = home.path().join(".ssh/config");
        let config = SshConfig::empty(home.path(), "me")
            .with_file(&file)
            .unwrap();
        (home, config)
    }

    #[test]
    fn first_value_wins_and_patterns_select() {
        let (home, config) = config(
            "Include conf.d/*\n\
             Host core-? !core-b\n\
             \tHostName=%h.example\n\
             \tUser oracle # the owner\n\
             \tIdentityFile ~/.ssh/site key\n\
             Host core-*\n\
             \tUser nobody\n\
             \tPort 2222\n\
             Match originalhost core-b user nobody\n\
             \tHostKeyAlias beta\n\
             Host *\n\
             \tIdentityFile \"%d/.ssh/%r\"\n\
             \tIdentitiesOnly yes\n\
             \tUserKnownHostsFile ~/.ssh/a ~/.ssh/b\n\
             \tGlobalKnownHostsFile none\n",
        );
        let a = SshTarget::from_ssh_config("core-a", &config).unwrap();
        assert_eq!(
            (a.host.as_str(), a.user.as_str(), a.port),
            ("core-a.example", "oracle", 2222)
        );
        let ssh = home.path().join(".ssh");
        assert_eq!(a.identity_files, [ssh.join("site key"), ssh.join("oracle")]);
        assert_eq!(a.known_hosts, [ssh.join("a"), ssh.join("b")]);
        assert!(a.identities_only);
        let b = SshTarget::from_ssh_config("core-b", &config).unwrap();
        assert_eq!((b.host.as_str(), b.user.as_str()), ("core-b", "nobody"));
        assert_eq!(b.host_key_alias.as_deref(), Some("beta"));
        let included = SshTarget::from_ssh_config("inc", &config).unwrap();
        assert_eq!((included.user.as_str(), included.port), ("included", 2200));
        let plain = SshTarget::from_ssh_config("else", &config).unwrap();
        assert_eq!((plain.user.as_str(), plain.port), ("me", 22));
    }

    #[test]
    fn limits_of_silence_are_taken_and_never_is_not() {
        let (_home, config) = config(
            "Host quick\n ServerAliveInterval 5\n ServerAliveCountMax 4\n\
             Host never\n ServerAliveInterval 0\n",
        );
        let limits = |host: &str| {
            let target = SshTarget::from_ssh_config(host, &config).unwrap();
            (
                target.keepalive.map(|time| time.as_secs()),
                target.keepalive_count,
            )
        };
        assert_eq!(limits("quick"), (Some(5), Some(4)));
        assert_eq!(limits("never"), (None, None));
    }

    #[test]
    fn jumps_are_resolved_like_hosts() {
        let (_home, config) = config(
            "Host inner\n ProxyJump admin@middle:2022\n\
             Host middle\n HostName 10.0.0.1\n User root\n ProxyJump outer\n\
             Host outer\n Port 22022\n",
        );
        let inner = SshTarget::from_ssh_config("inner", &config).unwrap();
        let hops: Vec<(&str, &str, u16)> = inner
            .jump
            .iter()
            .map(|hop| (hop.host.as_str(), hop.user.as_str(), hop.port))
            .collect();
        assert_eq!(hops, [("outer", "me", 22022), ("10.0.0.1", "admin", 2022)]);
    }

    #[test]
    fn what_we_cannot_honour_is_refused_with_its_place() {
        for (text, line) in [
            ("Host a\n ProxyCommand nc %h %p\n", 2),
            ("Port many\n", 1),
            ("Host a\n ProxyJump a\n", 2),
        ] {
            let (_home, config) = config(text);
            let error = SshTarget::from_ssh_config("a", &config).unwrap_err();
            assert!(
                matches!(&*error.problem, Problem::SshConfig { line: at, .. } if *at == line),
                "{text}: {error}"
            );
        }
    }
}
