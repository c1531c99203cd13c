//! Which gateways are connected: from the properties they were started with to the tunnels that are up.
//!
//! Pure: the tunnels are worked out, no byte travels through them.

use super::registry::Running;

/// A tunnel that is up, seen from the gateway that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel<'a> {
    pub listener: &'a Running,
    pub caller: &'a Running,
    pub cost: u32,
    pub bandwidth: u32,
}

/// Every tunnel between running gateways.
pub fn connected(gateways: &[Running]) -> Vec<Tunnel<'_>> {
    let mut tunnels = Vec::new();
    for caller in gateways {
        for entry in caller.properties.list("TunnelSrc") {
            let Some(source) = Source::parse(entry) else {
                continue;
            };
            let address = if source.is_local() {
                caller.address.as_str()
            } else {
                source.host
            };
            let listener = gateways.iter().find(|other| {
                other.node != caller.node
                    && other.address == address
                    && listens(other, source.port, source.is_local())
            });
            tunnels.extend(listener.map(|listener| Tunnel {
                listener,
                caller,
                cost: source.cost,
                bandwidth: source.bandwidth,
            }));
        }
        tunnels.extend(between_cores(gateways, caller));
    }
    tunnels
}

/// Core gateways keep tunnels to each other without an entry of their own.
fn between_cores<'a>(gateways: &'a [Running], caller: &'a Running) -> Vec<Tunnel<'a>> {
    if caller.properties.value("Root") != Some("true") {
        return Vec::new();
    }
    let others = gateways.iter().filter(|other| {
        other.properties.value("Root") == Some("true")
            && other.node > caller.node
            && listens(other, 2001, false)
    });
    others
        .map(|listener| Tunnel {
            listener,
            caller,
            cost: 1,
            bandwidth: 0,
        })
        .collect()
}

fn listens(gateway: &Running, port: u16, locally: bool) -> bool {
    gateway.properties.list("TunnelDst").iter().any(|entry| {
        let rest = entry.split(":/").next().unwrap_or(entry);
        match rest.rsplit_once(':') {
            Some((host, number)) => {
                number.parse() == Ok(port) && (locally || !host.starts_with("127.0.0."))
            }
            None => rest.parse() == Ok(port),
        }
    })
}

/// One `TunnelSrc` entry: `host:port:cost:bandwidth[:certificate]`.
struct Source<'a> {
    host: &'a str,
    port: u16,
    cost: u32,
    bandwidth: u32,
}

impl<'a> Source<'a> {
    fn parse(entry: &'a str) -> Option<Self> {
        let fields: Vec<&str> = entry.split(":/").next()?.split(':').collect();
        match fields.as_slice() {
            [host, port, cost, bandwidth] => Some(Self {
                host,
                port: port.parse().ok()?,
                cost: cost.parse().ok()?,
                bandwidth: bandwidth.parse().ok()?,
            }),
            [host, cost, bandwidth] => Some(Self {
                host,
                port: 2001,
                cost: cost.parse().ok()?,
                bandwidth: bandwidth.parse().ok()?,
            }),
            _ => None,
        }
    }

    fn is_local(&self) -> bool {
        self.host == "127.0.0.1" || self.host == "localhost"
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::{Properties, agent_gateway, core_gateway};
    use super::*;

    fn running(node: &str, address: &str, text: &str) -> Running {
        Running {
            node: node.into(),
            address: address.into(),
            properties: Properties::parse(text).unwrap(),
        }
    }

    fn pairs(gateways: &[Running]) -> Vec<String> {
        connected(gateways)
            .iter()
            .map(|tunnel| {
                format!(
                    "{}->{} {}",
                    tunnel.caller.node, tunnel.listener.node, tunnel.cost
                )
            })
            .collect()
    }

    #[test]
    fn an_agent_gateway_reaches_its_own_core_and_a_backup() {
        let backup = format!(
            "{}opswgw.TunnelSrc=10.0.0.2:2001:200:0:/x/opswgw.pem\n",
            agent_gateway("A", "10.0.0.1")
        );
        let all = [
            running("cgw0-A", "10.0.0.1", &core_gateway("A", "10.0.0.1", true)),
            running("agw0-A", "10.0.0.1", &backup),
            running("cgw0-B", "10.0.0.2", &core_gateway("B", "10.0.0.2", false)),
        ];
        assert_eq!(
            pairs(&all),
            ["cgw0-A->cgw0-B 1", "agw0-A->cgw0-A 1", "agw0-A->cgw0-B 200"]
        );
        assert_eq!(pairs(&all[1..]), ["agw0-A->cgw0-B 200"]);
    }

    #[test]
    fn without_the_local_listener_the_agent_gateway_is_cut_off() {
        let text = core_gateway("A", "10.0.0.1", false)
            .replace("opswgw.TunnelDst=127", "#opswgw.TunnelDst=127");
        let all = [
            running("cgw0-A", "10.0.0.1", &text),
            running("agw0-A", "10.0.0.1", &agent_gateway("A", "10.0.0.1")),
        ];
        assert!(pairs(&all).is_empty());
    }
}
