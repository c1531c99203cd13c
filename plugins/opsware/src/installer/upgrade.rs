//! Upgrading components, and judging what came of it by words, status and versions.

use sasrun_plugin::{Command, Diff, Failure, Host, ModuleResult, Object, Outcome, Screen};
use serde_json::Value;

use super::order::Order;
use super::session::{End, Session};
use super::situation::{Situation, installer, running, running_script};
use crate::probe::Versions;
use crate::release::Release;

/// Upgrades the components that are not at the target.
pub(super) async fn upgrade(
    order: &Order,
    situation: &Situation,
    check_mode: bool,
    host: &Host,
) -> ModuleResult {
    let outstanding = order.outstanding(&situation.versions);
    if outstanding.is_empty() {
        return Ok(Outcome::unchanged()
            .with("components", Value::Array(Vec::new()))
            .with("versions", shown(&situation.versions)));
    }
    let path = installer(order, situation, check_mode)?;
    let listed = outstanding.join(", ");
    let mut result = Object::new();
    result.insert(
        "components".into(),
        outstanding.iter().map(String::as_str).collect(),
    );
    host.will_change(
        format!("upgrade {listed} to {}", order.target),
        Some(version_diff(
            &outstanding,
            &situation.versions,
            &order.target,
        )),
        result.clone(),
    )
    .await?;
    let note = outstanding.join(" ");
    let end = Session::hold(host, order.command(path), note, order.manner(&outstanding)).await?;
    finish(order, &outstanding, end, host).await
}

/// Goes on with an upgrade that was begun: the components are those that were wanted then.
pub(super) async fn go_on(order: &Order, screen: Screen, host: &Host) -> ModuleResult {
    let wanted: Vec<String> = screen.note.split_whitespace().map(str::to_owned).collect();
    let end = Session::go_on(host, screen, order.manner(&wanted)).await?;
    finish(order, &wanted, end, host).await
}

async fn finish(order: &Order, outstanding: &[String], end: End, host: &Host) -> ModuleResult {
    let script = format!("{}{}", order.version_script(), running_script());
    let output = host.read_script(script).await?.stdout;
    let (packages, processes) = output.split_once("PROCESSES\n").unwrap_or((&output, ""));
    let end = end.with_left_behind(&running(processes));
    let is_full = end.disk_full();
    match judge(order, outstanding, &order.versions(packages), end) {
        Err(failure) if is_full => Err(with_space(failure, host).await?),
        judged => judged,
    }
}

/// Adds what `df` says of the places that an installer writes to.
async fn with_space(mut failure: Failure, host: &Host) -> Result<Failure, Failure> {
    let seen = host
        .read_command(Command {
            script: "df -k / /opt/opsware /var/opt/opsware".to_owned(),
            timeout_ms: Some(10_000),
            ..Command::default()
        })
        .await?;
    failure.msg = format!("{}; df -k says:\n{}", failure.msg, seen.stdout.trim_end());
    Ok(failure.with("df", seen.stdout))
}

/// A component is upgraded when the words, the status and the version all say so.
fn judge(order: &Order, outstanding: &[String], after: &Versions, end: End) -> ModuleResult {
    let left = order.outstanding(after);
    let left: Vec<&String> = outstanding.iter().filter(|id| left.contains(id)).collect();
    let failure = match (&end.failure, left.as_slice()) {
        (Some(failure), _) => Some(failure.clone()),
        (None, []) => None,
        (None, left) => Some(format!(
            "the installer reports no failure, but these are not at {}: {}",
            order.target,
            left.iter()
                .map(|id| format!("{id} ({})", after.get(*id).map_or("unknown", |v| v.shown())))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    };
    match failure {
        Some(message) => Err(end
            .into_failure(format!(
                "{message}; versions now: {}",
                after
                    .iter()
                    .map(|(id, version)| format!("{id} {}", version.shown()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
            .with("versions", shown(after))),
        None => {
            let outcome = Outcome::changed()
                .with(
                    "components",
                    outstanding.iter().map(String::as_str).collect::<Value>(),
                )
                .with("versions", shown(after));
            Ok(end.report(outcome))
        }
    }
}

fn shown(versions: &Versions) -> Value {
    Value::Object(
        versions
            .iter()
            .map(|(id, version)| (id.clone(), Value::from(version.shown())))
            .collect(),
    )
}

fn version_diff(ids: &[String], versions: &Versions, target: &Release) -> Diff {
    let line = |id: &String, version: &str| format!("{id}: {version}\n");
    let before: String = ids
        .iter()
        .map(|id| {
            line(
                id,
                versions
                    .get(id)
                    .map_or("unknown", |version| version.shown()),
            )
        })
        .collect();
    let after: String = ids.iter().map(|id| line(id, target.name())).collect();
    Diff::text("versions", before, after)
}
