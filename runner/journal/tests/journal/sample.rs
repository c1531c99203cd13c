//! A small run, as the tests of the journal write and read it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sasrun_journal::{FORMAT, FindSecrets, NoSecrets, RunDirectory, RunHeader};
use sasrun_model::{
    Event, EventKind, HostTask, Input, InputKind, Name, Outcome, RunMode, Status, StepClass, Value,
};

/// The header of the sample.
pub(crate) fn header(run: &str) -> RunHeader {
    RunHeader {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        run: run.to_owned(),
        mode: RunMode::Apply,
        started_at_ms: 1_700_000_000_000,
        argv: vec!["playbook".to_owned(), "site.yml".to_owned()],
        directory: "/srv/site".to_owned(),
        user: "ann".to_owned(),
        host: "control".to_owned(),
        pid: 4242,
        inputs: vec![Input {
            kind: InputKind::Playbook,
            path: "/srv/site/site.yml".to_owned(),
            sha256: "00".repeat(32),
        }],
        environment: None,
        options: BTreeMap::from([("forks".to_owned(), "50".to_owned())]),
    }
}

pub(crate) fn event(sequence: u64, kind: EventKind) -> Event {
    Event {
        sequence,
        at_ms: 1_700_000_000_000 + sequence,
        elapsed: Duration::from_millis(sequence),
        kind,
    }
}

pub(crate) fn id(host: &str, task: usize) -> HostTask {
    HostTask {
        host: host.into(),
        task: format!("0/{task}").into(),
        occurrence: 0,
        item: None,
        attempt: 0,
    }
}

pub(crate) fn outcome(text: &str) -> Arc<Outcome> {
    let result = serde_json::json!({ "changed": true, "rc": 0, "stdout": text });
    Arc::new(Outcome {
        status: Status::Changed,
        result: Value::from(result),
        diff: Vec::new(),
        warnings: Vec::new(),
    })
}

pub(crate) fn finished(host: &str, task: usize, text: &str) -> EventKind {
    EventKind::HostFinished {
        id: id(host, task),
        delegate: None,
        outcome: outcome(text),
        ignored: false,
        rescued: false,
        looped: false,
        no_log: false,
        action: "command".into(),
        took: Duration::from_millis(3),
        kept: None,
    }
}

/// The events of a run of so many tasks on two hosts.
pub(crate) fn events(tasks: usize) -> Vec<Event> {
    let hosts: Vec<Name> = vec!["alpha".into(), "beta".into()];
    let mut kinds = vec![EventKind::RunStarted {
        run: "sample".into(),
        mode: RunMode::Apply,
        playbooks: vec!["site.yml".to_owned()],
        inventories: vec!["hosts".to_owned()],
        limit: None,
        plugins: BTreeMap::new(),
        version: "0.1.0".to_owned(),
    }];
    for task in 0..tasks {
        kinds.push(EventKind::TaskStarted {
            task: format!("0/{task}").into(),
            name: format!("task {task}"),
            place: format!("site.yml:{}", task + 3),
            handler: false,
            branch: None,
            action: "command".into(),
        });
        for host in &hosts {
            kinds.push(EventKind::HostStarted {
                id: id(host, task),
                class: StepClass::Once,
                content: "c0ffee".into(),
                job: None,
            });
        }
        for host in &hosts {
            kinds.push(finished(host, task, &format!("{host} did {task}: ünï ✓")));
        }
    }
    kinds.push(EventKind::RunFinished {
        hosts: Vec::new(),
        exit_code: 0,
        reason: "done".to_owned(),
    });
    kinds
        .into_iter()
        .zip(1..)
        .map(|(kind, sequence)| event(sequence, kind))
        .collect()
}

/// Knows one secret.
pub(crate) struct OneSecret(pub &'static str);

impl FindSecrets for OneSecret {
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        text.match_indices(self.0)
            .map(|(at, found)| at..at + found.len())
            .collect()
    }
}

pub(crate) fn no_secrets() -> Arc<dyn FindSecrets> {
    Arc::new(NoSecrets)
}

/// A directory for a run, and what keeps it.
pub(crate) fn directory() -> (tempfile::TempDir, RunDirectory) {
    let state = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(state.path(), "sample").unwrap();
    (state, directory)
}

/// Who goes on with a run.
pub(crate) fn resumed() -> EventKind {
    EventKind::RunResumed {
        version: "0.1.0".to_owned(),
        user: "ann".to_owned(),
        host: "control".to_owned(),
        pid: 4343,
    }
}
