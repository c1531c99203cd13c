//! `sqlplus`: carries out the script on its standard input against the databases of the lab.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::account::{self, OraError, Records};
use super::instance;
use super::names;
use super::script::{self, Credentials, Step};
use crate::standin::fault::Listener;
use crate::standin::response::parameters::{ORACLE_HOME, SERVICE_NAME, TNS_DIRECTORY};
use crate::standin::service::prerequisite;
use crate::standin::site::{self, Site};
use crate::standin::spin;
use crate::standin::terminal::{print, say};
use crate::world::{Component, Core};

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
struct Session<'a> {
    site: &'a Site,
    args: &'a [String],
    is_silent: bool,
    has_one_try: bool,
    input: Box<dyn BufRead>,
    /// The core whose database this is connected to.
    connected: Option<&'a Core>,
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

    fn line(&mut self) -> Option<String> {
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

    fn connect(&mut self, credentials: &Credentials) -> Result<(), OraError> {
        self.connected = None;
        let core = if credentials.user.is_empty() {
            self.connect_by_system()?
        } else {
            self.connect_by_password(credentials)?
        };
        self.connected = Some(core);
        Ok(())
    }

    /// The logon of the database's own user on the database's own server: it counts against no account.
    fn connect_by_system(&self) -> Result<&'a Core, OraError> {
        let user = std::env::var("USER")
            .or_else(|_| std::env::var("LOGNAME"))
            .unwrap_or_default();
        let is_oracle = user == "oracle" || whoami_is_oracle();
        let result = if !is_oracle || !self.site.host.has(Component::Truth) {
            Err(account::NO_PRIVILEGE)
        } else if !instance::is_up(self.site, &self.site.host) {
            Err(account::NOT_AVAILABLE)
        } else {
            self.site.core().ok_or(account::NOT_AVAILABLE)
        };
        site::log_read(
            "sqlplus.system_logon",
            json!({"user": user, "code": result.err().map(|error| error.code)}),
        );
        result
    }

    fn connect_by_password(&mut self, credentials: &Credentials) -> Result<&'a Core, OraError> {
        let result = self.reach(&credentials.database).and_then(|core| {
            let staged = self
                .site
                .scenario
                .cores
                .get(&core.name)
                .cloned()
                .unwrap_or_default()
                .oracle;
            let accounts = account::accounts(&self.site.world, core, &staged.accounts);
            let records = self
                .site
                .mesh_store::<Records>(&format!("oracle.{}", core.name));
            records
                .update(|records| {
                    let record = records.entry(credentials.user.clone()).or_default();
                    account::logon(
                        accounts.get(&credentials.user),
                        record,
                        &credentials.password,
                    )
                })
                .unwrap_or(Err(account::NOT_AVAILABLE))
                .map(|()| core)
        });
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        site::log_attempt(
            "sqlplus.logon",
            json!({
                "user": credentials.user, "database": credentials.database, "argv": self.args,
                "environment": environment, "code": result.err().map(|error| error.code),
            }),
        );
        if result == Err(account::EXPIRED) {
            self.ask_new_password(credentials);
        }
        result
    }

    /// Asks for a new password as the client does, on whatever comes next in the input.
    fn ask_new_password(&mut self, credentials: &Credentials) {
        say(&format!("ERROR:\n{}\n", account::EXPIRED));
        say(&format!("Changing password for {}", credentials.user));
        print("New password: ");
        let first = self.line().unwrap_or_default();
        print("\nRetype new password: ");
        let second = self.line().unwrap_or_default();
        if first != second || first.is_empty() {
            say("\nPassword unchanged");
            return;
        }
        let Ok(core) = self.reach(&credentials.database) else {
            return;
        };
        let records = self
            .site
            .mesh_store::<Records>(&format!("oracle.{}", core.name));
        let changed = records.update(|records| {
            records
                .entry(credentials.user.clone())
                .or_default()
                .new_password = Some(first);
        });
        site::log_effect(
            "sqlplus.password_changed",
            json!({"user": credentials.user, "done": changed.is_ok()}),
        );
    }

    /// The core whose database a connect name leads to.
    fn reach(&self, name: &str) -> Result<&'a Core, OraError> {
        let directory = std::env::var("TNS_ADMIN").unwrap_or_else(|_| TNS_DIRECTORY.to_owned());
        let text =
            std::fs::read_to_string(Path::new(&directory).join("tnsnames.ora")).unwrap_or_default();
        let target = names::resolve(&text, name).ok_or(account::NOT_RESOLVED)?;
        let address =
            std::net::ToSocketAddrs::to_socket_addrs(&(target.host.as_str(), target.port))
                .ok()
                .and_then(|mut all| all.find(std::net::SocketAddr::is_ipv4))
                .ok_or(account::NO_HOST)?;
        let core = self.site.world.cores.iter().find(|core| {
            core.host_with(Component::Truth)
                .is_some_and(|host| std::net::IpAddr::V4(host.address) == address.ip())
        });
        let core = core.ok_or(account::NO_LISTENER)?;
        let staged = self
            .site
            .scenario
            .cores
            .get(&core.name)
            .cloned()
            .unwrap_or_default()
            .oracle;
        match staged.listener {
            Listener::Up => {}
            Listener::Down => return Err(account::NO_LISTENER),
            Listener::Cut => return Err(account::CLOSED),
            Listener::Timeout => return Err(account::TIMEOUT),
            Listener::UnknownService => return Err(account::UNKNOWN_SERVICE),
            Listener::Blocked => return Err(account::BLOCKED),
        }
        if !prerequisite::is_listening(address) {
            return Err(account::NO_LISTENER);
        }
        let host = core
            .host_with(Component::Truth)
            .ok_or(account::NO_LISTENER)?;
        if staged.instance_down || !instance::is_up(self.site, host) {
            return Err(account::NOT_AVAILABLE);
        }
        if target.service.split('.').next() != Some(SERVICE_NAME) {
            return Err(account::UNKNOWN_SERVICE);
        }
        Ok(core)
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

/// Tells whether the process belongs to the database's user.
fn whoami_is_oracle() -> bool {
    crate::standin::service::process::user_id("oracle") == Some(rustix::process::geteuid().as_raw())
}
