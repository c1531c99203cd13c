//! `gateway_config`: the tunnels and listeners of a properties file as they shall be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_plugin::{
    Arguments, Call, Content, Diff, Effect, Failure, Host, ModuleResult, Object, Outcome, Read,
    ReadAnswer, Stat, WriteFile,
};
use serde_json::{Value, json};

use crate::listener::{self, Local};
use crate::properties::Properties;
use crate::tunnel::{self, Backup, Tunnel};

/// Largest file that is read.
const FILE_BYTES: u64 = 1 << 20;

/// Carries out the module.
pub(crate) async fn config(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let path = match arguments.text("path") {
        Some(path) => path.to_owned(),
        None => discover(&arguments, &host).await?,
    };
    let before = read(&path, &host).await?;
    let mut properties = Properties::read(&before);
    let added = add_tunnels(&arguments, &path, &mut properties, &host).await?;
    let removed = match arguments.text_or_empty("backup_tunnels") {
        "absent" => tunnel::remove_backups(&mut properties),
        _ => Vec::new(),
    };
    let fail = |error: listener::ListenerError| Failure::new(format!("{path}: {error}"));
    match arguments.text_or_empty("local_listener") {
        "commented" => listener::comment(&mut properties).map_err(fail)?,
        "active" => {
            let (foreign, fallback) = (arguments.flag("foreign"), arguments.text("listener"));
            listener::activate(&mut properties, foreign, fallback).map_err(fail)?
        }
        _ => false,
    };
    let after = properties.to_text();
    let mut result = describe(&path, &properties)?;
    result.insert("added".into(), added.into());
    result.insert("removed".into(), removed.into());
    result.insert("edits".into(), edits(&before, &after));
    result.insert("backup".into(), "".into());
    let findings = findings(&arguments, &path, &properties);
    result.insert("findings".into(), findings.clone().into());
    let mut outcome = Outcome {
        changed: after != before,
        result,
        ..Outcome::default()
    };
    for sentence in findings {
        let id = "gateway_config".to_owned();
        outcome.effects.push(Effect::Finding { id, sentence });
    }
    outcome
        .effects
        .extend(owed(&arguments, &path, &before, &properties));
    if !outcome.changed {
        return Ok(outcome);
    }
    let diff = Diff::text(&path, before.as_str(), after.as_str());
    host.will_change(format!("edit {path}"), Some(diff), outcome.result.clone())
        .await?;
    let written = host
        .write(WriteFile {
            path,
            content: content(&after),
            mode: None,
            owner: None,
            group: None,
            backup: true,
            validate: None,
            unsafe_writes: false,
        })
        .await?;
    let backup = written.backup.unwrap_or_default();
    outcome.result.insert("backup".into(), backup.into());
    Ok(outcome)
}

/// Finds the one gateway that fits.
async fn discover(arguments: &Arguments, host: &Host) -> Result<String, Failure> {
    let directory = arguments.text_or_empty("directory").trim_end_matches('/');
    let output = host
        .read_script(format!(
            "for f in {}/opswgw*/opswgw.properties; do [ -f \"$f\" ] && echo \"$f\"; done; exit 0",
            Host::quote(directory)
        ))
        .await?;
    let files: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    let wanted = arguments.text_or_empty("gateway");
    let fitting = fitting(&files, wanted);
    match fitting.as_slice() {
        [file] => Ok((*file).to_owned()),
        [] => Err(Failure::new(format!(
            "no gateway {wanted:?} below {directory}; found {}",
            named(&files)
        ))),
        several => Err(Failure::new(format!(
            "several gateways fit {wanted:?}: {}; name one with `gateway` or `path`",
            named(several)
        ))),
    }
}

/// Files whose directory is `opswgw-WANTED`, or else begins so; for a satellite, all.
fn fitting<'a>(files: &[&'a str], wanted: &str) -> Vec<&'a str> {
    let directory = |file: &str| file.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let exact = match wanted {
        "" => "opswgw".to_owned(),
        name => format!("opswgw-{name}"),
    };
    let mut found: Vec<&str> = files
        .iter()
        .copied()
        .filter(|file| directory(file) == exact)
        .collect();
    if found.is_empty() {
        let prefix = format!("{exact}-");
        found = files
            .iter()
            .copied()
            .filter(|file| directory(file).starts_with(&prefix))
            .collect();
    }
    found
}

fn named(files: &[&str]) -> String {
    match files {
        [] => "none".to_owned(),
        files => files.join(", "),
    }
}

/// Reads the file; each byte becomes one character, so that any file can be written back as it was.
async fn read(path: &str, host: &Host) -> Result<String, Failure> {
    let file = host.read_file(path, FILE_BYTES).await?;
    if !file.exists || file.truncated {
        let reason = if file.exists {
            "is too long"
        } else {
            "is not there"
        };
        return Err(Failure::new(format!("{path} {reason}")));
    }
    let bytes = STANDARD
        .decode(&file.base64)
        .map_err(|_| Failure::new(format!("{path} came over damaged")))?;
    Ok(bytes.into_iter().map(char::from).collect())
}

fn to_bytes(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(|c| match u8::try_from(c) {
            Ok(byte) => vec![byte],
            // Only from an argument: it goes into the file as UTF-8.
            Err(_) => c.to_string().into_bytes(),
        })
        .collect()
}

fn content(text: &str) -> Content {
    match String::from_utf8(to_bytes(text)) {
        Ok(text) => Content::Text(text),
        Err(other) => Content::Base64(STANDARD.encode(other.as_bytes())),
    }
}

async fn add_tunnels(
    arguments: &Arguments,
    path: &str,
    properties: &mut Properties,
    host: &Host,
) -> Result<Vec<String>, Failure> {
    let wanted = wanted_tunnels(arguments)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let fail = |error: tunnel::TunnelError| Failure::new(format!("{path}: {error}"));
    let present = tunnel::tunnels(properties).map_err(fail)?;
    let mut new = tunnel::missing(&present, &wanted).map_err(fail)?;
    for backup in &mut new {
        if backup.certificate.is_none() {
            let candidates = candidates(arguments, path, properties, &present);
            backup.certificate = Some(first_there(&candidates, host).await?);
        } else if let Some(given) = &backup.certificate {
            first_there(std::slice::from_ref(given), host).await?;
        }
    }
    tunnel::add(properties, &present, &new);
    Ok(new.into_iter().map(|backup| backup.host).collect())
}

fn wanted_tunnels(arguments: &Arguments) -> Result<Vec<Backup>, Failure> {
    let number = |value: Option<&Value>, usual: u32| match value {
        None | Some(Value::Null) => Some(usual),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    arguments
        .list("tunnels")
        .iter()
        .map(|value| {
            let host = value
                .get("host")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let port = number(value.get("port"), 2001).and_then(|port| u16::try_from(port).ok());
            match (
                !host.is_empty() && host.chars().all(word),
                port,
                number(value.get("cost"), 200),
                number(value.get("bandwidth"), 0),
            ) {
                (true, Some(port), Some(cost), Some(bandwidth)) => Ok(Backup {
                    host: host.to_owned(),
                    port,
                    cost,
                    bandwidth,
                    certificate: value
                        .get("certificate")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                }),
                _ => Err(Failure::new(format!("{value} is no tunnel"))),
            }
        })
        .collect()
}

/// Where the certificate of a new tunnel may be: as an existing tunnel says, else in its places.
fn candidates(
    arguments: &Arguments,
    path: &str,
    properties: &Properties,
    present: &[Tunnel],
) -> Vec<String> {
    if let Some(known) = present.iter().find_map(|tunnel| tunnel.certificate.clone()) {
        return vec![known];
    }
    let given = arguments.strings("certificates");
    if !given.is_empty() {
        return given;
    }
    let directory = path.rsplit('/').nth(1).unwrap_or_default();
    let mut places = vec![format!("/var/opt/opsware/crypto/{directory}/opswgw.pem")];
    // A satellite's directory lacks the gateway's name, its certificate's has it.
    if let Some(name) = properties.value("Gateway") {
        let named = format!("/var/opt/opsware/crypto/opswgw-{name}/opswgw.pem");
        if !places.contains(&named) {
            places.push(named);
        }
    }
    places.push(format!("/etc/opt/opsware/{directory}/opswgw.pem"));
    places.push(format!("/var/opt/opsware/{directory}/opswgw.pem"));
    places
}

async fn first_there(places: &[String], host: &Host) -> Result<String, Failure> {
    let looks = places
        .iter()
        .map(|path| {
            Read::Stat(Stat {
                path: path.clone(),
                follow: true,
                ..Stat::default()
            })
        })
        .collect();
    let answers = host.read(looks).await?;
    let there = places
        .iter()
        .zip(&answers)
        .find(|(_, answer)| matches!(answer, ReadAnswer::Stat(status) if status.exists()));
    match there {
        Some((path, _)) => Ok(path.clone()),
        None => Err(Failure::new(format!(
            "there is no certificate for the tunnel at {}; nothing was changed",
            places.join(", ")
        ))),
    }
}

fn describe(path: &str, properties: &Properties) -> Result<Object, Failure> {
    let tunnels =
        tunnel::tunnels(properties).map_err(|error| Failure::new(format!("{path}: {error}")))?;
    let listeners = listener::listeners(properties);
    let mut result = Object::new();
    result.insert("path".into(), path.into());
    for (name, key) in [
        ("name", "Gateway"),
        ("realm", "Realm"),
        ("address", "GWAddress"),
    ] {
        let value = properties.value(key).unwrap_or_default();
        result.insert(name.into(), value.into());
    }
    result.insert(
        "tunnels".into(),
        tunnels.iter().map(Tunnel::to_value).collect(),
    );
    result.insert(
        "listeners".into(),
        listeners.iter().map(listener::Listener::to_value).collect(),
    );
    result.insert(
        "listener_port".into(),
        listener::mesh_port(&listeners).into(),
    );
    let local = match listener::local(properties) {
        Local::Active => "active",
        Local::Commented => "commented",
        Local::CommentedByHand => "commented_by_hand",
        Local::Several => "several",
        Local::Absent => "absent",
    };
    result.insert("local_listener".into(), local.into());
    Ok(result)
}

fn findings(arguments: &Arguments, path: &str, properties: &Properties) -> Vec<String> {
    let wants_comment = arguments.text("local_listener") == Some("commented");
    if wants_comment && listener::local(properties) == Local::CommentedByHand {
        return vec![format!(
            "{path}: the listener of the local agent gateway was commented out by somebody else; \
             it will not be taken back without being asked for"
        )];
    }
    Vec::new()
}

/// A listener that was taken out of use has to come back, whoever does it: also one that a call before this took out of use
/// and did not live to tell.
fn owed(
    arguments: &Arguments,
    path: &str,
    before: &str,
    properties: &Properties,
) -> Option<Effect> {
    let id = format!("{path} local_listener");
    let was = listener::local(&Properties::read(before));
    let is_wanted = arguments.text("local_listener") == Some("commented");
    match (was, listener::local(properties)) {
        (was, Local::Commented) if was == Local::Active || is_wanted => {
            let (number, line) = listener::commented_line(properties)?;
            let sentence = format!(
                "{path}, line {number}: take the comment off `{line}`, then restart that gateway"
            );
            Some(Effect::Owe { id, sentence })
        }
        (_, Local::Active) => Some(Effect::Settle { id }),
        _ => None,
    }
}

/// What was done to which line: numbers from 1, of the file before.
fn edits(before: &str, after: &str) -> Value {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same_head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_head;
    let same_tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let cut = |lines: &[&str]| {
        lines
            .get(same_head..lines.len() - same_tail)
            .unwrap_or_default()
            .join("\n")
    };
    if old == new {
        return json!([]);
    }
    json!([{"line": same_head + 1, "before": cut(&old), "after": cut(&new)}])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_found_by_its_name() {
        let files = [
            "/etc/opt/opsware/opswgw-agw0-A/opswgw.properties",
            "/etc/opt/opsware/opswgw-cgw0-A/opswgw.properties",
            "/etc/opt/opsware/opswgw-lb/opswgw.properties",
        ];
        assert_eq!(fitting(&files, "cgw0"), [files[1]]);
        assert_eq!(fitting(&files, "agw0-A"), [files[0]]);
        assert_eq!(fitting(&files, "agw0-B").len(), 0);
        assert_eq!(fitting(&files, "").len(), 3, "no satellite");
        let satellite = ["/etc/opt/opsware/opswgw/opswgw.properties"];
        assert_eq!(fitting(&satellite, ""), satellite);
    }

    #[test]
    fn edits_name_the_lines_that_differ() {
        assert_eq!(edits("a\nb\n", "a\nb\n"), json!([]));
        assert_eq!(
            edits("a\nb\nc\n", "a\nx\ny\nc\n"),
            json!([{"line": 2, "before": "b", "after": "x\ny"}])
        );
        assert_eq!(
            edits("a\na\n", "a\na\na\n"),
            json!([{"line": 3, "before": "", "after": "a"}])
        );
    }

    #[test]
    fn any_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text: String = bytes.iter().copied().map(char::from).collect();
        assert_eq!(to_bytes(&text), bytes);
    }
}
