//! `oracle_names`: what `tnsnames.ora` says, and whether two values of a response file fit it.

use base64::Engine as _;
use sasrun_plugin::{Arguments, Call, Host, ModuleResult, Outcome};
use serde_json::{Value, json};

use crate::tnsnames::{Entry, entries, find};
use crate::verdict::Verdict;

/// Largest file that is read.
const FILE_BYTES: u64 = 1 << 20;

/// Carries out the module.
pub(crate) async fn names(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let directory = arguments.text_or_empty("tns_admin").trim_end_matches('/');
    let file = host
        .read_file(&format!("{directory}/tnsnames.ora"), FILE_BYTES)
        .await?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&file.base64)
        .unwrap_or_default();
    let entries = entries(&String::from_utf8_lossy(&bytes));
    let mut outcome = Outcome::unchanged()
        .with("exists", file.exists)
        .with("entries", entries.iter().map(shown).collect::<Vec<_>>())
        .with("aliases", aliases(&entries));
    let mut findings = Vec::new();
    let mut reasons = Vec::new();
    if let Some(name) = arguments.text("servicename") {
        let judged = judge_name(&entries, name, file.exists);
        outcome = outcome.with("servicename_verdict", judged.verdict.as_str());
        findings.extend(judged.finding);
        reasons.push(judged.reason);
        if let Some(sid) = arguments.text("sid") {
            let judged = judge_sid(judged.entry, sid);
            outcome = outcome.with("sid_verdict", judged.verdict.as_str());
            findings.extend(judged.finding);
            reasons.push(judged.reason);
        }
    }
    findings.dedup();
    reasons.retain(|reason| !reason.is_empty());
    Ok(outcome
        .with("finding", findings.join(", "))
        .with("reason", reasons.join("; ")))
}

struct Judged<'a> {
    verdict: Verdict,
    finding: Option<&'static str>,
    reason: String,
    entry: Option<&'a Entry>,
}

fn judge_name<'a>(entries: &'a [Entry], name: &str, exists: bool) -> Judged<'a> {
    if !exists {
        return Judged {
            verdict: Verdict::Indeterminate,
            finding: Some("no_tnsnames"),
            reason: "tnsnames.ora is not there".into(),
            entry: None,
        };
    }
    if let Some(entry) = find(entries, name) {
        return Judged {
            verdict: Verdict::Match,
            finding: None,
            reason: String::new(),
            entry: Some(entry),
        };
    }
    // SQL*Net may add a domain of its own to a name without one.
    let with_domain = entries.iter().find(|entry| {
        let mut names = entry.aliases.iter();
        names.any(|alias| !name.contains('.') && first_label(alias).eq_ignore_ascii_case(name))
    });
    match with_domain {
        Some(entry) => Judged {
            verdict: Verdict::Match,
            finding: Some("domain_suffix"),
            reason: format!(
                "the connect name stands there as {}",
                entry.aliases.join(", ")
            ),
            entry: Some(entry),
        },
        None => Judged {
            verdict: Verdict::Mismatch,
            finding: None,
            reason: format!(
                "{name} is not among the connect names: {}",
                aliases(entries).join(", ")
            ),
            entry: None,
        },
    }
}

fn judge_sid<'a>(entry: Option<&'a Entry>, sid: &str) -> Judged<'a> {
    let judged = |verdict, finding, reason: String| Judged {
        verdict,
        finding,
        reason,
        entry,
    };
    let service = entry.and_then(|entry| entry.service_name.as_ref().or(entry.sid.as_ref()));
    let Some(service) = service else {
        return judged(
            Verdict::Indeterminate,
            None,
            "the connect name's entry with its service is missing".into(),
        );
    };
    if service.eq_ignore_ascii_case(sid) {
        return judged(Verdict::Match, None, String::new());
    }
    if first_label(service).eq_ignore_ascii_case(first_label(sid)) {
        let reason = format!("the service stands there as {service}");
        return judged(Verdict::Match, Some("domain_suffix"), reason);
    }
    judged(
        Verdict::Mismatch,
        None,
        format!("the entry's service is {service}, not {sid}"),
    )
}

fn first_label(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn aliases(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .flat_map(|entry| entry.aliases.iter().cloned())
        .collect()
}

fn shown(entry: &Entry) -> Value {
    let addresses: Vec<Value> = entry
        .addresses
        .iter()
        .map(|address| json!({"host": address.host, "port": address.port}))
        .collect();
    json!({
        "aliases": entry.aliases,
        "service_name": entry.service_name,
        "sid": entry.sid,
        "addresses": addresses,
    })
}
