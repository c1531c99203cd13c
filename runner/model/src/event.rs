//! What happened, in order: the only thing reporters and journals ever see.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Input, Name, Outcome};

/// One fact of a run. `sequence` is given by the dispatcher alone, from 1, without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the run.
    pub sequence: u64,
    /// Milliseconds since 1970, by the controller's clock.
    pub at_ms: u64,
    /// Since the run began, by a clock that never goes back.
    pub elapsed: Duration,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Whether a run changes or only predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Changes.
    Apply,
    /// Predicts.
    Check,
}

/// What may be done with a step whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepClass {
    /// It only reads.
    Read,
    /// Doing it again comes to the same.
    #[default]
    Repeat,
    /// It must not be done twice.
    Once,
}

/// A task on a host, by its identity: where it stands and which time it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostTask {
    /// The host, as the inventory names it.
    pub host: Name,
    /// Path of the task: plays, includes, roles, blocks.
    pub task: Name,
    /// How many times this host came here before: handlers, repeated includes, batches.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub occurrence: u32,
    /// Index and hash of the loop item, as `3-9f2c…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Name>,
    /// Which try of `until`, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// What a replay needs of a finished step besides what is told of it. Reporters pass over it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The whole outcome, where what is told of it is censored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Arc<Outcome>>,
    /// What it did to the state of the run, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<KeptEffect>,
}

/// One thing that a step did to the state of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum KeptEffect {
    /// Facts were learnt about a host.
    Facts {
        /// The host that they are about.
        host: Name,
        /// The facts, by the names that the module gave them; none when the result has them
        /// under `ansible_facts`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        facts: Option<serde_json::Value>,
    },
    /// Files of variables were read, in order, for the effect after it.
    Files {
        /// Their paths.
        paths: Vec<PathBuf>,
        /// Whether dictionaries were laid over those that the host had.
        merged: bool,
    },
    /// What the module asked for, in its own words.
    Module {
        /// The effect, as the plugin protocol writes it.
        asked: serde_json::Value,
        /// The host that it is for, where that is another one than the step's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<Name>,
    },
}

/// What a person decided about a step whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is taken for done.
    Done,
    /// It is done again.
    Repeat,
}

/// What happened. Variants are facts; nothing here says how to draw them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum EventKind {
    /// The first event of a run.
    RunStarted {
        /// Id of the run.
        run: Name,
        /// Whether it changes or predicts.
        mode: RunMode,
        /// Playbooks as given.
        playbooks: Vec<String>,
        /// Inventories as given.
        inventories: Vec<String>,
        /// Hosts that the limit leaves, none when there is no limit.
        limit: Option<String>,
        /// SHA-256 of each plugin by its path.
        plugins: BTreeMap<String, String>,
        /// Version of sasrun.
        version: String,
    },
    /// A play begins, or one batch of it.
    PlayStarted {
        /// Path of the play.
        play: Name,
        /// Its name as shown.
        name: String,
        /// Hosts of it, in order.
        hosts: Vec<Name>,
        /// Number of the batch, from 0, and how many there are.
        batch: Option<(u32, u32)>,
    },
    /// No host matched a play.
    PlaySkipped {
        /// Path of the play.
        play: Name,
        /// Its name as shown.
        name: String,
    },
    /// A task begins on the first of its hosts. Under the free strategy once for each host.
    TaskStarted {
        /// Path of the task.
        task: Name,
        /// Its name as shown, with the role before it.
        name: String,
        /// Where it stands, as `file:line`.
        place: String,
        /// Whether it is a handler.
        handler: bool,
        /// Branch of a `parallel` that it runs in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<Name>,
        /// Module or action.
        action: Name,
    },
    /// A host begins a task. Durable before the host is touched.
    HostStarted {
        /// Which.
        id: HostTask,
        /// What may be done with it if its end stays unknown.
        class: StepClass,
        /// Hash of the task's content and arguments.
        content: Name,
        /// Name of its first job on the host, where the task's commands run as jobs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<Name>,
    },
    /// A host begins one item of a loop, or one more try, of a step that must not be done twice.
    /// Durable before the host is touched.
    ItemStarted {
        /// Which.
        id: HostTask,
    },
    /// A person decided about a step whose end was not known.
    Decided {
        /// Which.
        id: HostTask,
        /// What.
        decision: Decision,
        /// Who.
        by: String,
    },
    /// A person gave the run up: it does not go on any more.
    GivenUp {
        /// Who.
        by: String,
    },
    /// A gate waits for its answer.
    GateWaiting {
        /// Its id.
        gate: String,
        /// What is asked.
        text: String,
    },
    /// A gate was answered.
    GateAnswered {
        /// Its id.
        gate: String,
        /// The answer.
        answer: String,
        /// Who gave it.
        by: String,
        /// Why.
        reason: String,
    },
    /// A line of progress of a running task. May be thinned out.
    HostProgress {
        /// Which.
        id: HostTask,
        /// The line.
        line: String,
    },
    /// One item of a loop ended.
    ItemFinished {
        /// Which.
        id: HostTask,
        /// What is shown of the item.
        label: String,
        /// Host that it was done on, when delegated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delegate: Option<Name>,
        /// What came of it.
        outcome: Arc<Outcome>,
        /// Whether failure is ignored.
        ignored: bool,
        /// Whether nothing of it may be shown.
        no_log: bool,
        /// What a replay needs of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Arc<Kept>>,
    },
    /// A try failed and another follows.
    HostRetry {
        /// Which.
        id: HostTask,
        /// Tries that are left.
        left: u32,
        /// What came of it.
        outcome: Arc<Outcome>,
        /// What a replay needs of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Arc<Kept>>,
    },
    /// A host ended a task: exactly once for each begun. Durable before anything builds on it.
    HostFinished {
        /// Which.
        id: HostTask,
        /// Host that it was done on, when delegated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delegate: Option<Name>,
        /// What came of it.
        outcome: Arc<Outcome>,
        /// Whether failure is ignored.
        ignored: bool,
        /// Whether failure is caught by a `rescue`.
        rescued: bool,
        /// Whether the items of its loop were told one by one.
        looped: bool,
        /// Whether nothing of it may be shown.
        no_log: bool,
        /// Module or action.
        action: Name,
        /// How long it took.
        took: Duration,
        /// What a replay needs of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Arc<Kept>>,
    },
    /// Steps were loaded for hosts.
    Included {
        /// Path of the including task.
        task: Name,
        /// File or role.
        what: String,
        /// Hosts.
        hosts: Vec<Name>,
        /// What the task was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arguments: Option<serde_json::Value>,
    },
    /// A handler will run on a host.
    HandlerNotified {
        /// Its name.
        handler: String,
        /// The host.
        host: Name,
    },
    /// Something an impure function answered, so that a replay need not ask again.
    Answered {
        /// What was asked, as a stable text.
        question: String,
        /// The answer.
        answer: serde_json::Value,
    },
    /// A finding for the closing report.
    Finding {
        /// Id, such as that of a procedure's item.
        id: String,
        /// Host it is about.
        host: Option<Name>,
        /// What.
        sentence: String,
    },
    /// A change that somebody has to take back, should the run not do so itself.
    Owed {
        /// Id by which it is settled, for its host.
        id: String,
        /// Host it is about.
        host: Name,
        /// What is to be done, and where.
        sentence: String,
    },
    /// A change was taken back.
    Settled {
        /// Its id.
        id: String,
        /// Host it is about.
        host: Name,
    },
    /// Something the operator should know.
    Warning {
        /// What.
        sentence: String,
    },
    /// A file was used that was not known when the run began.
    InputUsed {
        /// Which, with its hash.
        input: Input,
    },
    /// The lock of the mesh or inventory is held: from now on hosts may be changed.
    LockTaken {
        /// Name of the lock.
        name: String,
        /// Hosts that it is held on, besides the controller.
        hosts: Vec<Name>,
        /// Fencing number.
        fence: u64,
    },
    /// The run goes on after it ended early. What was begun and not ended before is open again.
    RunResumed {
        /// Version of sasrun that goes on with it.
        version: String,
        /// Who resumed it, by login name.
        user: String,
        /// Name of the machine it goes on from.
        host: String,
        /// Number of the process there.
        pid: u32,
    },
    /// The run ends before all is done, and begins nothing new.
    Stopping {
        /// Why.
        reason: String,
    },
    /// The last event of a run.
    RunFinished {
        /// Figures of each host, in order of first appearance.
        hosts: Vec<HostFigures>,
        /// Exit code of the run.
        exit_code: u8,
        /// Why, in one sentence.
        reason: String,
    },
    /// An event of a newer version. Readers pass over it.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// Leaves out what only a replay needs.
    pub fn forget_kept(&mut self) {
        if let EventKind::ItemFinished { kept, .. }
        | EventKind::HostRetry { kept, .. }
        | EventKind::HostFinished { kept, .. } = self
        {
            *kept = None;
        }
    }

    /// Whether it holds, for a replay alone, an outcome that nothing may show.
    pub fn keeps_hidden(&self) -> bool {
        match self {
            EventKind::ItemFinished { kept, .. }
            | EventKind::HostRetry { kept, .. }
            | EventKind::HostFinished { kept, .. } => {
                kept.as_ref().is_some_and(|kept| kept.outcome.is_some())
            }
            _ => false,
        }
    }

    /// The step that it is about, if it is about one.
    pub fn step(&self) -> Option<&HostTask> {
        match self {
            EventKind::HostStarted { id, .. }
            | EventKind::ItemStarted { id }
            | EventKind::Decided { id, .. }
            | EventKind::HostProgress { id, .. }
            | EventKind::ItemFinished { id, .. }
            | EventKind::HostRetry { id, .. }
            | EventKind::HostFinished { id, .. } => Some(id),
            _ => None,
        }
    }
}

impl std::fmt::Display for HostTask {
    /// As a person names it: `host:path`, then `#1` for the second time, `@3-9f2c…` for an item.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.task)?;
        if self.occurrence > 0 {
            write!(f, "#{}", self.occurrence)?;
        }
        if let Some(item) = &self.item {
            write!(f, "@{item}")?;
        }
        if self.attempt > 0 {
            write!(f, "~{}", self.attempt)?;
        }
        Ok(())
    }
}

/// Figures of one host, as the recap shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the column of Ansible's recap")]
pub struct HostFigures {
    pub host: Name,
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failed: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
    /// Steps that check mode could not predict.
    pub cannot_know: u32,
}
