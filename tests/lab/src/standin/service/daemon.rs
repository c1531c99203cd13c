//! The long-running side of a service: its processes, its ports, and the pages it serves.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::Duration;

use super::catalog::{self, Installed, Port};
use super::network;
use super::process::{self, Launch};
use crate::standin::gateway;
use crate::standin::machine::log_file;
use crate::standin::oracle;
use crate::standin::site::Site;
use crate::standin::spin;
use crate::standin::volume;
use crate::standin::web::server::{self, Request, Response};

/// Time from a start to open ports, in life's time.
const STARTUP: Duration = Duration::from_secs(15);
/// How often a watchdog looks after its child.
const WATCH: Duration = Duration::from_millis(200);

/// Acts as a process of a service if the environment says that this is one.
pub fn run_if_service() -> Option<ExitCode> {
    let name = std::env::var(process::SERVICE).ok()?;
    let role = std::env::var(process::ROLE)
        .ok()
        .and_then(|role| role.parse().ok())
        .unwrap_or(0);
    Some(match Site::inside() {
        Ok(site) => serve(&site, &name, role),
        Err(_) => ExitCode::FAILURE,
    })
}

fn serve(site: &Site, name: &str, role: usize) -> ExitCode {
    // A session of its own, so that no terminal's end reaches it.
    let _ = rustix::process::setsid();
    if name == volume::HOLDER {
        volume::sit_in_audit(site);
    }
    if let Some(code) = oracle::instance::serve(site, name, role) {
        return code;
    }
    let installed = catalog::installed(&site.host, site.faults().transport);
    let Some(one) = catalog::resolve(&installed, name) else {
        return ExitCode::FAILURE;
    };
    let titles = catalog::titles(one);
    let Ok(_lock) = first_process(site, one, role) else {
        return ExitCode::FAILURE;
    };
    if role == 0 && site.planned_faults(name).dies {
        die_when_due(site.clone(), name.to_owned());
    }
    if role + 1 < titles.len() {
        return watch(one, role + 1, &titles);
    }
    match open_ports(site, one) {
        Ok(()) => park(),
        Err(cause) => {
            log_file::append(&one.name, &format!("cannot start: {cause}"));
            ExitCode::FAILURE
        }
    }
}

/// Ends all processes of a service once the scenario's time for it has come.
fn die_when_due(site: Site, name: String) {
    std::thread::spawn(move || {
        std::thread::sleep(WATCH);
        while !site.service_faults(&name).dies {
            std::thread::sleep(WATCH);
        }
        process::end(&name);
    });
}

/// What only the first process of a service does: the lock and the pid file.
fn first_process(site: &Site, one: &Installed, role: usize) -> std::io::Result<Option<File>> {
    if role != 0 {
        return Ok(None);
    }
    // What it was the last time must not be taken for what it is.
    if one.service.keeps_tunnels() {
        gateway::registry::withdraw(site, &one.name);
    }
    let lock = process::hold_lock(site, &one.name)?;
    let path = catalog::pid_file(&one.name);
    if let Some(parent) = Path::new(&path).parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&path, format!("{}\n", std::process::id()))?;
    log_file::append(&one.name, "started");
    Ok(Some(lock))
}

/// Starts the next process of the service, and another one whenever it ends.
fn watch(one: &Installed, role: usize, titles: &[Vec<String>]) -> ExitCode {
    let mut child: Option<Child> = None;
    let mut failures = 0;
    while failures < 5 {
        let is_gone = child
            .as_mut()
            .is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
        if is_gone {
            failures += 1;
            child = spawn_child(one, role, titles).ok();
        }
        std::thread::sleep(WATCH);
    }
    ExitCode::FAILURE
}

fn spawn_child(one: &Installed, role: usize, titles: &[Vec<String>]) -> std::io::Result<Child> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("/proc/self/exe");
    if let Some((first, rest)) = titles.get(role).and_then(|title| title.split_first()) {
        command.arg0(first).args(rest);
    }
    command
        .env(process::SERVICE, &one.name)
        .env(process::ROLE, role.to_string())
        .spawn()
}

fn open_ports(site: &Site, one: &Installed) -> Result<(), std::io::Error> {
    let faults = site.service_faults(&one.name);
    // A gateway reads its file first and is connected last: until its ports are open it carries nothing.
    let mut properties = None;
    if one.service.keeps_tunnels() {
        gateway::registry::withdraw(site, &one.name);
        let read = gateway::properties::load(&one.name).map_err(std::io::Error::other)?;
        properties = Some(read);
    }
    if std::env::var_os(process::AT_ONCE).is_none() {
        site.wait(STARTUP + Duration::from_secs(60) * faults.slow_start_minutes);
    }
    if faults.no_port {
        return Ok(());
    }
    for port in one.service.ports {
        open_port(site, one, *port)?;
    }
    if let Some(properties) = properties {
        gateway::registry::announce(site, &one.name, properties);
    }
    Ok(())
}

fn open_port(site: &Site, one: &Installed, port: Port) -> std::io::Result<()> {
    match port {
        Port::Udp(number) => {
            let socket = UdpSocket::bind(network::listen_address(site, port, number))?;
            std::thread::spawn(move || {
                let mut datagram = [0; 512];
                while socket.recv(&mut datagram).is_ok() {}
            });
        }
        Port::Tcp(number) | Port::Local(number) => {
            let listener = TcpListener::bind(network::listen_address(site, port, number))?;
            let answer = answers(one, number);
            std::thread::spawn(move || server::accept(&listener, answer));
        }
    }
    Ok(())
}

/// Serves the pages of a request, if a port has any.
type Pages = fn(&Site, &Request) -> Response;

fn answers(one: &Installed, port: u16) -> Option<Pages> {
    match (one.service.name, port) {
        ("spin", 1004 | 1007) => Some(spin::pages::answer),
        ("opswgw-cgw0", 8085) => Some(gateway::page::answer_core),
        ("opswgw-agw0", 8089) => Some(gateway::page::answer_agents),
        (catalog::SATELLITE_GATEWAY, 8085) => Some(gateway::page::answer_satellite),
        _ => None,
    }
}

/// Keeps a process alive for ever.
pub fn park() -> ExitCode {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Starts a service that the script does not know, such as the database.
pub fn launch_other(name: &str, title: &[String], user: &str) -> std::io::Result<u32> {
    process::launch(&Launch {
        service: name,
        role: 0,
        title,
        user,
        at_once: true,
    })
}
