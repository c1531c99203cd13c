//! What systemd knows of a unit.

use sasrun_plugin::{Failure, Host, Object};
use serde_json::Value;

/// What systemd knows of a unit.
#[derive(Default)]
pub(in crate::system) struct Unit {
    pub(in crate::system) properties: Object,
    /// What `is-enabled` says of its file, which is as the file is now and not as it was read.
    pub(super) file_state: String,
    /// Whether links that enabling makes are there, as newer ones tell.
    has_links: bool,
    /// Whether systemd answers nothing about what runs, as in a chroot.
    pub(super) is_offline: bool,
}

impl Unit {
    pub(in crate::system) async fn look(
        host: &Host,
        systemctl: &str,
        name: &str,
    ) -> Result<Self, Failure> {
        let word = Host::quote(name);
        let output = host
            .read_script(format!(
                "{systemctl} show -- {word} && echo && {{ {systemctl} is-enabled -l -- {word} 2>/dev/null || :; }}"
            ))
            .await?;
        if !output.succeeded() {
            return Err(Failure::new(format!(
                "Error loading unit file '{name}': {}",
                output.stderr.trim()
            )));
        }
        let mut unit = Self::read(&output.stdout);
        unit.is_offline = unit.properties.is_empty();
        if unit.is_offline && !has_file(&unit.file_state) {
            // What has no state of its own may have a file all the same.
            let listed = host
                .read_script(format!("{systemctl} list-unit-files -- {word} >/dev/null"))
                .await?;
            if !listed.succeeded() {
                unit.file_state = "not-found".to_owned();
            }
        }
        Ok(unit)
    }

    /// Reads properties, each on a line, and after an empty line the state of the file.
    pub(in crate::system) fn read(shown: &str) -> Self {
        let mut unit = Self::default();
        for line in shown.lines() {
            match line.split_once('=') {
                Some((key, value)) => {
                    unit.properties.insert(key.to_owned(), value.into());
                }
                None if !line.is_empty()
                    && line.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') =>
                {
                    unit.file_state = line.to_owned();
                }
                None if !unit.file_state.is_empty() && line.trim_start().starts_with('/') => {
                    unit.has_links = true;
                }
                None => {}
            }
        }
        if unit.file_state.is_empty() {
            unit.file_state = unit.field("UnitFileState").to_owned();
        }
        unit
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.properties
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(
            self.field("ActiveState"),
            "active" | "activating" | "reloading"
        )
    }

    /// Tells whether it starts with the system for good. What does so until the next start of the
    /// system, under another name, or by another unit is not what enabling makes.
    pub(super) fn is_enabled(&self) -> bool {
        match self.file_state.as_str() {
            "enabled" | "static" | "generated" | "transient" => true,
            "indirect" | "alias" | "enabled-runtime" => self.has_links,
            _ => false,
        }
    }
}

/// Tells whether a word is the state of a file that is there.
fn has_file(state: &str) -> bool {
    matches!(
        state,
        "enabled"
            | "enabled-runtime"
            | "linked"
            | "linked-runtime"
            | "alias"
            | "masked"
            | "masked-runtime"
            | "static"
            | "indirect"
            | "disabled"
            | "generated"
            | "transient"
    )
}

/// Fails if systemd does not know the unit.
pub(in crate::system) fn refuse_unknown(unit: &Unit, name: &str) -> Result<(), Failure> {
    let is_unknown = match unit.is_offline {
        true => unit.file_state == "not-found",
        false => unit.properties.is_empty() || unit.field("LoadState") == "not-found",
    };
    if is_unknown {
        let msg = format!("Could not find the requested service {name}: host");
        return Err(Failure::new(msg).with("name", name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn only_what_enabling_makes_is_enabled() {
        for (state, wanted) in [
            ("enabled", true),
            ("static", true),
            ("enabled-runtime", false),
            ("indirect", false),
            ("alias", false),
            ("disabled", false),
            (
                "indirect\n  /etc/systemd/system/sockets.target.wants/a.socket",
                true,
            ),
        ] {
            let unit = Unit::read(&format!("Id=a.service\nUnitFileState=old\n\n{state}\n"));
            assert_eq!(unit.is_enabled(), wanted, "{state}");
        }
    }
}
