//! `oracle_login`: is the password of an account right?

use base64::Engine as _;
use sasrun_plugin::{
    Arguments, Call, Command, CommandOutput, Effect, Failure, FileContent, Host, ModuleResult,
    Outcome, Read, ReadAnswer,
};

use crate::attempt::{Account, Remembered, passable, remembered};
use crate::memory::{Database, Memory, Turn};
use crate::response;
use crate::verdict::{Expects, Judgement, Verdict, judge};

/// Largest response file that is read.
const RESPONSE_BYTES: u64 = 1 << 20;
/// How often somebody else's attempt on the same account is asked for, in milliseconds.
const WAIT_MS: u64 = 200;

/// The task: its arguments in types.
struct Task {
    account: Account,
    expects: Expects,
    ledger: String,
    key: String,
    again: bool,
    timeout_ms: u64,
}

/// What was read of the host before anything is tried.
struct Findings {
    machine: String,
    has_client: bool,
    ledger: String,
}

/// Carries out the module.
pub(crate) async fn login(call: Call, host: Host, memory: Memory) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let task = Task::new(&arguments);
    if let Some(problem) = task.account.problem() {
        return Err(Failure::new(problem));
    }
    let (findings, file) = look(&task, &arguments, &host).await?;
    let taken = match file {
        Some(file) => password_of(&file, &task.key),
        None => Ok(arguments.text_or_empty("password").to_owned()),
    };
    let password = match taken {
        Ok(password) => password,
        Err(judgement) => return Ok(task.outcome(&judgement, false)),
    };
    if !password.is_empty() {
        host.secrets(vec![password.clone()]).await?;
    }
    if let Some(judgement) = task.known_before(&findings, &password) {
        return Ok(task.outcome(&judgement, false));
    }
    let database = Database {
        machine: findings.machine,
        alias: task.account.alias.to_ascii_lowercase(),
    };
    let fingerprint = task.account.fingerprint(&password);
    loop {
        match memory.turn(&database, &task.account.name, &fingerprint) {
            Turn::Wait => host.sleep(WAIT_MS).await?,
            Turn::Known(judgement) => return Ok(task.outcome(&judgement, false)),
            Turn::OtherValue => {
                let judgement = Judgement::of(
                    Verdict::NotChecked,
                    "other_value_tried",
                    "another value of this account was tried in this run",
                    "make the response files agree, then check again",
                );
                return Ok(task.outcome(&judgement, false));
            }
            Turn::Yours(attempt) => {
                let command = task
                    .account
                    .command(&password, &task.ledger, task.timeout_ms);
                let output = host.attempt(command).await?;
                let judgement = task.conclude(&output);
                attempt.came_to(&judgement);
                return Ok(task.outcome(&judgement, true));
            }
        }
    }
}

/// Reads all that is needed in one go: who the host is, its client, its ledger, the response file.
async fn look(
    task: &Task,
    arguments: &Arguments,
    host: &Host,
) -> Result<(Findings, Option<FileContent>), Failure> {
    let client = Host::quote(&format!("{}/bin/sqlplus", task.account.oracle_home));
    let ledger = Host::quote(&task.account.ledger_file(&task.ledger));
    let script = format!(
        "uname -n\nif [ -x {client} ]; then echo yes; else echo no; fi\n\
         [ -f {ledger} ] && cat {ledger}\nexit 0\n"
    );
    let mut reads = vec![Read::Command(Command {
        script,
        ..Command::default()
    })];
    if let Some(path) = arguments.text("response_file") {
        reads.push(Read::File {
            path: path.to_owned(),
            max_bytes: RESPONSE_BYTES,
            sensitive: true,
        });
    }
    let mut answers = host.read(reads).await?.into_iter();
    let Some(ReadAnswer::Command(output)) = answers.next() else {
        return Err(Failure::new("the host could not be looked at"));
    };
    let mut lines = output.stdout.splitn(3, '\n');
    let findings = Findings {
        machine: lines.next().unwrap_or_default().trim().to_owned(),
        has_client: lines.next().is_some_and(|line| line.trim() == "yes"),
        ledger: lines.next().unwrap_or_default().to_owned(),
    };
    match answers.next() {
        None => Ok((findings, None)),
        Some(ReadAnswer::File(file)) => Ok((findings, Some(file))),
        Some(ReadAnswer::Refused(refusal)) => Err(Failure::new(format!(
            "the response file cannot be read: {}",
            refusal.message
        ))),
        Some(_) => Err(Failure::new("the response file could not be read")),
    }
}

/// Takes the password out of the response file.
fn password_of(file: &FileContent, key: &str) -> Result<String, Judgement> {
    let missing = |reason: String| {
        Judgement::of(
            Verdict::NotChecked,
            "missing_in_response",
            reason,
            "name the right response file and parameter",
        )
    };
    if !file.exists {
        return Err(missing("the response file is not there".into()));
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&file.base64)
        .map_err(|_| missing("the response file came over damaged".into()))?;
    let text = String::from_utf8_lossy(&bytes);
    let (value, _) = response::value(&text, key).map_err(|error| missing(error.to_string()))?;
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Judgement::of(
            Verdict::NotChecked,
            "password_encoding",
            "the password is not UTF-8 in the response file",
            "check it by hand",
        ));
    }
    Ok(value)
}

impl Task {
    fn new(arguments: &Arguments) -> Self {
        let text = |name: &str| arguments.text_or_empty(name).to_owned();
        let path = |name: &str| {
            let path = text(name);
            match path.trim_end_matches('/') {
                "" => path,
                trimmed => trimmed.to_owned(),
            }
        };
        let account = Account {
            name: text("account"),
            alias: text("alias"),
            oracle_home: path("oracle_home"),
            tns_admin: path("tns_admin"),
            run_as: text("run_as"),
        };
        let seconds = arguments.integer("timeout").unwrap_or(60).max(1);
        Self {
            account,
            expects: match arguments.text_or_empty("expects") {
                "no_session" => Expects::NoSession,
                _ => Expects::Session,
            },
            ledger: path("ledger"),
            key: text("key"),
            again: arguments.flag("again"),
            timeout_ms: u64::try_from(seconds).unwrap_or(60).saturating_mul(1000),
        }
    }

    /// What can be said without an attempt.
    fn known_before(&self, findings: &Findings, password: &str) -> Option<Judgement> {
        if let Err(reason) = passable(password) {
            return Some(Judgement::of(
                Verdict::NotChecked,
                "password_not_passable",
                reason.to_string(),
                "check it by hand, or give the account another password",
            ));
        }
        let fingerprint = self.account.fingerprint(password);
        match remembered(&findings.ledger, &fingerprint) {
            Remembered::Refused if !self.again => {
                return Some(Judgement::of(
                    Verdict::Mismatch,
                    "remembered_failure",
                    "the database refused this very value in an earlier run; it was not tried again",
                    "correct the value, or set `again` if the database has changed",
                ));
            }
            Remembered::Unfinished if !self.again => {
                return Some(Judgement::of(
                    Verdict::Indeterminate,
                    "remembered_unfinished",
                    "two earlier attempts with this value were broken off; it was not tried again",
                    "they may have counted against the account; set `again` to try once more",
                ));
            }
            _ => {}
        }
        if !findings.has_client {
            let reason = format!("there is no SQL*Plus in {}/bin", self.account.oracle_home);
            return Some(Judgement::of(
                Verdict::Indeterminate,
                "no_client",
                reason,
                "check truth.orahome",
            ));
        }
        None
    }

    fn conclude(&self, output: &CommandOutput) -> Judgement {
        if output.stdout.contains("SASRUN-NO-LEDGER") {
            return Judgement::of(
                Verdict::NotChecked,
                "ledger_not_writable",
                format!("{} cannot be written, so nothing was tried", self.ledger),
                "make room for it: an attempt must be on record before it is made",
            );
        }
        let text = format!("{}\n{}", output.stdout, output.stderr);
        let judgement = judge(&text, self.expects);
        if output.timed_out && judgement.finding == "unknown_output" {
            let reason = format!(
                "SQL*Plus gave no answer within {} s",
                self.timeout_ms / 1000
            );
            return Judgement {
                unreachable: true,
                ..Judgement::of(
                    Verdict::Indeterminate,
                    "no_answer",
                    reason,
                    "make the database reachable, then check again",
                )
            };
        }
        judgement
    }

    fn outcome(&self, judgement: &Judgement, attempted: bool) -> Outcome {
        let account = &self.account;
        let mut outcome = Outcome::unchanged()
            .with("verdict", judgement.verdict.as_str())
            .with("finding", judgement.finding)
            .with("code", judgement.code)
            .with("reason", judgement.reason.as_str())
            .with("advice", judgement.advice)
            .with("account", account.name.as_str())
            .with("alias", account.alias.as_str())
            .with("attempted", attempted);
        if !judgement.finding.is_empty() {
            let id = match self.key.as_str() {
                "" => format!("oracle_login {}@{}", account.name, account.alias),
                key => format!("RESP-{key}"),
            };
            let sentence = format!("{}: {}", account.name, judgement.reason);
            outcome.effects.push(Effect::Finding { id, sentence });
        }
        outcome
    }
}
