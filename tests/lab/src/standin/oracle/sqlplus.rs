//! `sqlplus`: carries out the script on its standard input against the databases of the lab.

use std::io::BufRead;
use std::process::ExitCode;

use serde_json::json;

use super::account::{self, OraError};
use super::script::{self, Credentials, Step};
use crate::standin::response::parameters::{ORACLE_HOME, SERVICE_NAME};
use crate::standin::site::{self, Site};
use crate::standin::spin;
use crate::standin::terminal::{print, say};
use crate::world::Core;

/// Tries that SQL*Plus makes when it is not told to make one only.
const TRIES: usize = 3;

/// Runs the client.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    let home = std::env::var("ORACLE_HOME").unwrap_or_default();
    if home.trim_end_matches('/') != ORACLE_HOME {
        say("Error 6 initializing SQL*Plus");
        say("SP2-0667: Message file sp1<lang>.msb not found");
        say("SP2-0750: You may need to set ORACLE_HOME to your Oracle software directory");
        return ExitCode::from(1);
    }
    let mut session = Session::new(site, args);
    if args.iter().any(|arg| arg == "-V" || arg == "-v") {
        say("\nSQL*Plus: Release 10.2.0.3.0 - Production\n");
        return ExitCode::SUCCESS;
    }
    if !session.is_silent {
        say("\nSQL*Plus: Release 10.2.0.3.0 - Production on Fri Nov 30 14:05:11 2007\n");
        say("Copyright (c) 1982, 2006, Oracle.  All Rights Reserved.\n");
    }
    let logon = args.iter().find(|arg| !arg.starts_with('-'));
    let status = match logon.map(String::as_str) {
        Some(text) if !text.eq_ignore_ascii_case("/nolog") => session.log_on_first(text),
        _ => None,
    };
    ExitCode::from(status.unwrap_or_else(|| session.carry_out()))
}

/// A session of the client.
pub(super) struct Session<'a> {
    pub(super) site: &'a Site,
    pub(super) args: &'a [String],
    is_silent: bool,
    has_one_try: bool,
    input: Box<dyn BufRead>,
    /// The core whose database this is connected to.
    pub(super) connected: Option<&'a Core>,
    has_heading: bool,
    exits_on_error: Option<(bool, Option<u8>)>,
}

impl<'a> Session<'a> {
    fn new(site: &'a Site, args: &'a [String]) -> Self {
        let flag = |name: &str| args.iter().any(|arg| arg.eq_ignore_ascii_case(name));
        Self {
            site,
            args,
            is_silent: flag("-s"),
            has_one_try: flag("-l"),
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            connected: None,
            has_heading: true,
            exits_on_error: None,
        }
    }

    /// The next line of the input.
    pub(super) fn line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        match self.input.read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(
                String::from_utf8_lossy(&bytes)
                    .trim_end_matches(['\n', '\r'])
                    .to_owned(),
            ),
        }
    }

    /// The logon of the command line; a status when the client ends because of it.
    fn log_on_first(&mut self, text: &str) -> Option<u8> {
        let mut credentials = Credentials::parse(text);
        for attempt in 1.. {
            let error = match credentials.clone() {
                Some(known) => self
                    .connect(&known)
                    .err()
                    .map(|error| spelled(error, &known.user)),
                None => Some("SP2-0306: Invalid option.".to_owned()),
            };
            let error = error?;
            say(&format!("ERROR:\n{error}\n\n"));
            if self.has_one_try {
                say("SP2-0751: Unable to connect to Oracle.  Exiting SQL*Plus");
                return Some(1);
            }
            if attempt >= TRIES {
                break;
            }
            print("Enter user-name: ");
            let user = self.line().unwrap_or_default();
            print("Enter password: ");
            let password = self.line().unwrap_or_default();
            credentials = Some(Credentials {
                user: user.to_lowercase(),
                password,
                database: String::new(),
            });
        }
        say("SP2-0157: unable to CONNECT to ORACLE after 3 attempts, exiting SQL*Plus");
        Some(1)
    }

    fn carry_out(&mut self) -> u8 {
        while let Some(line) = self.line() {
            let step = script::step(&line, &mut || self.line());
            if let Some(status) = self.do_step(step) {
                return status;
            }
        }
        0
    }

    fn do_step(&mut self, step: Step) -> Option<u8> {
        match step {
            Step::Ignored => None,
            Step::Set(setting) => {
                self.set(&setting);
                None
            }
            Step::WheneverSqlError {
                exits_with_code,
                status,
            } => {
                self.exits_on_error = Some((exits_with_code, status));
                None
            }
            Step::Prompt(text) => {
                say(&text);
                None
            }
            Step::Exit(status) => Some(status.unwrap_or(0)),
            Step::BadConnect => {
                say("SP2-0306: Invalid option.");
                say("Usage: CONN[ECT] [logon] [AS {SYSDBA|SYSOPER}]");
                None
            }
            Step::Connect(credentials) => match self.connect(&credentials) {
                Ok(()) => {
                    if !self.is_silent {
                        say("Connected.");
                    }
                    None
                }
                // Of an expired password the prompt for a new one has spoken already.
                Err(error) if error == account::EXPIRED => self.fail(error),
                Err(error) => {
                    say(&format!("ERROR:\n{}\n", spelled(error, &credentials.user)));
                    self.fail(error)
                }
            },
            Step::Select(statement) => self.select(&statement),
            Step::NotUnderstood(statement) => self.refuse(&statement),
        }
    }

    fn set(&mut self, setting: &str) {
        let words: Vec<&str> = setting.split_whitespace().collect();
        for pair in words.windows(2) {
            match pair {
                ["heading" | "head" | "hea", value] => self.has_heading = *value == "on",
                ["pagesize" | "pages", "0"] => self.has_heading = false,
                _ => {}
            }
        }
    }

    fn fail(&self, error: OraError) -> Option<u8> {
        let (exits_with_code, status) = self.exits_on_error?;
        let by_code = u8::try_from(error.code % 256).unwrap_or(1);
        Some(if exits_with_code {
            by_code
        } else {
            status.unwrap_or(0)
        })
    }

    fn refuse(&mut self, statement: &str) -> Option<u8> {
        site::log_effect(
            "sqlplus.statement",
            json!({"statement": statement, "argv": self.args}),
        );
        self.error(account::BAD_STATEMENT)
    }

    fn error(&self, error: OraError) -> Option<u8> {
        if self.connected.is_none() {
            say("SP2-0640: Not connected");
            return None;
        }
        say(&format!("ERROR at line 1:\n{error}\n"));
        self.fail(error)
    }

    fn select(&mut self, statement: &str) -> Option<u8> {
        let Some(core) = self.connected else {
            say("SP2-0640: Not connected");
            return None;
        };
        let value = self.value(core, statement);
        let details =
            json!({"database": core.name, "statement": statement, "found": value.is_some()});
        site::log_read("sqlplus.query", details);
        let Some(value) = value else {
            return self.error(account::NO_TABLE);
        };
        if self.has_heading {
            let heading: String = statement
                .get(6..)
                .unwrap_or_default()
                .trim()
                .chars()
                .take(30)
                .collect();
            say(&format!(
                "\n{}\n{}\n{value}\n",
                heading.to_uppercase(),
                "-".repeat(heading.len().max(1))
            ));
        } else {
            say(&value);
        }
        None
    }

    fn value(&self, core: &Core, statement: &str) -> Option<String> {
        if let Some(text) = script::literal(statement) {
            return Some(text);
        }
        let lower = statement.to_lowercase();
        let staged = self
            .site
            .scenario
            .cores
            .get(&core.name)
            .cloned()
            .unwrap_or_default()
            .oracle;
        let table = |name: &str| lower.contains(name);
        if table("transaction_conflicts") {
            let here = Site {
                host: core.hosts.first()?.clone(),
                ..self.site.clone()
            };
            return (!staged.conflicts_unreadable)
                .then(|| spin::mesh::conflicts(&here).to_string());
        }
        if table("v$instance") {
            return Some(
                if lower.contains("instance_name") {
                    SERVICE_NAME
                } else {
                    "OPEN"
                }
                .to_owned(),
            );
        }
        let traffic = spin::mesh::now(self.site).ok()?;
        let road = traffic.roads.get(&core.name);
        if table("transaction_logs") {
            return Some(road.map_or(0, |road| road.received).to_string());
        }
        table("transactions").then(|| if core.source { traffic.pending() } else { 0 }.to_string())
    }
}

/// An error as it is printed to this user.
fn spelled(error: OraError, user: &str) -> String {
    let text = error
        .to_string()
        .replace("user lacks", &format!("user {} lacks", user.to_uppercase()));
    if error == account::NOT_AVAILABLE {
        return format!("{text}\nORA-27101: shared memory realm does not exist");
    }
    text
}
