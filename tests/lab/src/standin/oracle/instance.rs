//! The database's processes: instance and listener, and the script that starts and stops them.

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::standin::fault::Listener;
use crate::standin::response::parameters::ORACLE_HOME;
use crate::standin::service::catalog::Port;
use crate::standin::service::prerequisite::LISTENER_PORT;
use crate::standin::service::{daemon, network, process};
use crate::standin::site::{self, Site};
use crate::standin::terminal::{complain, say};
use crate::standin::web::server;
use crate::world::{Component, Host};

/// Service name of the instance's processes.
pub const INSTANCE: &str = "oracle";
/// Service name of the listener's process.
pub const LISTENER: &str = "oracle-listener";

/// Acts as a process of the database, if the name is one of its own.
pub fn serve(site: &Site, name: &str, role: usize) -> Option<ExitCode> {
    if name != INSTANCE && name != LISTENER {
        return None;
    }
    let lock = if role == 0 {
        process::hold_lock(site, name).ok()
    } else {
        None
    };
    if name == LISTENER {
        let address = network::listen_address(site, Port::Tcp(LISTENER_PORT), LISTENER_PORT);
        match TcpListener::bind(address) {
            Ok(listener) => server::accept(&listener, None),
            Err(_) => return Some(ExitCode::FAILURE),
        }
    }
    let code = daemon::park();
    drop(lock);
    Some(code)
}

/// Starts what the scenario wants to run from the beginning.
pub fn boot(site: &Site) -> std::io::Result<()> {
    if !site.host.has(Component::Truth) {
        return Ok(());
    }
    let staged = site.core_faults().oracle;
    if !staged.instance_down {
        start(INSTANCE)?;
    }
    if staged.listener != Listener::Down {
        start(LISTENER)?;
    }
    Ok(())
}

fn start(name: &str) -> std::io::Result<()> {
    if !process::find(name).is_empty() {
        return Ok(());
    }
    let titles: &[&[&str]] = if name == INSTANCE {
        &[&["ora_pmon_truth"], &["ora_smon_truth"]]
    } else {
        &[&[
            "/u01/app/oracle/product/10.2.0/db_1/bin/tnslsnr",
            "LISTENER",
            "-inherit",
        ]]
    };
    for (role, title) in titles.iter().enumerate() {
        let title: Vec<String> = title.iter().map(|word| (*word).to_owned()).collect();
        process::launch(&process::Launch {
            service: name,
            role,
            title: &title,
            user: "oracle",
            at_once: true,
        })?;
    }
    Ok(())
}

/// Tells whether the instance of a truth server runs.
pub fn is_up(site: &Site, host: &Host) -> bool {
    process::is_alive(site, &host.name, INSTANCE)
}

/// Tells whether both the instance and the listener of a truth server run.
pub fn is_open(site: &Site, host: &Host) -> bool {
    is_up(site, host) && process::is_alive(site, &host.name, LISTENER)
}

/// `/etc/init.d/opsware-oracle`: start, stop, status.
pub fn script(site: &Site, args: &[String]) -> ExitCode {
    let verb = args.first().map(String::as_str).unwrap_or_default();
    let names = [INSTANCE, LISTENER];
    match verb {
        "status" => {
            site::log_read("opsware-oracle.status", json!({"argv": args}));
            let down = names
                .iter()
                .filter(|name| process::find(name).is_empty())
                .count();
            say(if down == 0 {
                "Oracle is running"
            } else {
                "Oracle is not running"
            });
            ExitCode::from(u8::from(down > 0))
        }
        "start" => {
            let result = names.iter().try_for_each(|name| start(name));
            let end = Instant::now() + Duration::from_secs(5);
            while !is_open(site, &site.host) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            site::log_effect(
                "opsware-oracle.start",
                json!({"argv": args, "home": ORACLE_HOME}),
            );
            ExitCode::from(u8::from(result.is_err()))
        }
        "stop" => {
            site::log_effect("opsware-oracle.stop", json!({"argv": args}));
            let stopped = names.iter().all(|name| process::end(name));
            ExitCode::from(u8::from(!stopped))
        }
        _ => {
            complain("usage: opsware-oracle start | stop | status");
            ExitCode::from(1)
        }
    }
}
