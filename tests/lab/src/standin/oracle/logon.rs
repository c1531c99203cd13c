//! Logons of SQL*Plus: by password through a connect name, or by the operating system's user.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::account::{self, OraError, Records};
use super::instance;
use super::names;
use super::script::Credentials;
use super::sqlplus::Session;
use crate::account::become_user::PLAYED_USER;
use crate::standin::fault::Listener;
use crate::standin::response::parameters::{SERVICE_NAME, TNS_DIRECTORY};
use crate::standin::service::{prerequisite, process};
use crate::standin::site;
use crate::standin::terminal::{print, say};
use crate::world::{Component, Core};

impl<'a> Session<'a> {
    /// Connects, or ends the connection that there was.
    pub(super) fn connect(&mut self, credentials: &Credentials) -> Result<(), OraError> {
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
        let is_oracle = is_oracle();
        let result = if !is_oracle || !self.site.host.has(Component::Truth) {
            Err(account::NO_PRIVILEGE)
        } else if !instance::is_up(self.site, &self.site.host) {
            Err(account::NOT_AVAILABLE)
        } else {
            self.site.core().ok_or(account::NOT_AVAILABLE)
        };
        site::log_read(
            "sqlplus.system_logon",
            json!({"oracle": is_oracle, "code": result.err().map(|error| error.code)}),
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

/// Tells whether this process belongs to the database's user, or plays it where all users are one.
fn is_oracle() -> bool {
    let own = rustix::process::geteuid().as_raw();
    process::user_id("oracle") == Some(own)
        || std::env::var(PLAYED_USER).is_ok_and(|user| user == "oracle")
}
