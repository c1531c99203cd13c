//! `opsware_service`: the services of one server — seen, started, stopped.
//!
//! Trusts status, process and port together; knows only the names that the host itself lists; never
//! touches Oracle.

mod observation;
mod signature;
mod spec;

use std::time::{Duration, Instant};

use sasrun_plugin::{
    Arguments, Call, Command, CommandOutput, Declaration, Diff, Failure, Host, Module,
    ModuleResult, Object, Outcome,
};
use serde_json::Value;

use observation::{SCRIPT, Service, Standing};

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec::spec(), run)
}

/// The state that services shall be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Started,
    Stopped,
}

/// One task, read from its arguments.
struct Order {
    names: Vec<String>,
    except: Vec<String>,
    unless_only: Vec<String>,
    limit: Duration,
    interval_ms: u64,
    address: String,
    ports: Object,
    in_check: Option<String>,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = |name: &str, usual: f64| {
        arguments
            .number(name)
            .unwrap_or(usual)
            .clamp(0.0, 1_000_000.0)
    };
    let about = arguments.text("about").unwrap_or(&call.host).to_owned();
    let address = call.variables.get("ansible_host").and_then(Value::as_str);
    let order = Order {
        names: arguments.strings("name"),
        except: arguments.strings("except"),
        unless_only: arguments.strings("unless_only"),
        limit: Duration::from_secs_f64(seconds("limit", 600.0)),
        interval_ms: (seconds("interval", 1.0) * 1000.0) as u64,
        address: arguments
            .text("address")
            .or(address)
            .unwrap_or(&call.host)
            .to_owned(),
        ports: arguments.dictionary("ports").cloned().unwrap_or_default(),
        in_check: arguments
            .text("in_check")
            .filter(|_| call.check_mode)
            .map(str::to_owned),
    };
    let seen = order.look(&host).await?;
    let chosen = order.choose(&seen)?;
    let outcome = match arguments.text_or_empty("state") {
        "started" => order.start(&host, &seen, &chosen).await?,
        "stopped" => order.stop(&host, &seen, &chosen).await?,
        "restarted" => order.restart(&host, &seen, &chosen).await?,
        _ => order.tell(&seen, &chosen, arguments.text("expect"))?,
    };
    Ok(outcome.with("host", about))
}

impl Order {
    async fn look(&self, host: &Host) -> Result<Vec<Service>, Failure> {
        let output = host.read_script(observation::script()).await?;
        let seen = observation::read(&output.stdout, &self.address, &self.ports);
        if seen.is_empty() {
            return Err(
                Failure::new(format!("{SCRIPT} lists no component on this host"))
                    .with("stdout", output.stdout)
                    .with("stderr", output.stderr),
            );
        }
        Ok(seen)
    }

    /// Names of the services that the task is about, as the host spells them.
    fn choose(&self, seen: &[Service]) -> Result<Vec<String>, Failure> {
        let mut chosen = Vec::new();
        for name in &self.names {
            let Some(known) = resolve(name, seen) else {
                let listed: Vec<&str> = seen.iter().map(|service| service.name.as_str()).collect();
                return Err(Failure::new(format!(
                    "this host knows no component `{name}`; it lists: {}",
                    listed.join(", ")
                )));
            };
            chosen.push(known.to_owned());
        }
        if self.names.is_empty() {
            chosen = seen.iter().map(|service| service.name.clone()).collect();
        }
        let excepted: Vec<&str> = self
            .except
            .iter()
            .filter_map(|name| resolve(name, seen))
            .collect();
        chosen.retain(|name| !excepted.contains(&name.as_str()) && !is_database(name));
        Ok(chosen)
    }

    /// Tells what runs; fails if it is not what is expected.
    fn tell(&self, seen: &[Service], chosen: &[String], expect: Option<&str>) -> ModuleResult {
        let standing = match expect {
            Some("started") => Standing::Running,
            Some("stopped") => Standing::Stopped,
            _ => return Ok(report(Outcome::unchanged(), seen)),
        };
        let wrong: Vec<&Service> = picked(seen, chosen)
            .filter(|service| service.standing != standing)
            .collect();
        if wrong.is_empty() {
            return Ok(report(Outcome::unchanged(), seen));
        }
        let verb = if standing == Standing::Running {
            "up"
        } else {
            "down"
        };
        let outcome = report(Outcome::unchanged(), seen);
        Err(Failure {
            result: outcome.result,
            warnings: outcome.warnings,
            ..Failure::new(format!("not {verb}: {}", complaints(&wrong)))
        })
    }

    async fn stop(&self, host: &Host, seen: &[Service], chosen: &[String]) -> ModuleResult {
        if self.in_check.as_deref() == Some("unknown") {
            host.cannot_know("what runs here then depends on what the installer starts")
                .await?;
        }
        let assumed_stopped = self.in_check.as_deref() == Some("stopped");
        let spared: Vec<&str> = self
            .unless_only
            .iter()
            .filter_map(|name| resolve(name, seen))
            .collect();
        let alive: Vec<&str> = picked(seen, chosen)
            .filter(|service| {
                service.standing != Standing::Stopped && !spared.contains(&service.name.as_str())
            })
            .map(|service| service.name.as_str())
            .collect();
        if alive.is_empty() || assumed_stopped {
            return Ok(report(Outcome::unchanged(), seen));
        }
        declare(host, "stop", &alive, "running", "stopped").await?;
        // The bare command is what the guide prints; it is used when nothing is left out.
        let is_bare = self.names.is_empty()
            && self.except.is_empty()
            && !seen.iter().any(|s| is_database(&s.name));
        let names = if is_bare { Vec::new() } else { chosen.to_vec() };
        let output = self.call(host, "stop", &names).await?;
        let after = self.wait(host, chosen, Wanted::Stopped, &output).await?;
        Ok(report(
            Outcome::changed().with("stopped", words(&alive)),
            &after,
        ))
    }

    async fn start(&self, host: &Host, seen: &[Service], chosen: &[String]) -> ModuleResult {
        match self.in_check.as_deref() {
            Some("unknown") => {
                host.cannot_know("what runs here then depends on what the installer starts")
                    .await?
            }
            Some("stopped") => {
                let all: Vec<&str> = chosen.iter().map(String::as_str).collect();
                declare(host, "start", &all, "stopped", "running").await?;
            }
            Some("started") => return Ok(report(Outcome::unchanged(), seen)),
            _ => {}
        }
        let idle: Vec<&str> = picked(seen, chosen)
            .filter(|service| service.standing != Standing::Running)
            .map(|service| service.name.as_str())
            .collect();
        if idle.is_empty() {
            return Ok(report(Outcome::unchanged(), seen));
        }
        declare(host, "start", &idle, "stopped", "running").await?;
        let names: Vec<String> = idle.iter().map(|name| (*name).to_owned()).collect();
        let output = self.call(host, "start", &names).await?;
        let after = self.wait(host, chosen, Wanted::Started, &output).await?;
        Ok(report(
            Outcome::changed().with("started", words(&idle)),
            &after,
        ))
    }

    async fn restart(&self, host: &Host, seen: &[Service], chosen: &[String]) -> ModuleResult {
        let all: Vec<&str> = chosen.iter().map(String::as_str).collect();
        let is_bare = self.names.is_empty()
            && self.except.is_empty()
            && !seen.iter().any(|s| is_database(&s.name));
        declare(host, "restart", &all, "running", "running, started anew").await?;
        let names = if is_bare { Vec::new() } else { chosen.to_vec() };
        let output = self.call(host, "restart", &names).await?;
        let after = self.wait(host, chosen, Wanted::Started, &output).await?;
        Ok(report(
            Outcome::changed().with("started", words(&all)),
            &after,
        ))
    }

    /// Calls the script; a bare call acts on all.
    async fn call(
        &self,
        host: &Host,
        verb: &str,
        names: &[String],
    ) -> Result<CommandOutput, Failure> {
        let words: Vec<String> = names.iter().map(|name| Host::quote(name)).collect();
        let script = format!("{SCRIPT} {verb} {} </dev/null", words.join(" "));
        let limit_ms = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
        let command = Command {
            script,
            timeout_ms: Some(limit_ms.max(1000)),
            ..Command::default()
        };
        host.progress(format!("opsware-sas {verb} {}", names.join(" ")))
            .await?;
        host.run(command).await
    }

    /// Waits until the services stand as wanted, by process and port.
    async fn wait(
        &self,
        host: &Host,
        chosen: &[String],
        wanted: Wanted,
        output: &CommandOutput,
    ) -> Result<Vec<Service>, Failure> {
        let standing = match wanted {
            Wanted::Started => Standing::Running,
            Wanted::Stopped => Standing::Stopped,
        };
        let begun = Instant::now();
        loop {
            let seen = self.look(host).await?;
            let left: Vec<&Service> = picked(&seen, chosen)
                .filter(|service| service.standing != standing)
                .collect();
            if left.is_empty() {
                return Ok(seen);
            }
            // A refusal of the script with nothing left to hope for ends the wait early.
            let is_hopeless = wanted == Wanted::Started
                && !output.succeeded()
                && left
                    .iter()
                    .all(|service| service.standing == Standing::Stopped);
            if begun.elapsed() >= self.limit || is_hopeless {
                let verb = if wanted == Wanted::Started {
                    "come up"
                } else {
                    "stop"
                };
                return Err(Failure::new(format!(
                    "did not {verb} within {} s: {}",
                    begun.elapsed().as_secs(),
                    complaints(&left)
                ))
                .with("stdout", output.stdout.clone())
                .with("stderr", output.stderr.clone())
                .with("rc", output.rc)
                .with("services", services(&seen)));
            }
            host.sleep(self.interval_ms.max(50)).await?;
        }
    }
}

/// Says before the first change which services are concerned.
async fn declare(
    host: &Host,
    verb: &str,
    names: &[&str],
    before: &str,
    after: &str,
) -> Result<(), Failure> {
    let lines = |state: &str| {
        names
            .iter()
            .map(|name| format!("{name}: {state}\n"))
            .collect::<String>()
    };
    let mut result = Object::new();
    result.insert("services_changed".into(), words(names));
    host.declare(Declaration {
        summary: format!("{verb} {}", names.join(", ")),
        diff: vec![Diff::text("services", lines(before), lines(after))],
        result,
    })
    .await
}

/// Finds a service by a name that people use: gateways without the facility's suffix, and the
/// vault's transport under either spelling.
fn resolve<'a>(name: &str, seen: &'a [Service]) -> Option<&'a str> {
    let listed = |wanted: &str| {
        seen.iter()
            .map(|service| service.name.as_str())
            .find(|known| *known == wanted)
    };
    if let Some(known) = listed(name) {
        return Some(known);
    }
    match name {
        "rvrdscript" => listed("rvrdscrip"),
        "rvrdscrip" => listed("rvrdscript"),
        gateway if gateway.starts_with("opswgw-") => {
            let prefix = format!("{gateway}-");
            let mut fitting = seen
                .iter()
                .map(|service| service.name.as_str())
                .filter(|known| known.starts_with(&prefix));
            fitting.next().filter(|_| fitting.next().is_none())
        }
        _ => None,
    }
}

/// The database is no business of this module, even if a site's script should list it.
fn is_database(name: &str) -> bool {
    name.to_ascii_lowercase().contains("oracle")
}

fn picked<'a>(seen: &'a [Service], chosen: &'a [String]) -> impl Iterator<Item = &'a Service> {
    seen.iter().filter(|service| chosen.contains(&service.name))
}

fn complaints(services: &[&Service]) -> String {
    services
        .iter()
        .map(|service| format!("{} ({})", service.name, service.evidence()))
        .collect::<Vec<_>>()
        .join("; ")
}

fn words(names: &[&str]) -> Value {
    names.iter().map(|name| Value::from(*name)).collect()
}

fn services(seen: &[Service]) -> Value {
    Value::Object(
        seen.iter()
            .map(|service| (service.name.clone(), service.shown()))
            .collect(),
    )
}

/// Adds what was seen to an outcome.
fn report(mut outcome: Outcome, seen: &[Service]) -> Outcome {
    let running: Vec<&str> = seen
        .iter()
        .filter(|s| s.standing != Standing::Stopped)
        .map(|s| s.name.as_str())
        .collect();
    let contradictions: Vec<String> = seen.iter().filter_map(Service::contradiction).collect();
    outcome.warnings.extend(contradictions.iter().cloned());
    outcome
        .with("services", services(seen))
        .with("running", words(&running))
        .with(
            "contradictions",
            contradictions
                .into_iter()
                .map(Value::from)
                .collect::<Value>(),
        )
}
