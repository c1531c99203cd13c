//! `wait_for`: waits until a port or a file is as wanted, seen from the host.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Command, CommandOutput, Failure, FileKind, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::answers::{Answers, bytes_of, look, whole};
use crate::attributes::state as state_of;
use crate::describe::{core, example, integer, path, returns, set, text, texts};
use crate::paths;
use crate::python_regex::{Flags, PythonRegex};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        mutually_exclusive: vec![set(&["port", "path"])],
        returns: returns(&[
            ("elapsed", "int", "How long it took, in seconds."),
            ("state", "str", "What was waited for."),
            ("port", "int", "The port."),
            ("path", "path", "The file."),
            (
                "match_groups",
                "list",
                "What the groups of `search_regex` matched.",
            ),
            (
                "match_groupdict",
                "dict",
                "The same, for groups with names.",
            ),
        ]),
        examples: vec![
            example(
                "Wait for a port",
                "ansible.builtin.wait_for:\n  port: 8000\n  delay: 10",
            ),
            example(
                "Wait for a line in a log",
                "ansible.builtin.wait_for:\n  path: /var/log/app.log\n  search_regex: ready",
            ),
        ],
        ..core(
            "wait_for",
            "Waits until a port or a file is as wanted.",
            vec![
                text("host", "Name or address of the port.").defaults_to("127.0.0.1"),
                integer("timeout", "How long to wait, in seconds.").defaults_to(300),
                integer("connect_timeout", "How long one try may take, in seconds.").defaults_to(5),
                integer(
                    "delay",
                    "How long to wait before the first look, in seconds.",
                )
                .defaults_to(0),
                integer("port", "The port."),
                texts(
                    "active_connection_states",
                    "States of connections that still count.",
                )
                .defaults_to(json!([
                    "ESTABLISHED",
                    "FIN_WAIT1",
                    "FIN_WAIT2",
                    "SYN_RECV",
                    "SYN_SENT",
                    "TIME_WAIT"
                ])),
                path("path", "The file."),
                text("search_regex", "Pattern that the file must hold."),
                text("state", "What to wait for.")
                    .choices(&["absent", "drained", "present", "started", "stopped"])
                    .defaults_to("started"),
                texts(
                    "exclude_hosts",
                    "Far ends of connections that do not count.",
                ),
                integer("sleep", "How long to wait between looks, in seconds.").defaults_to(1),
                text("msg", "Message if the time is over."),
            ],
        )
    }
}

/// What is waited for.
enum Aim {
    /// Nothing but time.
    Time,
    Port {
        is_open: bool,
    },
    Drained,
    File {
        exists: bool,
    },
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = |name: &str| u64::try_from(arguments.integer(name).unwrap_or(0)).unwrap_or(0);
    let state = arguments.text_or_empty("state");
    let exists = matches!(state, "started" | "present");
    let aim = match (arguments.has("port"), arguments.has("path"), state) {
        (true, _, "drained") => Aim::Drained,
        (true, ..) => Aim::Port { is_open: exists },
        (_, true, "drained") => {
            return Err(Failure::new(
                "state=drained should only be used for checking a port",
            ));
        }
        (_, true, _) => Aim::File { exists },
        _ => Aim::Time,
    };
    if arguments.has("search_regex") && matches!(aim, Aim::Time | Aim::Drained) {
        return Err(Failure::new("search_regex needs a path"));
    }
    host.sleep_if(seconds("delay")).await?;
    let limit = seconds("timeout").saturating_mul(1000);
    let mut spent = seconds("delay").saturating_mul(1000);
    if matches!(aim, Aim::Time) {
        host.sleep(limit).await?;
        let elapsed = spent.saturating_add(limit);
        return Ok(outcome(&arguments, elapsed, Object::new()));
    }
    loop {
        let look = aim.look(&arguments, &host).await?;
        spent = spent.saturating_add(look.elapsed_ms);
        if let Some(found) = look.reached {
            return Ok(outcome(&arguments, spent, found));
        }
        if spent >= limit {
            return Err(timed_out(&arguments, &aim, spent));
        }
        let pause = seconds("sleep")
            .max(1)
            .saturating_mul(1000)
            .min(limit - spent)
            .max(1);
        host.sleep(pause).await?;
        spent = spent.saturating_add(pause);
    }
}

trait SleepIf {
    async fn sleep_if(&self, seconds: u64) -> Result<(), Failure>;
}

impl SleepIf for Host {
    /// Lets time pass, if any is wanted.
    async fn sleep_if(&self, seconds: u64) -> Result<(), Failure> {
        if seconds == 0 {
            return Ok(());
        }
        self.sleep(seconds.saturating_mul(1000)).await
    }
}

/// What one look came to.
struct Look {
    /// Result fields about what was found, once it is as wanted.
    reached: Option<Object>,
    elapsed_ms: u64,
}

impl Aim {
    async fn look(&self, arguments: &Arguments, host: &Host) -> Result<Look, Failure> {
        match self {
            Aim::Time => Ok(Look {
                reached: Some(Object::new()),
                elapsed_ms: 0,
            }),
            Aim::Port { is_open } => {
                let output = probe(arguments, host).await?;
                let answer = output.stdout.trim();
                if answer == "no tool" {
                    return Err(Failure::new(
                        "no program of the host can tell whether a port is open (perl, bash, nc \
                         or curl)",
                    ));
                }
                Ok(Look {
                    reached: ((answer == "open") == *is_open).then(Object::new),
                    elapsed_ms: output.elapsed_ms,
                })
            }
            Aim::Drained => {
                let output = host.read_script(CONNECTIONS).await?;
                let busy = active(arguments, &output.stdout);
                Ok(Look {
                    reached: (!busy).then(Object::new),
                    elapsed_ms: output.elapsed_ms,
                })
            }
            Aim::File { exists } => look_at_file(arguments, host, *exists).await,
        }
    }
}

/// Lists TCP connections; the last two columns but one are the ends, as everywhere.
const CONNECTIONS: &str = "netstat -an 2>/dev/null || ss -tan 2>/dev/null";

async fn probe(arguments: &Arguments, host: &Host) -> Result<CommandOutput, Failure> {
    let name = Host::quote(arguments.text_or_empty("host"));
    let port = arguments.integer("port").unwrap_or(0);
    let wait = arguments.integer("connect_timeout").unwrap_or(5).max(1);
    // Each program is used only if it is there; all of them try to connect and hang up at once.
    let script = format!(
        "h={name}; p={port}; w={wait}\n\
         if perl -e 'use IO::Socket' >/dev/null 2>&1; then\n\
         perl -e 'use IO::Socket; exit(IO::Socket::INET->new(PeerAddr=>$ARGV[0],PeerPort=>$ARGV[1],\
         Proto=>\"tcp\",Timeout=>$ARGV[2])?0:1)' \"$h\" $p $w\n\
         elif bash -c : >/dev/null 2>&1 && timeout 1 true >/dev/null 2>&1; then\n\
         timeout $w bash -c 'exec 3<>/dev/tcp/$0/$1' \"$h\" $p 2>/dev/null\n\
         elif nc -h >/dev/null 2>&1 || [ -x /bin/nc ] || [ -x /usr/bin/nc ]; then\n\
         nc -w $w \"$h\" $p </dev/null >/dev/null 2>&1\n\
         elif curl -V >/dev/null 2>&1; then\n\
         curl -s -m $w \"telnet://$h:$p\" </dev/null >/dev/null 2>&1\n\
         [ $? -ne 7 ]\n\
         else echo 'no tool'; exit 0; fi\n\
         if [ $? -eq 0 ]; then echo open; else echo closed; fi"
    );
    host.read_command(Command {
        script,
        timeout_ms: Some(u64::try_from(wait).unwrap_or(5).saturating_mul(1000) + 5_000),
        ..Command::default()
    })
    .await
}

/// Tells whether any connection of the port is in a state that counts.
fn active(arguments: &Arguments, listing: &str) -> bool {
    let port = arguments.integer("port").unwrap_or(0).to_string();
    let states = arguments.strings("active_connection_states");
    let excluded = arguments.strings("exclude_hosts");
    let same = |word: &str| word.replace(['_', '-'], "").to_uppercase();
    listing.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let counts = words.iter().any(|word| {
            states.iter().any(|state| {
                same(state) == same(word)
                    || same(word) == same(&state.replace("ESTABLISHED", "ESTAB"))
            })
        });
        let ends: Vec<(&str, &str)> = words
            .iter()
            .filter_map(|word| word.rsplit_once([':', '.']))
            .filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()) && !port.is_empty())
            .collect();
        let is_ours = ends.first().is_some_and(|(_, local)| *local == port);
        let is_excluded = ends.get(1).is_some_and(|(far, _)| {
            excluded
                .iter()
                .any(|host| far.trim_matches(['[', ']']) == host)
        });
        counts && is_ours && !is_excluded
    })
}

async fn look_at_file(arguments: &Arguments, host: &Host, exists: bool) -> Result<Look, Failure> {
    let path = paths::expand(host, arguments.text_or_empty("path")).await?;
    let mut reads = vec![look(&path, true)];
    let search = arguments.text("search_regex").filter(|_| exists);
    if search.is_some() {
        reads.push(whole(&path));
    }
    let mut answers = Answers::of(host, reads).await?;
    let status = answers.status()?;
    let reached = match search {
        _ if !exists => (!status.exists()).then(Object::new),
        None => status.exists().then(Object::new),
        Some(_) if !matches!(status.kind, FileKind::File) => None,
        Some(pattern) => {
            let bytes = bytes_of(&answers.file()?)?;
            found(pattern, &String::from_utf8_lossy(&bytes))?
        }
    };
    Ok(Look {
        reached: reached.map(|mut found| {
            if status.exists() {
                found.insert("state".into(), state_of(&status).into());
            }
            found
        }),
        elapsed_ms: 0,
    })
}

fn found(pattern: &str, text: &str) -> Result<Option<Object>, Failure> {
    let flags = Flags {
        multi_line: true,
        ..Flags::default()
    };
    let tell = |error: crate::python_regex::RegexError| Failure::new(error.to_string());
    let regex = PythonRegex::new(pattern, flags).map_err(tell)?;
    let Some(captures) = regex.captures(text).map_err(tell)? else {
        return Ok(None);
    };
    let groups: Vec<Value> = (1..captures.len())
        .map(|number| {
            captures
                .get(number)
                .map_or(Value::Null, |group| group.as_str().into())
        })
        .collect();
    let mut fields = Object::new();
    fields.insert("match_groups".into(), groups.into());
    fields.insert(
        "match_groupdict".into(),
        Value::Object(regex.named(&captures)),
    );
    Ok(Some(fields))
}

fn outcome(arguments: &Arguments, spent_ms: u64, found: Object) -> Outcome {
    let mut outcome = Outcome::unchanged()
        .with("elapsed", spent_ms / 1000)
        .with("state", arguments.text_or_empty("state"))
        .with(
            "port",
            arguments.value("port").cloned().unwrap_or(Value::Null),
        )
        .with(
            "path",
            arguments.value("path").cloned().unwrap_or(Value::Null),
        )
        .with(
            "search_regex",
            arguments
                .value("search_regex")
                .cloned()
                .unwrap_or(Value::Null),
        )
        .with("match_groups", Vec::<Value>::new())
        .with("match_groupdict", Object::new());
    outcome.result.extend(found);
    outcome
}

fn timed_out(arguments: &Arguments, aim: &Aim, spent_ms: u64) -> Failure {
    let host = arguments.text_or_empty("host");
    let port = arguments.integer("port").unwrap_or(0);
    let path = arguments.text_or_empty("path");
    let msg = match (arguments.text("msg"), aim) {
        (Some(msg), _) => msg.to_owned(),
        (_, Aim::Port { is_open: true }) => format!("Timeout when waiting for {host}:{port}"),
        (_, Aim::Port { is_open: false }) => {
            format!("Timeout when waiting for {host}:{port} to stop.")
        }
        (_, Aim::Drained) => format!("Timeout when waiting for {host}:{port} to drain"),
        (_, Aim::File { exists: false }) => {
            format!("Timeout when waiting for {path} to be absent.")
        }
        (_, Aim::File { .. }) => match arguments.text("search_regex") {
            Some(pattern) => format!("Timeout when waiting for search string {pattern} in {path}"),
            None => format!("Timeout when waiting for file {path}"),
        },
        (_, Aim::Time) => "Timeout".to_owned(),
    };
    Failure::new(msg).with("elapsed", spent_ms / 1000)
}
