//! Which medium a directory holds, and whether root can read it. A wrong disc looks like success
//! until a menu lacks an item, so this is looked at before an installer is started.

use sasrun_plugin::{Arguments, Call, Command, Failure, Host, ModuleResult, Object, Outcome};

/// What a medium must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    medium: Option<String>,
    labels: Vec<String>,
    version: Option<String>,
    markers: Vec<String>,
    installer: String,
}

/// What a directory was found to hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    pub(crate) path: String,
    label: String,
    label_from: String,
    /// Places of the installer below the path.
    installers: Vec<String>,
    /// Complaints of commands that could not read.
    unreadable: Vec<String>,
}

/// Carries out `media_identify`.
pub(crate) async fn identify(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let wanted = Identity::of(&arguments);
    let found = wanted
        .look(&host, arguments.text_or_empty("path"), None, 60_000)
        .await?;
    match wanted.judge(&found) {
        Ok(()) => Ok(Outcome {
            result: found.result(),
            ..Outcome::unchanged()
        }),
        Err(reason) => Err(Failure {
            result: found.result(),
            ..Failure::new(reason)
        }),
    }
}

impl Identity {
    pub(crate) fn of(arguments: &Arguments) -> Self {
        Self {
            medium: arguments.text("medium").map(str::to_owned),
            labels: arguments.strings("label"),
            version: arguments
                .value("version")
                .map(|value| match value.as_str() {
                    Some(text) => text.to_owned(),
                    None => value.to_string(),
                }),
            markers: arguments.strings("markers"),
            installer: arguments.text_or_empty("installer").to_owned(),
        }
    }

    /// Tells whether there is anything by which a medium could be told from another.
    pub(crate) fn tells(&self) -> bool {
        self.medium.is_some() || !self.labels.is_empty()
    }

    /// Looks at the files below a path; `device` may hold a volume label.
    pub(crate) async fn look(
        &self,
        host: &Host,
        path: &str,
        device: Option<&str>,
        limit_ms: u64,
    ) -> Result<Found, Failure> {
        let output = host
            .read_command(Command {
                script: self.script(path, device),
                timeout_ms: Some(limit_ms),
                ..Command::default()
            })
            .await?;
        if output.timed_out {
            return Err(Failure::new(format!(
                "the files below {path} could not be read in time; the server may be dead"
            )));
        }
        Ok(Found::read(path, &output.stdout))
    }

    fn script(&self, path: &str, device: Option<&str>) -> String {
        let quote = Host::quote;
        let words = |list: &[String]| {
            list.iter()
                .map(|word| quote(word))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut script = format!(
            "c=`cd {path} 2>&1` || {{ echo \"U $c `ls {path}/. 2>&1 >/dev/null`\"; exit 0; }}\n\
             cd {path} || exit 0\n\
             c=`ls . 2>&1 >/dev/null` || echo \"U $c\"\n",
            path = quote(path)
        );
        if !self.markers.is_empty() {
            script.push_str(&format!(
                "for f in {}; do\n\
                 if [ -f \"$f\" ]; then echo \"M $f\"; sed 5q \"$f\" 2>&1 | sed 's/^/T /'; fi\n\
                 done\n",
                words(&self.markers)
            ));
        }
        if !self.installer.is_empty() {
            script.push_str(&format!(
                "for d in opsware_installer disk001/opsware_installer; do\n\
                 f=$d/{}\n\
                 [ -f \"$f\" ] || continue\n\
                 echo \"I $f\"\n\
                 c=`dd if=\"$f\" of=/dev/null bs=512 count=1 2>&1` || echo \"U $c\"\n\
                 c=`ls $d 2>&1 >/dev/null` || echo \"U $c\"\n\
                 done\n",
                quote(&self.installer)
            ));
        }
        if let Some(device) = device {
            script.push_str(&format!(
                "echo \"V `dd if={} bs=2048 skip=16 count=1 2>/dev/null | tr -cd '[ -~]' | sed 1q`\"\n",
                quote(device)
            ));
        }
        script.push_str("exit 0\n");
        script
    }

    /// Says what is wrong with what was found.
    pub(crate) fn judge(&self, found: &Found) -> Result<(), String> {
        let path = &found.path;
        if let Some(complaint) = found.unreadable.first() {
            let lower = complaint.to_lowercase();
            let cause = if lower.contains("stale") {
                "the NFS handle is stale; unmount it and mount it again"
            } else if lower.contains("permission denied") {
                "root may not read it; an export must not squash root"
            } else {
                "the files cannot be read"
            };
            return Err(format!("{path}: {cause} ({complaint})"));
        }
        self.judge_label(found)?;
        self.judge_installer(found)
    }

    fn judge_label(&self, found: &Found) -> Result<(), String> {
        if !self.tells() && self.version.is_none() {
            return Ok(());
        }
        let path = &found.path;
        if found.label.is_empty() {
            return Err(format!(
                "{path}: the medium has no label; looked for {}",
                self.markers.join(", ")
            ));
        }
        let right = match &self.medium {
            _ if !self.labels.is_empty() => {
                let label = normal(&found.label);
                self.labels.iter().any(|text| label.contains(&normal(text)))
            }
            Some(medium) => is_medium(&found.label, medium),
            None => true,
        };
        let version = self.version.as_deref();
        if right && version.is_none_or(|version| names_version(&found.label, version)) {
            return Ok(());
        }
        let wanted = match (&self.medium, self.labels.is_empty()) {
            (Some(medium), true) => printed_name(medium).to_owned(),
            _ => self.labels.join(" or "),
        };
        let version = version
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        Err(format!(
            "{path}: this is \"{}\", not \"{wanted}\"{version}; insert or mount the right medium",
            found.label
        ))
    }

    fn judge_installer(&self, found: &Found) -> Result<(), String> {
        let path = &found.path;
        match found.installers.as_slice() {
            _ if self.installer.is_empty() => Ok(()),
            [_] => Ok(()),
            [] => Err(format!(
                "{path}: there is no {} below opsware_installer or disk001/opsware_installer",
                self.installer
            )),
            several => Err(format!(
                "{path}: which installer is meant? It is at {}",
                several.join(" and ")
            )),
        }
    }
}

impl Found {
    fn read(path: &str, text: &str) -> Self {
        let path = match path.trim_end_matches('/') {
            "" => path,
            trimmed => trimmed,
        };
        let mut found = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let mut marker = "";
        for line in text.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("M", name) => marker = name,
                ("T", text) if found.label.is_empty() && !text.trim().is_empty() => {
                    found.label = text.trim().to_owned();
                    found.label_from = marker.to_owned();
                }
                ("I", place) => found.installers.push(place.to_owned()),
                ("U", complaint) => found.unreadable.push(complaint.to_owned()),
                ("V", volume) if found.label.is_empty() => {
                    if let Some(label) = volume_label(volume) {
                        found.label = label;
                        found.label_from = "volume label".to_owned();
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Whether the server no longer knows what was mounted.
    pub(crate) fn is_stale(&self) -> bool {
        let is_stale = |complaint: &String| complaint.to_lowercase().contains("stale");
        self.unreadable.iter().any(is_stale)
    }

    /// The fields of a result.
    pub(crate) fn result(&self) -> Object {
        let (installer, dist) = match self.installers.as_slice() {
            [place] => {
                let installer = format!("{}/{place}", self.path);
                let dist = place.split("opsware_installer").next().unwrap_or_default();
                let dist = format!("{}/{dist}", self.path);
                (installer, dist.trim_end_matches('/').to_owned())
            }
            _ => (String::new(), String::new()),
        };
        let mut result = Object::new();
        result.insert("path".into(), self.path.as_str().into());
        result.insert("label".into(), self.label.as_str().into());
        result.insert("label_from".into(), self.label_from.as_str().into());
        result.insert("installer".into(), installer.into());
        result.insert("dist".into(), dist.into());
        result
    }
}

/// The volume identifier in the printable characters of an ISO 9660 volume descriptor: after the
/// standard's mark and 32 characters of system identifier.
fn volume_label(printable: &str) -> Option<String> {
    let behind = printable.trim_start().strip_prefix("CD001")?;
    let label = behind.get(32..64)?.trim();
    (!label.is_empty()).then(|| label.to_owned())
}

/// Letter case, dashes and blanks do not matter.
fn normal(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| match c {
            '-' | '_' | '\u{2013}' | '\u{2014}' => ' ',
            c => c.to_ascii_lowercase(),
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn printed_name(medium: &str) -> &str {
    match medium {
        "primary" => "Product Software",
        "upload" => "Agent and Utilities",
        "satellite" => "Satellite Base",
        "satellite_osprov" => "Satellite Base Including OS Provisioning",
        other => other,
    }
}

/// The guide has two names for some media.
fn is_medium(label: &str, medium: &str) -> bool {
    let label = normal(label);
    let provisioning = label.contains("including os provisioning");
    match medium {
        "primary" => label.contains("product software") || label.contains("primary"),
        "upload" => label.contains("agent and utilities") || label.contains("upload"),
        "satellite" => label.contains("satellite base") && !provisioning,
        "satellite_osprov" => label.contains("satellite base") && provisioning,
        _ => false,
    }
}

/// Tells whether a label names a version, however it is dotted (6.61 is also printed 6.6.1).
fn names_version(label: &str, version: &str) -> bool {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let wanted = digits(version);
    label
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .any(|word| !wanted.is_empty() && digits(word) == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(arguments: serde_json::Value) -> Identity {
        let serde_json::Value::Object(mut arguments) = arguments else {
            panic!("no object")
        };
        arguments
            .entry("installer")
            .or_insert(json!("upgrade_opsware.sh"));
        arguments.entry("markers").or_insert(json!(["LABEL"]));
        Identity::of(&Arguments::validated(arguments))
    }

    const PRIMARY: &str =
        "M LABEL\nT Opsware SAS 6.61 - Product Software\nI opsware_installer/upgrade_opsware.sh\n";

    #[test]
    fn media_are_told_apart() {
        let cases = [
            (json!({"medium": "primary", "version": "6.61"}), PRIMARY, ""),
            (json!({"medium": "primary", "version": 6.61}), PRIMARY, ""),
            (
                json!({"medium": "primary"}),
                "M LABEL\nT OPSWARE_SAS_PRIMARY_6_6_1\nI disk001/opsware_installer/upgrade_opsware.sh\n",
                "",
            ),
            (json!({"label": ["product \u{2013} software"]}), PRIMARY, ""),
            (json!({}), "I opsware_installer/upgrade_opsware.sh\n", ""),
            (json!({"installer": ""}), "", ""),
            (
                json!({"medium": "upload"}),
                PRIMARY,
                "this is \"Opsware SAS 6.61 - Product Software\", not \"Agent and Utilities\"",
            ),
            (
                json!({"medium": "primary", "version": "6.6"}),
                PRIMARY,
                "not \"Product Software\" 6.6",
            ),
            (
                json!({"medium": "primary"}),
                "I opsware_installer/upgrade_opsware.sh\n",
                "has no label",
            ),
            (
                json!({"medium": "satellite"}),
                "M LABEL\nT Satellite Base Including OS Provisioning\n",
                "not \"Satellite Base\"",
            ),
            (json!({}), "", "there is no upgrade_opsware.sh"),
            (
                json!({}),
                "I opsware_installer/upgrade_opsware.sh\nI disk001/opsware_installer/upgrade_opsware.sh\n",
                "which installer",
            ),
            (
                json!({}),
                "U ls: cannot open directory '.': Permission denied\n",
                "squash",
            ),
            (json!({}), "U ls: .: Stale NFS file handle\n", "stale"),
        ];
        for (arguments, text, complaint) in cases {
            let judged = wanted(arguments.clone()).judge(&Found::read("/mnt/m", text));
            match judged {
                Ok(()) => assert_eq!(complaint, "", "{arguments} {text}"),
                Err(reason) => assert!(
                    !complaint.is_empty() && reason.contains(complaint),
                    "{arguments} {text}: {reason}"
                ),
            }
        }
    }

    #[test]
    fn both_places_of_the_installer_are_known() {
        let cases = [
            ("opsware_installer", "/mnt/m"),
            ("disk001/opsware_installer", "/mnt/m/disk001"),
        ];
        for (place, dist) in cases {
            let found = Found::read("/mnt/m/", &format!("I {place}/upgrade_opsware.sh\n"));
            let result = found.result();
            assert_eq!(
                result["installer"],
                format!("/mnt/m/{place}/upgrade_opsware.sh")
            );
            assert_eq!(result["dist"], dist);
        }
    }

    #[test]
    fn a_volume_label_will_do() {
        let descriptor = format!("V CD001{:32}{:32}more\n", "SOLARIS", "SAS_6.61_UPLOAD");
        let found = Found::read("/mnt/m", &descriptor);
        assert_eq!(found.label, "SAS_6.61_UPLOAD");
        assert!(is_medium(&found.label, "upload"));
        assert_eq!(Found::read("/mnt/m", "V nonsense\n").label, "");
    }

    #[test]
    fn versions_are_compared_by_their_digits() {
        for (label, version, expected) in [
            ("SAS 6.61", "6.61", true),
            ("SAS 6.6.1", "6.61", true),
            ("SAS 6.61", "6.6.1", true),
            ("SAS 6.6", "6.61", false),
            ("SAS 16.61", "6.61", false),
            ("SAS", "6.61", false),
        ] {
            assert_eq!(names_version(label, version), expected, "{label} {version}");
        }
    }
}
