//! The world of the tests: everything it answers is written here.

use sasrun_model::Value;
use sasrun_template::{ClosedWorld, CommandOutput, PageError, PageRequest, PathKind, WorldError};

/// A world with two files, a few variables, and JSON in place of YAML.
pub struct World;

const FILES: &[(&str, &str)] = &[
    ("/etc/motd", "welcome\n"),
    ("/play/files/greeting.txt", "  hello  \n\n"),
    (
        "/play/templates/inner.j2",
        "inner {{ name | default('nobody') }}",
    ),
    (
        "/play/templates/base.j2",
        "<{% block body %}base{% endblock %}>\n",
    ),
    (
        "/play/templates/macros.j2",
        "{% macro shout(x, mark='!') %}{{ x | upper }}{{ mark }}{% endmacro %}{% set answer = 42 %}",
    ),
    ("/play/templates/vars.j2", "value={{ value }}\n"),
    (
        "/play/files/users.ini",
        "[one]\nname = alice\nshell: /bin/sh\n",
    ),
    ("/play/templates/none.j2", "{# nothing #}\n"),
    (
        "/play/files/more.ini",
        "# of one\n[one]\nhome = /home\ndir: %(home)s/x\n",
    ),
    ("/play/files/twice.ini", "[two]\nx = 1\nX = 2\n"),
    ("/play/files/users.csv", "alice\t1000\nbob\t1001\n"),
];

impl sasrun_template::World for World {
    fn now(&self) -> jiff::Zoned {
        "2026-03-04T05:06:07.000089[UTC]".parse().unwrap()
    }

    fn random(&self) -> u64 {
        7
    }

    fn env(&self, name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home/me".to_owned()),
            "USER" => Some("me".to_owned()),
            _ => None,
        }
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, WorldError> {
        FILES
            .iter()
            .find(|(name, _)| *name == path)
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| WorldError::Failed("no such file".to_owned()))
    }

    fn write_private_file(&self, path: &str, content: &[u8]) -> Result<(), WorldError> {
        ClosedWorld.write_private_file(path, content)
    }

    fn path_kind(&self, path: &str) -> Option<PathKind> {
        let kind = |is_file| PathKind {
            is_file,
            is_directory: !is_file,
            is_link: false,
            is_mount: path == "/",
        };
        if path == "/" || path == "/etc" {
            return Some(kind(false));
        }
        FILES
            .iter()
            .any(|(name, _)| *name == path)
            .then(|| kind(true))
    }

    fn real_path(&self, path: &str) -> Result<String, WorldError> {
        Ok(if path == "." {
            "/play".to_owned()
        } else {
            path.to_owned()
        })
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, WorldError> {
        let start = pattern.trim_end_matches('*');
        Ok(FILES
            .iter()
            .filter(|(name, _)| name.starts_with(start))
            .map(|(name, _)| (*name).to_owned())
            .collect())
    }

    fn run_command(&self, command: &str) -> Result<CommandOutput, WorldError> {
        Ok(match command {
            "two lines" => CommandOutput {
                stdout: b"first\nsecond\n".to_vec(),
                ..CommandOutput::default()
            },
            _ => CommandOutput {
                code: 1,
                stderr: b"bad command\n".to_vec(),
                ..CommandOutput::default()
            },
        })
    }

    fn fetch(&self, page: &PageRequest) -> Result<Vec<u8>, PageError> {
        match page.url.as_str() {
            "http://page.tests/lines" => Ok(b"one\ntwo\r\n".to_vec()),
            "http://page.tests/asked" => Ok(format!("{page:?}").into_bytes()),
            "http://page.tests/forged" => Err(PageError::Certificate("self-signed".to_owned())),
            "http://me:secret@page.tests/gone" => Err(PageError::Status(404)),
            _ => ClosedWorld.fetch(page),
        }
    }

    fn setting(&self, variable: &str, section: &str, key: &str) -> Option<String> {
        match (section, key) {
            ("url_lookup", "agent") => Some("of-settings".to_owned()),
            ("url_lookup", "timeout") => Some("2.5".to_owned()),
            ("defaults", "forks") => Some("7".to_owned()),
            ("defaults", "roles_path") => Some("/one:/two".to_owned()),
            ("sudo_become_plugin", "flags") => Some("-n".to_owned()),
            _ => self.env(variable),
        }
    }

    fn parse_yaml(&self, text: &str) -> Result<Vec<Value>, WorldError> {
        serde_json::from_str(text)
            .map(|value: serde_json::Value| vec![Value::from(value)])
            .map_err(|err| WorldError::Failed(err.to_string()))
    }
}
