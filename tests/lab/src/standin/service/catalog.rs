//! The services of the product: names, users, ports, order, and what their processes look like.
//!
//! Tables only; starting and stopping live beside it.

use crate::standin::fault::TransportName;
use crate::world::{Component, Host};

/// A listening port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    Tcp(u16),
    /// Bound to the loopback address on a real host.
    Local(u16),
    Udp(u16),
}

/// What must be there before a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The database of the core.
    Oracle,
    /// A service of the core, by the component that carries it, with the port that must listen.
    Peer(Component, &'static str, u16),
}

/// What the lab knows of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Name without the facility suffix of gateways.
    pub name: &'static str,
    pub component: Component,
    pub user: &'static str,
    pub ports: &'static [Port],
    pub needs: &'static [Need],
    /// Whether the name on a host ends in the facility's short name.
    pub has_suffix: bool,
}

impl Service {
    /// Tells whether this is a gateway that keeps tunnels.
    pub fn keeps_tunnels(&self) -> bool {
        self.has_suffix || self.name == SATELLITE_GATEWAY
    }
}

const fn service(
    name: &'static str,
    component: Component,
    ports: &'static [Port],
    needs: &'static [Need],
) -> Service {
    Service {
        name,
        component,
        user: "root",
        ports,
        needs,
        has_suffix: false,
    }
}

use Need::{Oracle, Peer};
use Port::{Local, Tcp, Udp};

const SPIN_UP: Need = Peer(Component::Spin, "spin", 1004);
const TWIST_UP: Need = Peer(Component::Occ, "twist", 1032);

/// The agent that every core server runs.
pub const AGENT: &str = "opsware-agent";

/// Every service of a core, in start order.
pub const SERVICES: &[Service] = &[
    Service {
        has_suffix: true,
        ..service(
            "opswgw-cgw0",
            Component::Gateway,
            &[Tcp(2001), Local(2002), Tcp(3002), Tcp(4040), Tcp(8085)],
            &[],
        )
    },
    Service {
        has_suffix: true,
        ..service(
            "opswgw-agw0",
            Component::Gateway,
            &[Tcp(3001), Tcp(8089)],
            &[],
        )
    },
    service("opswgw-lb", Component::Occ, &[Local(8084)], &[]),
    service("rvrdscript", Component::Vault, &[Tcp(7501)], &[]),
    service(
        "vaultdaemon",
        Component::Vault,
        &[Tcp(5678)],
        &[Oracle, Peer(Component::Vault, "rvrdscript", 7501)],
    ),
    service("dhcpd", Component::Boot, &[Udp(67)], &[]),
    service(
        "spin",
        Component::Spin,
        &[Tcp(1004), Local(1007)],
        &[Oracle],
    ),
    service(
        "mm_wordbot",
        Component::Word,
        &[Tcp(1003), Tcp(1006), Tcp(1005), Tcp(5679)],
        &[SPIN_UP],
    ),
    service("waybot", Component::Way, &[Tcp(1018)], &[SPIN_UP]),
    service("smb", Component::Media, &[Tcp(139), Tcp(445)], &[]),
    Service {
        user: "twist",
        ..service(
            "twist",
            Component::Occ,
            &[Tcp(1032), Local(1026)],
            &[Oracle, SPIN_UP],
        )
    },
    service(
        "buildmgr",
        Component::Buildmgr,
        &[Tcp(1012), Tcp(1017), Tcp(8017)],
        &[TWIST_UP],
    ),
    service("hub", Component::Ogfs, &[], &[]),
    service("sshd", Component::Ogfs, &[Tcp(2222)], &[]),
    service("spoke", Component::Ogfs, &[Local(8020)], &[]),
    Service {
        user: "occ",
        ..service("occ.server", Component::Occ, &[Local(8010)], &[TWIST_UP])
    },
    service(
        "httpsProxy",
        Component::Occ,
        &[Tcp(80), Tcp(443), Tcp(4433)],
        &[],
    ),
];

/// Every service that only a satellite has, in start order.
const SATELLITE_SERVICES: &[Service] = &[
    service(
        SATELLITE_GATEWAY,
        Component::SatGateway,
        &[Tcp(3001), Tcp(8085)],
        &[],
    ),
    service("wordcache", Component::Wordcache, &[Tcp(8081)], &[]),
];

/// The one gateway of a satellite.
pub const SATELLITE_GATEWAY: &str = "opswgw";

const AGENT_SERVICE: Service = service(AGENT, Component::Truth, &[Tcp(1002)], &[]);

/// A service as one host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The name that the host's script lists.
    pub name: String,
    pub service: Service,
}

/// The services of a host, in start order.
pub fn installed(host: &Host, transport: TransportName) -> Vec<Installed> {
    SATELLITE_SERVICES
        .iter()
        .chain(SERVICES)
        .filter(|service| host.has(service.component))
        .filter(|service| service.name != "rvrdscript" || transport != TransportName::Neither)
        .chain(std::iter::once(&AGENT_SERVICE))
        .map(|service| Installed {
            name: name_on(host, service, transport),
            service: *service,
        })
        .collect()
}

fn name_on(host: &Host, service: &Service, transport: TransportName) -> String {
    if service.name == "rvrdscript" && transport == TransportName::Rvrdscrip {
        return "rvrdscrip".to_owned();
    }
    if service.has_suffix {
        format!("{}-{}", service.name, host.dc())
    } else {
        service.name.to_owned()
    }
}

/// Finds a service by the name a caller used; gateways also go without their suffix.
pub fn resolve<'a>(installed: &'a [Installed], asked: &str) -> Option<&'a Installed> {
    installed
        .iter()
        .find(|one| one.name == asked || (one.service.has_suffix && one.service.name == asked))
}

/// Command lines of a service's processes: the first is started, it starts the others.
pub fn titles(one: &Installed) -> Vec<Vec<String>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let name = one.name.as_str();
    if one.service.keeps_tunnels() {
        let node = name.trim_start_matches("opswgw-");
        let options = format!(
            "--PropertiesFile /etc/opt/opsware/{name}/opswgw.properties --BinPath /opt/opsware/opswgw/bin/opswgw"
        );
        let title = |kind: &str, more: &str| {
            let mut argv = vec![format!("[opswgw-{kind}-2.1.1: {node}]")];
            argv.extend(words(&format!("{options}{more}")));
            argv
        };
        return vec![title("watchdog", ""), title("gateway", " --Child true")];
    }
    let bot = |conf: &str| {
        words(&format!(
            "/opt/opsware/bin/python /opt/opsware/pylibs/shadowbot/daemonbot.pyc --conf /etc/opt/opsware/{conf}.args"
        ))
    };
    match name {
        "spin" => vec![bot("spin/spin"), bot("spin/spin")],
        "mm_wordbot" => vec![
            bot("mm_wordbot/mm_wordbot"),
            bot("mm_wordbot/mm_wordbot-clear"),
        ],
        "waybot" => vec![bot("waybot/waybot")],
        "twist" => vec![words(
            "/opt/opsware/j2sdk/bin/java -Dtwist.home=/opt/opsware/twist com.opsware.twist.Main",
        )],
        "occ.server" => vec![words(
            "/opt/opsware/j2sdk/bin/java -Docc.home=/opt/opsware/occ com.opsware.occ.Server",
        )],
        "httpsProxy" => vec![words(
            "/opt/opsware/httpsProxy/bin/httpd -f /etc/opt/opsware/httpsProxy/httpd.conf",
        )],
        "vaultdaemon" => vec![words(
            "/opt/opsware/j2sdk/bin/java -Dvault.home=/opt/opsware/vault com.opsware.vault.Daemon",
        )],
        "rvrdscript" | "rvrdscrip" => vec![words(
            "/opt/opsware/tibco/bin/rvrd -store /var/opt/opsware/rvrd/rvrd.store",
        )],
        "opswgw-lb" => vec![words(
            "[opswgw-gateway-2.1.1: lb] --PropertiesFile /etc/opt/opsware/opswgw-lb/opswgw.properties",
        )],
        AGENT => vec![words(
            "/opt/opsware/agent/bin/python /opt/opsware/agent/pylibs/shadowbot/daemonbot.pyc --conf /etc/opt/opsware/agent/agent.args",
        )],
        "smb" => vec![words(
            "/opt/OPSWsamba/sbin/smbd -D -s /etc/opt/opsware/samba/smb.conf",
        )],
        "dhcpd" => vec![words(
            "/opt/opsware/dhcpd/sbin/dhcpd -cf /etc/opt/opsware/dhcpd/dhcpd.conf",
        )],
        "sshd" => vec![words(
            "/opt/opsware/sshd/sbin/sshd -f /etc/opt/opsware/sshd/sshd_config",
        )],
        "buildmgr" => vec![words(
            "/opt/opsware/bin/python2 /opt/opsware/buildmgr/bin/buildmgr.pyc",
        )],
        "hub" => vec![words(
            "/opt/opsware/hub/bin/hub -c /etc/opt/opsware/hub/hub.conf",
        )],
        other => vec![words(&format!("/opt/opsware/{other}/bin/{other}"))],
    }
}

/// Where a service leaves the pid of its first process.
pub fn pid_file(name: &str) -> String {
    match name {
        "twist" => "/var/opt/opsware/twist/twist.pid".to_owned(),
        "occ.server" => "/var/opt/opsware/occ/occ.pid".to_owned(),
        "hub" => "/var/opt/opsware/hub/hub.pgrp".to_owned(),
        other => format!("/var/opt/opsware/{other}/{other}.pid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    fn host(name: &str) -> Host {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml");
        World::read(&path, None)
            .unwrap()
            .host(name)
            .unwrap()
            .clone()
    }

    fn names(host: &Host, transport: TransportName) -> Vec<String> {
        installed(host, transport)
            .into_iter()
            .map(|one| one.name)
            .collect()
    }

    #[test]
    fn a_host_lists_its_services_in_start_order() {
        let table = [
            ("a1", "rvrdscript vaultdaemon spin opsware-agent"),
            ("a2", "mm_wordbot waybot opsware-agent"),
            ("a4", "opswgw-cgw0-A opswgw-agw0-A dhcpd opsware-agent"),
            (
                "b2",
                "opswgw-lb mm_wordbot twist hub sshd spoke occ.server httpsProxy opsware-agent",
            ),
        ];
        for (name, wanted) in table {
            assert_eq!(
                names(&host(name), TransportName::Rvrdscript).join(" "),
                wanted,
                "{name}"
            );
        }
        assert_eq!(names(&host("c1"), TransportName::Rvrdscript).len(), 18);
    }

    #[test]
    fn the_transport_has_the_name_of_the_scenario() {
        let first = |transport| names(&host("a1"), transport).remove(0);
        assert_eq!(first(TransportName::Rvrdscrip), "rvrdscrip");
        assert_eq!(first(TransportName::Neither), "vaultdaemon");
    }

    #[test]
    fn gateways_answer_to_both_names_and_have_a_watchdog() {
        let all = installed(&host("c1"), TransportName::Rvrdscript);
        let gateway = resolve(&all, "opswgw-cgw0").unwrap();
        assert_eq!(gateway, resolve(&all, "opswgw-cgw0-C").unwrap());
        assert!(resolve(&all, "opswgw").is_none());
        let titles = titles(gateway);
        assert_eq!(titles[0][0], "[opswgw-watchdog-2.1.1: cgw0-C]");
        assert_eq!(titles[1].last().unwrap(), "true");
    }

    #[test]
    fn no_two_services_of_a_host_share_a_port() {
        let all = installed(&host("c1"), TransportName::Rvrdscript);
        let mut ports: Vec<_> = all
            .iter()
            .flat_map(|one| one.service.ports)
            .map(|port| format!("{port:?}"))
            .collect();
        let count = ports.len();
        ports.sort();
        ports.dedup();
        assert_eq!(ports.len(), count);
    }
}
