//! `gateway_connected`: waits until gateways are directly connected, by the status page.

use sasrun_plugin::{Arguments, Call, Command, Failure, Host, ModuleResult, Outcome};
use serde_json::Value;

use crate::page::{self, Row};

/// Carries out the module.
pub(crate) async fn connected(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let task = Task::new(&arguments);
    let mut left_ms = if call.check_mode { 0 } else { task.limit_ms };
    let mut looks = 0_u32;
    loop {
        let page = task.fetch(&host).await?;
        looks += 1;
        let seen = Seen::new(page, &task);
        if seen.is_right() {
            return Ok(seen.outcome(looks));
        }
        if call.check_mode {
            host.cannot_know(format!(
                "{}; an earlier task may change that",
                seen.sentence()
            ))
            .await?;
        }
        if left_ms == 0 {
            let (limit, sentence) = (task.limit_ms / 1000, seen.sentence());
            return Err(Failure {
                result: seen.outcome(looks).result,
                ..Failure::new(format!("{}: {sentence} after {limit} s", task.url))
            });
        }
        host.progress(seen.sentence()).await?;
        let pause_ms = task.interval_ms.min(left_ms);
        host.sleep(pause_ms).await?;
        left_ms -= pause_ms;
    }
}

/// The task: its arguments in types.
struct Task {
    nodes: Vec<String>,
    absent: Vec<String>,
    url: String,
    script: String,
    timeout_ms: u64,
    limit_ms: u64,
    interval_ms: u64,
}

impl Task {
    fn new(arguments: &Arguments) -> Self {
        let seconds = |name: &str| u64::try_from(arguments.integer(name).unwrap_or(0)).unwrap_or(0);
        let quoted = |name: &str| Host::quote(arguments.text_or_empty(name));
        let timeout = seconds("timeout").max(1);
        let script = format!(
            "c={client}; [ -x \"$c\" ] || c=curl\n\
             e={certificate}\n\
             if [ -n \"$e\" ] && [ -r \"$e\" ]; then\n\
             \"$c\" -s -S -k -E \"$e\" -m {timeout} -w '\\n%{{http_code}}' {url}\n\
             else\n\
             \"$c\" -s -S -k -m {timeout} -w '\\n%{{http_code}}' {url}\n\
             fi\n",
            client = quoted("client"),
            certificate = quoted("certificate"),
            url = quoted("url"),
        );
        Self {
            nodes: arguments.strings("nodes"),
            absent: arguments.strings("absent"),
            url: arguments.text_or_empty("url").to_owned(),
            script,
            // The client has its own limit; this one is for a client that hangs.
            timeout_ms: (timeout + 5) * 1000,
            limit_ms: seconds("limit") * 1000,
            interval_ms: seconds("interval").max(1) * 1000,
        }
    }

    /// Fetches the page on the host: its own client knows the old ciphers that the page may need.
    async fn fetch(&self, host: &Host) -> Result<Result<Vec<Row>, String>, Failure> {
        let output = host
            .read_command(Command {
                script: self.script.clone(),
                timeout_ms: Some(self.timeout_ms),
                ..Command::default()
            })
            .await?;
        if output.timed_out {
            return Ok(Err("the status page did not come".into()));
        }
        if !output.succeeded() {
            let said = output.stderr.trim();
            return Ok(Err(format!("the status page cannot be fetched: {said}")));
        }
        let (page, code) = output
            .stdout
            .trim_end()
            .rsplit_once('\n')
            .unwrap_or(("", ""));
        if code != "200" {
            return Ok(Err(format!("the status page answers {code}")));
        }
        Ok(page::connected(page).map_err(|error| error.to_string()))
    }
}

/// What one look showed, against what was wanted.
struct Seen {
    table: Vec<Row>,
    connected: Vec<String>,
    missing: Vec<String>,
    unwanted: Vec<String>,
    /// Why there is no table.
    reason: String,
}

impl Seen {
    fn new(page: Result<Vec<Row>, String>, task: &Task) -> Self {
        let (table, reason) = match page {
            Ok(table) => (table, String::new()),
            Err(reason) => (Vec::new(), reason),
        };
        let connected: Vec<String> = table
            .iter()
            .filter_map(page::name)
            .map(str::to_owned)
            .collect();
        let is_there =
            |node: &&String| connected.iter().any(|name| name.eq_ignore_ascii_case(node));
        Self {
            missing: task
                .nodes
                .iter()
                .filter(|node| !is_there(node))
                .cloned()
                .collect(),
            unwanted: task.absent.iter().filter(is_there).cloned().collect(),
            table,
            connected,
            reason,
        }
    }

    fn is_right(&self) -> bool {
        self.reason.is_empty() && self.missing.is_empty() && self.unwanted.is_empty()
    }

    fn sentence(&self) -> String {
        if !self.reason.is_empty() {
            return self.reason.clone();
        }
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("{} not connected", self.missing.join(", ")));
        }
        if !self.unwanted.is_empty() {
            parts.push(format!("{} still connected", self.unwanted.join(", ")));
        }
        parts.join("; ")
    }

    fn outcome(self, looks: u32) -> Outcome {
        let table: Vec<Value> = self.table.into_iter().map(Value::Object).collect();
        Outcome::unchanged()
            .with("connected", self.connected)
            .with("table", table)
            .with("missing", self.missing)
            .with("unwanted", self.unwanted)
            .with("looks", looks)
            .with("reason", self.reason)
    }
}
