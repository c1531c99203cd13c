//! What a closing report gathers from events, and what it leaves out.
//!
//! Must not: look at how it is drawn.

use std::sync::Arc;
use std::time::Duration;

use sasrun_model::{
    Event, EventKind, HostFigures, HostTask, Name, Outcome, RunMode, Status, Value,
};
use serde_json::json;

use super::{Closing, sections};
use crate::{Mask, Style};

const PLAIN: Style = Style {
    is_coloured: false,
    columns: 80,
    is_terminal: false,
};

fn id(host: &str, task: &str) -> HostTask {
    HostTask {
        host: host.into(),
        task: task.into(),
        occurrence: 0,
        item: None,
        attempt: 0,
    }
}

fn finished(host: &str, task: &str, status: Status, result: Value) -> EventKind {
    EventKind::HostFinished {
        id: id(host, task),
        delegate: None,
        outcome: Arc::new(Outcome {
            status,
            result,
            diff: vec![],
            warnings: vec![],
        }),
        ignored: false,
        rescued: false,
        looped: false,
        no_log: false,
        action: "x".into(),
        took: Duration::from_secs(2),
        kept: None,
    }
}

fn started(task: &str, name: &str) -> EventKind {
    EventKind::TaskStarted {
        task: task.into(),
        name: name.into(),
        place: String::new(),
        handler: false,
        branch: None,
        action: "x".into(),
    }
}

/// A run of two hosts with everything that a report tells.
fn run(mask: Mask) -> Closing {
    let kinds = vec![
        EventKind::RunStarted {
            run: "20261123-1".into(),
            mode: RunMode::Apply,
            playbooks: vec!["/site/upgrade.yml".into()],
            inventories: vec![],
            limit: None,
            plugins: Default::default(),
            version: "0".into(),
        },
        EventKind::PlayStarted {
            play: "p".into(),
            name: "P-1 the play".into(),
            hosts: vec![],
            batch: None,
        },
        started("t1", "P-1.1 upgrade <it>"),
        EventKind::HostStarted {
            id: id("a1", "t1"),
            class: Default::default(),
            content: Name::from("c"),
            job: None,
        },
        finished("a1", "t1", Status::Changed, Value::from(json!({}))),
        started("t2", "P-1.2 tell"),
        finished(
            "a1",
            "t2",
            Status::Ok,
            sections::result(json!({
                "Releases": [{"server": "a1", "before": "6.6", "after": "6.61"}],
                "Groups": {"north": ["a1"], "south": ["b1"]},
                "Left to people": ["the password is hunter22"],
            })),
        ),
        finished(
            "b1",
            "t2",
            Status::Ok,
            sections::result(json!({"Releases": [{"server": "b1", "before": "6.6"}]})),
        ),
        EventKind::Finding {
            id: "F-1".into(),
            host: Some("b1".into()),
            sentence: "odd".into(),
        },
        EventKind::GateWaiting {
            gate: "G-1".into(),
            text: "May it?".into(),
        },
        EventKind::GateAnswered {
            gate: "G-1".into(),
            answer: "yes".into(),
            by: "J. Doe".into(),
            reason: "looked".into(),
        },
        EventKind::GateWaiting {
            gate: "G-2".into(),
            text: "And this?".into(),
        },
        started("t3", "P-2 break"),
        finished(
            "b1",
            "t3",
            Status::Unknown,
            Value::from(json!({"msg": "lost\nsecond line"})),
        ),
        EventKind::RunFinished {
            hosts: vec![HostFigures {
                host: "a1".into(),
                ok: 2,
                changed: 1,
                ..HostFigures::default()
            }],
            exit_code: 7,
            reason: "an outcome is unknown".into(),
        },
    ];
    let mut closing = Closing::new(mask);
    for (at, kind) in kinds.into_iter().enumerate() {
        let at = u64::try_from(at).unwrap();
        closing.event(&Event {
            sequence: at + 1,
            at_ms: at * 1000,
            elapsed: Duration::from_secs(at),
            kind,
        });
    }
    closing
}

#[test]
fn the_text_has_sections_findings_gates_and_what_went_wrong() {
    let text = run(Mask::default()).lines(PLAIN).join("\n");
    let wanted = [
        "CLOSING REPORT ***",
        "Releases\n  server  before  after\n  a1      6.6     6.61\n  b1      6.6\n",
        "Findings\n  F-1 [b1]: odd\n",
        "G-1: yes by J. Doe after 10.0 s: looked\n  G-2: not answered: And this?\n",
        "What went wrong\n  b1: P-2 break: outcome unknown, lost",
    ];
    for part in wanted {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn a_run_with_nothing_to_tell_has_no_report() {
    let mut closing = Closing::new(Mask::default());
    let kind = finished("a", "t", Status::Changed, Value::from(json!({})));
    closing.event(&Event {
        sequence: 1,
        at_ms: 0,
        elapsed: Duration::ZERO,
        kind,
    });
    assert!(closing.lines(PLAIN).is_empty());
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_shows() {
    let page = run(Mask::default()).html("2026-11-23 03:00");
    for part in [
        "<span class=\"state unknown\">a decision is needed</span>",
        "upgrade.yml",
        "<svg ",
        "P-1.1 upgrade &lt;it&gt;",
        "<th>server</th><th>before</th><th>after</th>",
        "<td>J. Doe</td>",
        "class=\"group\"",
        "rect class=\"unknown\"",
        "exit 7: an outcome is unknown",
    ] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
    for foreign in ["<script", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn secrets_are_stars_in_both() {
    let mask = Mask::default();
    mask.register("hunter22");
    let closing = run(mask);
    assert!(!closing.lines(PLAIN).join("\n").contains("hunter22"));
    assert!(!closing.html("").contains("hunter22"));
    assert!(closing.html("").contains("the password is ****"));
}
