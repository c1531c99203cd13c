//! The upgrade of the chosen components: what it prints, what it changes, and how it may end.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Run, RunError, archive};
use crate::standin::component::{self, Facts};
use crate::standin::fault::Outcome;
use crate::standin::gateway::properties;
use crate::standin::machine::{log_file, packages};
use crate::standin::response::parameters;
use crate::standin::service::catalog::{self, AGENT, Installed};
use crate::standin::service::control::{self, By};
use crate::standin::site;
use crate::standin::spin;
use crate::standin::volume::{self, table};
use crate::world::Component;

impl Run<'_> {
    /// Upgrades the chosen components one after the other; the exit status.
    pub(super) fn upgrade_all(&mut self, chosen: &[String]) -> Result<u8, RunError> {
        for (index, id) in chosen.iter().enumerate() {
            let goes_on = self.ask_out_of_the_blue(id, index == 0)?
                && (id != "truth" || self.confirm_values()?);
            let goes_on = goes_on && (id != "sat_gateway" || self.second_installer()?);
            if !goes_on {
                self.terminal.say("\nUpgrade aborted.")?;
                return Ok(super::ABORTED);
            }
        }
        for id in chosen {
            let Some(facts) = component::find(id) else {
                continue;
            };
            let outcome = self
                .site
                .faults()
                .installer
                .outcome
                .get(id)
                .copied()
                .unwrap_or_default();
            site::log_effect("installer.component.begin", json!({"component": id}));
            log_file::append("install_opsware", &format!("upgrade of {id} begins"));
            let failure = self.upgrade_one(facts, outcome)?;
            let details =
                json!({"component": id, "result": failure.as_deref().unwrap_or("SUCCESS")});
            site::log_effect("installer.component.end", details);
            log_file::append(
                "install_opsware",
                &format!(
                    "upgrade of {id}: {}",
                    failure.as_deref().unwrap_or("SUCCESS")
                ),
            );
            if let Some(cause) = failure {
                self.terminal
                    .say(&format!("Upgrade \"{}\": FAILURE ({cause})", facts.label))?;
                self.terminal.say(
                    "\nThe installation failed. See the log files in /var/log/opsware/install_opsware/ for details.",
                )?;
                return Ok(u8::from(outcome != Outcome::FailureStatusZero));
            }
            self.terminal
                .say(&format!("Upgrade \"{}\": SUCCESS", facts.label))?;
            if outcome == Outcome::SuccessStatusOne {
                return Ok(1);
            }
        }
        self.terminal
            .say("\nThe Opsware Installer completed successfully.")?;
        Ok(0)
    }

    /// A question that nobody expects; any answer but yes ends the run before it changes anything.
    fn ask_out_of_the_blue(&mut self, id: &str, is_first: bool) -> Result<bool, RunError> {
        let Some(question) = self.site.faults().installer.unknown_question.clone() else {
            return Ok(true);
        };
        if question.before != id && !(question.before.is_empty() && is_first) {
            return Ok(true);
        }
        let text = if question.text.is_empty() {
            "Overwrite existing database objects? [y/N]"
        } else {
            &question.text
        };
        let answer = self.terminal.ask(&format!("\n{text} "))?;
        site::log_effect(
            "installer.unknown_question",
            json!({"text": text, "answered": answer}),
        );
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    fn confirm_values(&mut self) -> Result<bool, RunError> {
        if !self
            .site
            .faults()
            .installer
            .confirm_values
            .unwrap_or(self.site.host.source_core)
        {
            return Ok(true);
        }
        self.terminal
            .say("\nPlease confirm the Opsware SAS configuration values:")?;
        for (name, value) in &self.parameters.clone() {
            if parameters::find(name).is_some_and(|parameter| !parameter.is_secret)
                && !value.is_empty()
            {
                self.terminal.say(&format!("  {name} = {value}"))?;
            }
        }
        loop {
            match self
                .terminal
                .ask("Are these configuration values correct? (y/n): ")?
                .trim()
            {
                "y" | "Y" | "yes" => break,
                "n" | "N" | "no" | "q" => return Ok(false),
                _ => {}
            }
        }
        site::log_read("installer.values_confirmed", json!({}));
        Ok(true)
    }

    /// Upgrades one component; the cause if it fails.
    fn upgrade_one(&mut self, facts: &Facts, outcome: Outcome) -> Result<Option<String>, RunError> {
        self.terminal
            .say(&format!("\nUpgrading {} ...", facts.label))?;
        if let Some(cause) = self.upload_failure(facts.id)? {
            return Ok(Some(cause));
        }
        // A gateway carries others' traffic, so it is stopped only when what replaces it is unpacked.
        let is_gateway = ["gateway", "sat_gateway"].contains(&facts.id);
        if is_gateway {
            self.work(facts)?;
        }
        if let Some(cause) = self.stop_services(facts)? {
            return Ok(Some(cause));
        }
        if !is_gateway {
            self.work(facts)?;
        }
        match outcome {
            Outcome::Failure | Outcome::FailureStatusZero => {
                return Ok(Some("post-install script failed".to_owned()));
            }
            Outcome::DiskFull => {
                self.terminal.say(
                    "cp: writing `/var/opt/opsware/truth/data.dmp': No space left on device",
                )?;
                return Ok(Some("No space left on device".to_owned()));
            }
            Outcome::MediumGone => {
                self.terminal.say(
                    "cp: cannot open `packages/data.cpio' for reading: Stale NFS file handle",
                )?;
                return Ok(Some("cannot read the distribution".to_owned()));
            }
            Outcome::Killed => die(),
            Outcome::Hang => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            Outcome::Success | Outcome::SuccessStatusOne => {}
        }
        for name in facts.packages {
            let line = format!(
                "Install package \"{name}-{}-0\": SUCCESS",
                self.origin.version
            );
            self.terminal.say(&line)?;
        }
        self.replace_settings(facts)?;
        packages::upgrade(self.site, facts.id, &self.origin.version)?;
        if self.origin.medium != "upload" && !self.site.host.satellite {
            spin::mesh::component_upgraded(self.site, facts.id)?;
            spin::mesh::destination_upgraded(self.site, facts.id);
        }
        if facts.id == "ogfs" {
            self.mount_audit()?;
        }
        self.start_services(facts)
    }

    /// Content and stage2: the upload may time out.
    fn upload_failure(&mut self, id: &str) -> Result<Option<String>, RunError> {
        if id != "content" {
            return Ok(None);
        }
        let word = self.services("word");
        if word
            .iter()
            .any(|one| crate::standin::service::process::find(&one.name).is_empty())
        {
            return Ok(Some(
                "communication timeout: mm_wordbot does not answer".to_owned(),
            ));
        }
        let staged = self.site.faults().content.clone();
        if !staged.error.is_empty() {
            return Ok(Some(staged.error));
        }
        let tries = self
            .site
            .mesh_scratch::<u32>(&format!("content.{}", self.site.host.name))
            .update(|tries| {
                *tries += 1;
                *tries
            })?;
        if tries <= staged.timeouts {
            self.terminal
                .say("Upload \"windows_patches\": FAILURE (communication timeout)")?;
            return Ok(Some(
                "communication timeout: timed out waiting for theword:1003".to_owned(),
            ));
        }
        Ok(None)
    }

    fn work(&mut self, facts: &Facts) -> Result<(), RunError> {
        let staged = &self.site.faults().installer;
        let silence = staged.silence_minutes.get(facts.id).copied().unwrap_or(0);
        let factor = staged.slowness.max(1);
        self.site.wait(Duration::from_secs(60) * silence);
        for step in [
            "Verify \"prerequisites\": SUCCESS",
            "Unpack \"packages\": SUCCESS",
        ] {
            self.site
                .wait(Duration::from_secs(facts.seconds) * factor / 2);
            self.terminal.say(step)?;
        }
        Ok(())
    }

    /// The services of a component on this host, in start order.
    fn services(&self, id: &str) -> Vec<Installed> {
        let here = catalog::installed(&self.site.host, self.site.faults().transport);
        let wanted = |one: &Installed| match id {
            // The database is followed by the engine that reads it.
            "truth" => one.service.name == "spin",
            _ => one.service.component.id() == id && one.service.name != AGENT,
        };
        here.into_iter().filter(wanted).collect()
    }

    fn stop_services(&mut self, facts: &Facts) -> Result<Option<String>, RunError> {
        for one in self.services(facts.id).iter().rev() {
            match control::stop(self.site, one, By::Installer) {
                Ok(true) => self
                    .terminal
                    .say(&format!("Stop \"{}\": SUCCESS", one.name))?,
                Ok(false) => {}
                Err(error) => return Ok(Some(format!("cannot stop {}: {error}", one.name))),
            }
        }
        Ok(None)
    }

    fn start_services(&mut self, facts: &Facts) -> Result<Option<String>, RunError> {
        let here = catalog::installed(&self.site.host, self.site.faults().transport);
        let agent = here.into_iter().filter(|one| one.service.name == AGENT);
        // All are started before the first is waited for.
        let mut started = Vec::new();
        for one in self.services(facts.id).iter().cloned().chain(agent) {
            let result = control::start(self.site, &one, By::Installer);
            let has_failed = result.is_err();
            started.push((one, result));
            if has_failed {
                break;
            }
        }
        for (one, result) in started {
            match result.and_then(|is_new| control::await_ports(self.site, &one).map(|()| is_new)) {
                Ok(true) => self
                    .terminal
                    .say(&format!("Start \"{}\": SUCCESS", one.name))?,
                Ok(false) => {}
                Err(error) => {
                    self.terminal
                        .say(&format!("Start \"{}\": FAILURE ({error})", one.name))?;
                    return Ok(Some(format!("cannot start {}", one.name)));
                }
            }
        }
        Ok(None)
    }

    fn replace_settings(&self, facts: &Facts) -> Result<(), RunError> {
        let heading = format!(
            "# written by the Opsware Installer, opsware_{}\n",
            self.origin.version
        );
        for path in facts.settings {
            let path = Path::new(path);
            let old = std::fs::read_to_string(path).unwrap_or_default();
            let body: String = old
                .lines()
                .filter(|line| !line.starts_with("# written by"))
                .map(|line| format!("{line}\n"))
                .collect();
            archive::replace(self.site, path, &format!("{heading}{body}"))?;
        }
        if facts.id == "sat_gateway" {
            let path = properties::path(catalog::SATELLITE_GATEWAY);
            archive::replace(self.site, &path, &self.satellite_settings())?;
        }
        if facts.id == "gateway" {
            let host = &self.site.host;
            let address = host.address.to_string();
            let cgw = properties::path(&host.gateway_service("cgw0"));
            let agw = properties::path(&host.gateway_service("agw0"));
            let shared_line = host.facility.id % 3 == 2;
            archive::replace(
                self.site,
                &cgw,
                &properties::core_gateway(host.dc(), &address, shared_line),
            )?;
            archive::replace(
                self.site,
                &agw,
                &properties::agent_gateway(host.dc(), &address),
            )?;
        }
        Ok(())
    }

    fn mount_audit(&mut self) -> Result<(), RunError> {
        if !self.site.host.has(Component::Ogfs) {
            return Ok(());
        }
        let there = table::read(self.site);
        for (source, target) in volume::nfs_mounts(self.site) {
            if there.iter().any(|mount| mount.target == target) {
                continue;
            }
            let mount = table::Mount::nfs(&source, &target);
            table::attach(self.site, &mount)?;
            site::log_effect(
                "mount.mount",
                json!({"by": "installer", "mount": mount, "status": 0}),
            );
            self.terminal.say(&format!("Mount \"{target}\": SUCCESS"))?;
        }
        Ok(())
    }
}

/// Ends this process as a signal from outside would.
fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
