//! The interview that an installer of another release holds before it upgrades anything.

use std::collections::BTreeMap;

use sasrun_plugin::{
    Arguments, Failure, FileKind, Host, ModuleResult, Object, Outcome, Screen, Stat,
};
use serde_json::Value;

use super::dialogue::{Goal, Interview};
use super::order::Order;
use super::session::{End, Manner, Session};
use super::situation::{Situation, installer};
use crate::response::{self, ResponseFile};

/// Starts the installer for its interview.
pub(super) async fn hold(
    arguments: &Arguments,
    order: &Order,
    situation: &Situation,
    check_mode: bool,
    host: &Host,
) -> ModuleResult {
    let path = installer(order, situation, check_mode)?;
    let manner = manner_of(arguments, order, host).await?;
    let mut result = Object::new();
    result.insert("response_file".into(), Value::from(""));
    host.will_change(
        "hold the interview, if the installer wants one, and save its response file",
        None,
        result,
    )
    .await?;
    let end = Session::hold(host, order.command(path), String::new(), manner).await?;
    finish(order, end, host).await
}

/// Goes on with an interview that was begun.
pub(super) async fn go_on(
    arguments: &Arguments,
    order: &Order,
    screen: Screen,
    host: &Host,
) -> ModuleResult {
    let manner = manner_of(arguments, order, host).await?;
    let end = Session::go_on(host, screen, manner).await?;
    finish(order, end, host).await
}

async fn manner_of(arguments: &Arguments, order: &Order, host: &Host) -> Result<Manner, Failure> {
    let file = response::read_on(host, &order.response_file).await?;
    let interview = Interview {
        type_words: type_words(arguments.text_or_empty("type")),
        advanced: arguments.text("interview") == Some("advanced"),
        answers: answers(&file),
        take_defaults: arguments.text("interview_defaults") == Some("accept"),
    };
    Ok(Manner {
        goal: Goal::Interview(interview),
        limit: order.limit,
        question_wait: order.question_wait,
    })
}

/// Takes the saved file for what the interview came to.
async fn finish(order: &Order, end: End, host: &Host) -> ModuleResult {
    if let Some(message) = end.failure.clone() {
        return Err(end.into_failure(message));
    }
    if end.no_interview {
        let outcome = Outcome::unchanged().with("response_file", order.response_file.as_str()).warn(
            "the installer held no interview: the response file was saved by this release already",
        );
        return Ok(end.report(outcome));
    }
    let Some(saved) = end.saved.clone() else {
        return Err(
            end.into_failure("the interview ended without saving a response file".to_owned())
        );
    };
    let status = host
        .stat(Stat {
            path: saved.clone(),
            follow: true,
            checksum: None,
        })
        .await?;
    if status.kind != FileKind::File {
        return Err(end.into_failure(format!(
            "the installer said it would save {saved}, but there is no such file"
        )));
    }
    Ok(end.report(Outcome::changed().with("response_file", saved)))
}

fn answers(file: &ResponseFile) -> BTreeMap<String, String> {
    file.names()
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), file.get(name)?.to_owned())))
        .collect()
}

/// Words that the label of an installation type holds.
fn type_words(kind: &str) -> Vec<String> {
    let words: &[&str] = match kind {
        "first_core" => &["first core", "convert"],
        "additional_core" => &["additional core"],
        // It is not asked for; if it is all the same, nothing fits.
        "satellite" => &["satellite"],
        _ => &["standalone installation"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}
