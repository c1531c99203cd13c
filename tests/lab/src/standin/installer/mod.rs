//! `upgrade_opsware.sh`: the interactive installer, as far as a person or a program at its terminal can see it.
//!
//! A run goes through these stages, each of which may end it:
//! 1. checks of the call (root, directory `/`, absolute response file, nobody else's installer);
//! 2. `Distribution version = …` and the check for multimaster conflicts;
//! 3. with a response file of an older release, the interview: kind of installation, simple or advanced, one parameter
//!    after the other, name of the file to save, and whether to go on;
//! 4. the component menu with its toggles, and for a satellite's gateway its own installer;
//! 5. the upgrade of the marked components, which changes packages, settings and services.
//!
//! It talks to the terminal device, never to its standard streams, once the call has been checked.

pub mod archive;
mod call;
pub mod interview;
pub mod menu;
mod second;
pub mod upgrade;

pub use self::call::Origin;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use self::interview::Ended;
use self::menu::{Answer, Menu};
use super::component::UPLOADS;
use super::fault::Interview;
use super::machine::packages;
use super::response::RELEASE_PARAMETER;
use super::response::dialect::{Dialect, value};
use super::response::parameters;
use super::service::process;
use super::site::{self, Site};
use super::spin;
use super::terminal::{Terminal, TerminalError, complain};
use crate::world::Component;

/// Exit status of a run that was left before it changed anything.
const ABORTED: u8 = 2;

/// One run of the installer.
#[derive(Debug)]
pub struct Run<'a> {
    pub site: &'a Site,
    pub terminal: Terminal,
    pub origin: Origin,
    pub response_file: PathBuf,
    pub dialect: Dialect,
    pub parameters: Vec<(String, String)>,
    /// What a satellite's gateway installer was told.
    pub gateway: Vec<(String, String)>,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] super::store::StoreError),
}

/// Runs the installer; the first argument is the path it was started by.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    let (script, args) = args
        .split_first()
        .map_or(("", args), |(first, rest)| (first.as_str(), rest));
    let checked = call::check(site, script, args);
    let (origin, response_file, _lock) = match checked {
        Ok(checked) => checked,
        Err(cause) => {
            complain(&format!("upgrade_opsware.sh: {cause}"));
            site::log_effect(
                "installer.refused",
                json!({"argv": args, "cause": cause.to_string()}),
            );
            return ExitCode::from(ABORTED);
        }
    };
    let details = json!({
        "argv": args, "medium": origin.medium, "release": origin.release, "response_file": response_file,
    });
    site::log_effect("installer.begin", details);
    let status = match call::begin(site, origin, response_file) {
        Ok(mut run) => run.whole().unwrap_or_else(|error| run.broken_off(&error)),
        Err(cause) => {
            complain(&format!("upgrade_opsware.sh: {cause}"));
            ABORTED
        }
    };
    site::log_effect("installer.end", json!({"status": status}));
    ExitCode::from(status)
}

impl Run<'_> {
    /// All stages; the exit status.
    fn whole(&mut self) -> Result<u8, RunError> {
        self.terminal.say(&format!(
            "Distribution version = opsware_{}\n",
            self.origin.version
        ))?;
        if !self.has_no_conflicts()? {
            return Ok(ABORTED);
        }
        if self.wants_interview() {
            match self.interview()? {
                Ended::GoOn => {}
                Ended::Saved => return Ok(0),
                Ended::Quit => return Ok(ABORTED),
            }
        }
        let Some(chosen) = self.choose()? else {
            return Ok(ABORTED);
        };
        self.upgrade_all(&chosen)
    }

    fn broken_off(&self, error: &RunError) -> u8 {
        site::log_effect("installer.broken_off", json!({"cause": error.to_string()}));
        match error {
            RunError::Terminal(TerminalError::Interrupted | TerminalError::Closed) => 130,
            _ => 1,
        }
    }

    fn has_no_conflicts(&mut self) -> Result<bool, RunError> {
        // A satellite has no database to look into.
        let Some(core) = self.site.core().filter(|_| !self.site.host.satellite) else {
            return Ok(true);
        };
        let name = parameters::tns_name(core);
        let is_open = self
            .site
            .peer(Component::Truth)
            .is_some_and(|host| super::oracle::instance::is_open(self.site, host));
        let count = if self.site.faults().installer.conflicts {
            2
        } else {
            spin::mesh::conflicts(self.site)
        };
        site::log_read(
            "installer.conflict_check",
            json!({"database": name, "conflicts": count}),
        );
        let head = format!("Verifying no conflicts exist in DB \"{name}\":");
        if !is_open {
            self.terminal.say(&format!(
                "{head} FAILURE\n(ORA-12541: TNS:no listener)\n\nUpgrade aborted."
            ))?;
            return Ok(false);
        }
        if count == 0 {
            self.terminal.say(&format!("{head} SUCCESS\n"))?;
            return Ok(true);
        }
        self.terminal.say(&format!(
            "{head} FAILURE\n(multiple rows selected)\n\nConflicts were detected in the Truth database. Please re-\n\
             start the core and resolve the conflicts before attempting to\nperform this upgrade.\n\nUpgrade aborted."
        ))?;
        Ok(false)
    }

    fn wants_interview(&self) -> bool {
        if self.origin.medium == "upload" {
            return false;
        }
        match self.site.faults().installer.interview {
            Interview::Always => true,
            Interview::Never => false,
            Interview::Auto => {
                value(&self.parameters, RELEASE_PARAMETER)
                    != Some(&format!("opsware_{}", self.origin.version))
            }
        }
    }

    /// Shows the menu until somebody goes on or leaves.
    fn choose(&mut self) -> Result<Option<Vec<String>>, RunError> {
        let installed = self.installed()?;
        let verb = if self.origin.medium == "upload" {
            "install"
        } else {
            "upgrade"
        };
        let mut menu = Menu::new(&installed, verb, &self.site.faults().installer.menu);
        loop {
            let answer = self.terminal.ask(&menu.render())?;
            match menu.answer(&answer) {
                Answer::Quit => {
                    site::log_read("installer.quit", json!({}));
                    return Ok(None);
                }
                Answer::Continue if menu.marked().is_empty() => {
                    self.terminal.say("\nNo components selected.")?;
                }
                Answer::Continue => {
                    if let Some(file) = &self.site.faults().installer.touch_when_chosen {
                        std::fs::write(file, "")?;
                    }
                    let chosen: Vec<String> =
                        menu.marked().iter().map(|item| item.id.clone()).collect();
                    site::log_effect("installer.chosen", json!({"components": chosen}));
                    return Ok(Some(chosen));
                }
                Answer::NotUnderstood => self
                    .terminal
                    .say(&format!("\nInvalid selection: {}", answer.trim()))?,
                Answer::Toggled(index) => {
                    let item = menu.items.get(index);
                    site::log_read(
                        "installer.toggle",
                        json!({"component": item.map(|item| &item.id), "marked": item.map(|item| item.is_marked)}),
                    );
                }
                Answer::Ignored => {
                    site::log_read("installer.toggle_ignored", json!({"answer": answer.trim()}))
                }
                Answer::All | Answer::None => {
                    site::log_read("installer.toggle_all", json!({"answer": answer.trim()}));
                }
            }
        }
    }

    /// What the menu may show on this host: each id with whether it is at the medium's version.
    fn installed(&self) -> Result<Vec<(String, bool)>, RunError> {
        let database = packages::store(self.site).read()?;
        let here = |id: &str| {
            self.site
                .host
                .components
                .iter()
                .any(|component| component.id() == id)
        };
        let ids: Vec<&str> = if self.origin.medium == "upload" {
            let uploads = UPLOADS.iter().map(|facts| facts.id);
            if here("word") {
                uploads.collect()
            } else {
                Vec::new()
            }
        } else {
            // The plain satellite disc has no OS provisioning.
            let is_plain = self.origin.medium == "satellite";
            super::component::SATELLITE
                .iter()
                .chain(super::component::CATALOG)
                .map(|facts| facts.id)
                .filter(|id| here(id) && !(is_plain && ["boot", "media"].contains(id)))
                .collect()
        };
        let at = |id: &str| packages::is_at(&database, id, &self.origin.version);
        Ok(ids.into_iter().map(|id| (id.to_owned(), at(id))).collect())
    }
}

/// Pid of the installer that runs on this host, if one does.
pub fn running(site: &Site) -> Option<u32> {
    let pid: u32 = std::fs::read_to_string(site.private.scratch().join("installer.lock"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    process::pids().any(|one| one == pid).then_some(pid)
}
