//! `/etc/init.d/opsware-sas`: lists, shows, starts and stops the components of this server, never of another.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::catalog::{self, Installed};
use super::control::{self, By};
use super::process;
use crate::standin::fault::StatusSays;
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, say};

const USAGE: &str =
    "usage: opsware-sas list | { status | start | startsync | stop | restart } [component ...]";

/// Carries out one call of the script.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    let Some((verb, names)) = args.split_first() else {
        complain(USAGE);
        return ExitCode::from(1);
    };
    let verb = verb.as_str();
    if !["list", "status", "start", "startsync", "stop", "restart"].contains(&verb) {
        complain(&format!("opsware-sas: unknown option \"{verb}\"\n{USAGE}"));
        site::log_read("opsware-sas.refused", json!({"argv": args}));
        return ExitCode::from(1);
    }
    let installed = catalog::installed(&site.host, site.faults().transport);
    let Some(chosen) = choose(&installed, names) else {
        site::log_read("opsware-sas.refused", json!({"argv": args}));
        return ExitCode::from(1);
    };
    if matches!(verb, "list" | "status") {
        return look(site, verb, args, &chosen);
    }
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        complain("opsware-sas: must be run as root");
        return ExitCode::from(1);
    }
    change(site, verb, args, &chosen)
}

/// The services that a call names, in start order; none when one of the names is unknown.
fn choose<'a>(installed: &'a [Installed], names: &[String]) -> Option<Vec<&'a Installed>> {
    let mut wanted = Vec::new();
    for name in names {
        let Some(one) = catalog::resolve(installed, name) else {
            complain(&format!("opsware-sas: unknown component \"{name}\""));
            return None;
        };
        wanted.push(one.name.as_str());
    }
    Some(
        installed
            .iter()
            .filter(|one| names.is_empty() || wanted.contains(&one.name.as_str()))
            .collect(),
    )
}

fn look(site: &Site, verb: &str, args: &[String], chosen: &[&Installed]) -> ExitCode {
    site::log_read(&format!("opsware-sas.{verb}"), json!({"argv": args}));
    if verb == "list" {
        chosen.iter().for_each(|one| say(&one.name));
        return ExitCode::SUCCESS;
    }
    let mut is_good = true;
    for one in chosen {
        let running = match site.service_faults(&one.name).status_says {
            Some(says) => says == StatusSays::Running,
            None if rustix::process::geteuid().is_root() => !process::find(&one.name).is_empty(),
            // Who may not look into other users' processes asks the lock instead.
            None => process::is_alive(site, &site.host.name, &one.name),
        };
        is_good &= running;
        let result = if running {
            "SUCCESS"
        } else {
            "FAILURE (process not running)"
        };
        say(&format!("Verify \"{}\" running: {result}", one.name));
    }
    ExitCode::from(u8::from(!is_good))
}

fn change(site: &Site, verb: &str, args: &[String], chosen: &[&Installed]) -> ExitCode {
    let before: Vec<&str> = chosen.iter().map(|one| one.name.as_str()).collect();
    let mut log = Record {
        changed: Vec::new(),
        is_good: true,
    };
    site::log_effect(
        &format!("opsware-sas.{verb}"),
        json!({"argv": args, "services": before, "stage": "begin"}),
    );
    if matches!(verb, "stop" | "restart") {
        for one in chosen.iter().rev() {
            log.note("Stop", one, control::stop(site, one, By::Script));
        }
    }
    if verb != "stop" && (verb != "restart" || log.is_good) {
        for one in chosen {
            log.note("Start", one, control::start(site, one, By::Script));
        }
    }
    if matches!(verb, "startsync" | "restart") && log.is_good {
        for one in chosen {
            if let Err(error) = control::await_ports(site, one) {
                log.note::<control::StartError>("Start", one, Err(error));
            }
        }
    }
    let status = u8::from(!log.is_good);
    let details = json!({
        "argv": args, "services": before, "stage": "end", "changed": log.changed, "status": status,
    });
    site::log_effect(&format!("opsware-sas.{verb}"), details);
    ExitCode::from(status)
}

/// What a call did so far.
struct Record {
    changed: Vec<Value>,
    is_good: bool,
}

impl Record {
    fn note<E: std::fmt::Display>(&mut self, verb: &str, one: &Installed, result: Result<bool, E>) {
        match result {
            Ok(changed) => {
                if changed {
                    self.changed.push(json!(one.name));
                }
                say(&format!("{verb} \"{}\": SUCCESS", one.name));
            }
            Err(error) => {
                self.is_good = false;
                say(&format!("{verb} \"{}\": FAILURE ({error})", one.name));
            }
        }
    }
}
