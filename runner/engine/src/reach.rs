//! From a host's variables to a target: address, user, keys, and whom to become there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sasrun_connection::{
    Become, BecomeMethod, Identity, LocalTarget, Secret, SshTarget, Target, Transport,
};
use sasrun_model::{Keyword, Name, Value};
use sasrun_template::{Scope, TemplateError, Templates};

use crate::looking::{Looking, unusable};
use crate::options::Options;
use crate::seams::Secrets;
use crate::variables::Level;

/// Where and as whom a task runs.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub target: Target,
    pub identity: Identity,
}

/// Looks up what decides how a host is reached.
pub(crate) struct Reaching<'a> {
    pub templates: &'a Templates,
    pub options: &'a Options,
    /// Where passwords are registered, so that no output shows them.
    pub secrets: &'a dyn Secrets,
    /// Scope of the host that is connected to.
    pub scope: &'a Arc<dyn Scope>,
    /// Scope of the task, for its keywords.
    pub task_scope: &'a Arc<dyn Scope>,
    /// The levels around the task, and the task; none outside of plays.
    pub level: Option<&'a Arc<Level>>,
    pub task: Option<&'a sasrun_model::Task>,
    pub host: &'a Name,
}

impl Reaching<'_> {
    pub(crate) fn reach(&self) -> Result<Reach, TemplateError> {
        Ok(Reach {
            target: self.target()?,
            identity: self.identity()?,
        })
    }

    pub(crate) fn target(&self) -> Result<Target, TemplateError> {
        let kind = self
            .variable("ansible_connection")?
            .or(self.keyword(Keyword::Connection)?)
            .or_else(|| self.options.connection.kind.clone().map(Value::from))
            .and_then(|value| value.as_str().map(str::to_owned));
        let is_implicit_local = matches!(&**self.host, "localhost" | "127.0.0.1" | "::1")
            && self
                .variable("ansible_host")?
                .is_none_or(|address| address.as_str() == Some(&**self.host));
        let limits = self.limits()?;
        let kind = kind.unwrap_or_else(|| (if is_implicit_local { "local" } else { "ssh" }).into());
        let transport = match kind.rsplit('.').next() {
            Some("local") => Transport::Local(LocalTarget::default()),
            _ => Transport::Ssh(Box::new(self.ssh()?)),
        };
        Ok(Target {
            name: self.host.to_string(),
            transport,
            limits,
        })
    }

    fn limits(&self) -> Result<sasrun_connection::Limits, TemplateError> {
        let mut limits = self.options.connection.limits.clone();
        if let Some(seconds) = self.number(&["ansible_timeout", "ansible_ssh_timeout"])? {
            limits.connect = Duration::from_secs(seconds);
        }
        if let Some(seconds) = self.number(&["sasrun_login_timeout"])?.filter(|s| *s > 0) {
            limits.authenticate = Duration::from_secs(seconds);
        }
        if let Some(seconds) = self.number(&["sasrun_shell_timeout"])?.filter(|s| *s > 0) {
            limits.shell_start = Duration::from_secs(seconds);
        }
        Ok(limits)
    }

    fn ssh(&self) -> Result<SshTarget, TemplateError> {
        let defaults = &self.options.connection;
        let address = self
            .text(&["ansible_ssh_host", "ansible_host"])?
            .unwrap_or_else(|| self.host.to_string());
        let mut target = match &defaults.ssh_config {
            Some(config) => SshTarget::from_ssh_config(&address, config)
                .map_err(|error| unusable(error.to_string()))?,
            None => SshTarget::new(address, ""),
        };
        let keyword_user = self
            .keyword(Keyword::RemoteUser)?
            .as_ref()
            .and_then(text_of);
        if let Some(user) = self
            .text(&["ansible_ssh_user", "ansible_user"])?
            .or(keyword_user)
            .or_else(|| defaults.user.clone())
        {
            target.user = user;
        }
        let keyword_port = self
            .keyword(Keyword::Port)?
            .and_then(|v| v.as_str().and_then(|t| t.parse().ok()));
        if let Some(port) = self
            .number(&["ansible_port", "ansible_ssh_port"])?
            .or(keyword_port)
        {
            target.port = u16::try_from(port).unwrap_or(target.port);
        }
        self.credentials(&mut target)?;
        self.host_keys(&mut target)?;
        Ok(target)
    }

    fn credentials(&self, target: &mut SshTarget) -> Result<(), TemplateError> {
        let defaults = &self.options.connection;
        let key = self
            .text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?
            .map(|path| expand_home(&path))
            .or_else(|| defaults.private_key.clone());
        if let Some(key) = key {
            target.identity_files = vec![key];
            target.identities_required = true;
        }
        let password = self.text(&[
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ])?;
        target.password = password
            .map(|password| self.secret(password))
            .or_else(|| defaults.password.clone());
        Ok(())
    }

    fn host_keys(&self, target: &mut SshTarget) -> Result<(), TemplateError> {
        if let Some(file) = self.text(&["ansible_ssh_known_hosts_file"])? {
            target.known_hosts = vec![expand_home(&file)];
        }
        if let Some(pinned) = self.variable("ansible_ssh_host_key")? {
            target.pinned_keys = match &pinned {
                Value::List(keys) => keys.iter().filter_map(text_of).collect(),
                one => text_of(one).into_iter().collect(),
            };
        }
        let checking = self.variable("ansible_ssh_host_key_checking")?;
        let checking = checking.or(self.variable("ansible_host_key_checking")?);
        target.host_key_checking = checking
            .and_then(|v| v.to_boolean())
            .unwrap_or(self.options.connection.host_key_checking);
        for name in [
            "ansible_ssh_common_args",
            "ansible_ssh_extra_args",
            "ansible_ssh_args",
        ] {
            if let Some(arguments) = self.text(&[name])? {
                apply_openssh_arguments(target, &arguments);
            }
        }
        Ok(())
    }

    fn identity(&self) -> Result<Identity, TemplateError> {
        let defaults = &self.options.become_defaults;
        let wanted = match self.variable("ansible_become")? {
            Some(value) => value.to_boolean(),
            None => self
                .keyword(Keyword::Become)?
                .and_then(|value| value.to_boolean()),
        };
        if !wanted.unwrap_or(defaults.enabled) {
            return Ok(Identity::Login);
        }
        let choose = |variable: &str, keyword: Keyword, default: &Option<String>| {
            let from_variable = self.text(&[variable])?;
            let value = match from_variable {
                Some(text) => Some(text),
                None => self.keyword(keyword)?.as_ref().and_then(text_of),
            };
            Ok::<_, TemplateError>(value.or_else(|| default.clone()))
        };
        let user = choose("ansible_become_user", Keyword::BecomeUser, &defaults.user)?;
        let method = choose(
            "ansible_become_method",
            Keyword::BecomeMethod,
            &defaults.method,
        )?;
        let is_su = method
            .as_deref()
            .is_some_and(|name| name.rsplit('.').next() == Some("su"));
        let password = self.text(&[
            "ansible_become_password",
            "ansible_become_pass",
            if is_su {
                "ansible_su_pass"
            } else {
                "ansible_sudo_pass"
            },
        ])?;
        Ok(Identity::Become(Become {
            method: if is_su {
                BecomeMethod::Su
            } else {
                BecomeMethod::Sudo
            },
            user: user.unwrap_or_else(|| "root".to_owned()),
            flags: choose("ansible_become_flags", Keyword::BecomeFlags, &None)?,
            exe: choose("ansible_become_exe", Keyword::BecomeExe, &None)?,
            password: password
                .map(|password| self.secret(password))
                .or_else(|| defaults.password.clone()),
        }))
    }

    /// A password, which no output may show from now on.
    fn secret(&self, password: String) -> Secret {
        self.secrets.register(&password);
        Secret::new(password)
    }

    fn variable(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        let value = self.templates.variable(name, self.scope)?;
        Ok(value.filter(|value| !matches!(value, Value::Null | Value::Omit)))
    }

    fn keyword(&self, keyword: Keyword) -> Result<Option<Value>, TemplateError> {
        let own = self.task.and_then(|task| task.keywords.get(keyword));
        let around = self.level.into_iter();
        let around = around.flat_map(|level| level.keywords(keyword));
        for node in own.into_iter().chain(around) {
            match self.templates.resolve(node, self.task_scope)? {
                Value::Omit => {}
                Value::Null => return Ok(None),
                value => return Ok(Some(value)),
            }
        }
        Ok(None)
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, TemplateError> {
        for name in names {
            if let Some(value) = self.variable(name)? {
                return Ok(text_of(&value));
            }
        }
        Ok(None)
    }

    fn number(&self, names: &[&str]) -> Result<Option<u64>, TemplateError> {
        Ok(self.text(names)?.and_then(|text| text.parse().ok()))
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Takes what we understand of OpenSSH's options: files of known hosts, keys, ports, jumps.
fn apply_openssh_arguments(target: &mut SshTarget, arguments: &str) {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    for (index, word) in words.iter().enumerate() {
        let option = match word.strip_prefix("-o") {
            Some("") => words.get(index + 1).copied(),
            rest => rest,
        };
        let Some((name, value)) = option.and_then(|option| option.split_once('=')) else {
            continue;
        };
        let value = value.trim_matches(['"', '\'']);
        match name.to_ascii_lowercase().as_str() {
            "userknownhostsfile" | "globalknownhostsfile" if value != "/dev/null" => {
                let file = expand_home(value);
                if !target.known_hosts.contains(&file) {
                    target.known_hosts.insert(0, file);
                }
            }
            "stricthostkeychecking" => target.host_key_checking = value != "no",
            "identityfile" => target.identity_files.push(expand_home(value)),
            "port" => target.port = value.parse().unwrap_or(target.port),
            "user" => value.clone_into(&mut target.user),
            "serveraliveinterval" => target.set_keepalive(value.parse().ok(), None),
            "serveralivecountmax" => target.set_keepalive(None, value.parse().ok()),
            _ => {}
        }
    }
}
