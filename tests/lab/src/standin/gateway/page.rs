//! The pages of a gateway's administration port: status, and the link table of the whole mesh.

use serde_json::json;

use super::registry::{self, Running};
use super::tunnels::{Tunnel, connected};
use crate::standin::site::{self, Site};
use crate::standin::web::server::{Request, Response};

/// Answers a request to the core gateway.
pub fn answer_core(site: &Site, request: &Request) -> Response {
    answer(site, request, "cgw0")
}

/// Answers a request to the agent gateway.
pub fn answer_agents(site: &Site, request: &Request) -> Response {
    answer(site, request, "agw0")
}

/// Answers a request to the gateway of a satellite, which is known by the host's name.
pub fn answer_satellite(site: &Site, request: &Request) -> Response {
    answer_as(site, request, &site.host.name)
}

fn answer(site: &Site, request: &Request, kind: &str) -> Response {
    answer_as(site, request, &format!("{kind}-{}", site.host.dc()))
}

fn answer_as(site: &Site, request: &Request, node: &str) -> Response {
    site::log_read("gateway.page", json!({"node": node, "path": request.path}));
    let faults = &site.faults().gateway;
    let asked = site
        .mesh_scratch::<u32>(&format!("pages.{node}"))
        .update(|asked| {
            *asked += 1;
            *asked
        });
    if asked.is_ok_and(|asked| asked <= faults.hanging_pages) {
        // Until the client has enough of it, or the gateway ends.
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
    if faults.old_tls && !request.is_old_client {
        return Response::error(400, "no protocol in common");
    }
    if request.certificate.is_empty() {
        return Response::error(403, "Forbidden: client certificate required");
    }
    render(&request.path, node, &registry::running(site))
        .map_or_else(|| Response::error(404, "Not Found"), Response::page)
}

/// The page at a path, or none; `node` is the gateway that is asked.
pub fn render(path: &str, node: &str, gateways: &[Running]) -> Option<String> {
    match path.split('?').next().unwrap_or(path) {
        "/" => Some(
            "<html><frameset cols=\"20%,80%\"><frame src=\"/menu\"><frame src=\"/status\"></frameset></html>\n"
                .to_owned(),
        ),
        "/menu" => Some(
            "<html><body><a href=\"/status\">Status</a><br><a href=\"/linkTable\">Link table</a></body></html>\n"
                .to_owned(),
        ),
        "/status" => Some(status(node, gateways)),
        "/linkTable" => Some(link_table(gateways)),
        _ => None,
    }
}

fn status(node: &str, gateways: &[Running]) -> String {
    let realm = gateways
        .iter()
        .find(|gateway| gateway.node == node)
        .and_then(|gateway| gateway.properties.value("Realm"))
        .unwrap_or("?");
    let mut text = format!(
        "<html><head><title>Gateway {node}</title></head><body><table><tr><td>\n\
         <table><tr><td>Gateway</td><td>{node}</td></tr><tr><td>Realm</td><td>{realm}</td></tr></table>\n\
         </td><td>\n<h3>Connected Gateways</h3>\n<table border=\"1\">\n\
         <tr><th>Node</th><th>Realm</th><th>Address</th><th>Direction</th><th>Cost</th><th>BW</th>\
         <th>Age</th><th>Cipher</th></tr>\n"
    );
    for tunnel in connected(gateways) {
        if tunnel.listener.node == node {
            text.push_str(&row(&tunnel, tunnel.caller, "in"));
        } else if tunnel.caller.node == node {
            text.push_str(&row(&tunnel, tunnel.listener, "out"));
        }
    }
    text.push_str("</table>\n</td></tr></table></body></html>\n");
    text
}

fn row(tunnel: &Tunnel<'_>, peer: &Running, direction: &str) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{direction}</td><td>{}</td><td>{}</td><td>0:01:00</td>\
         <td>RC4-MD5</td></tr>\n",
        peer.node,
        peer.properties.value("Realm").unwrap_or("?"),
        peer.address,
        tunnel.cost,
        tunnel.bandwidth
    )
}

fn link_table(gateways: &[Running]) -> String {
    let entries: Vec<_> = gateways
        .iter()
        .map(|gateway| {
            format!(
                "{{'node': '{}', 'realm': '{}', 'isroot': '{}', 'gwaddr': '{}'}}",
                gateway.node,
                gateway.properties.value("Realm").unwrap_or("?"),
                gateway.properties.value("Root").unwrap_or("false"),
                gateway.address
            )
        })
        .collect();
    format!("[{}]\n", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::properties::{Properties, agent_gateway, core_gateway};
    use super::*;

    #[test]
    fn only_direct_peers_are_connected_while_the_link_table_has_all() {
        let running = |node: &str, address: &str, text: &str| Running {
            node: node.into(),
            address: address.into(),
            properties: Properties::parse(text).unwrap(),
        };
        let all = [
            running("cgw0-A", "10.0.0.1", &core_gateway("A", "10.0.0.1", true)),
            running("agw0-A", "10.0.0.1", &agent_gateway("A", "10.0.0.1")),
            running("cgw0-B", "10.0.0.2", &core_gateway("B", "10.0.0.2", false)),
        ];
        let page = render("/status", "cgw0-B", &all).unwrap();
        assert!(
            page.contains("<td>cgw0-A</td>") && !page.contains("agw0-A"),
            "{page}"
        );
        let table = render("/linkTable?type=python", "cgw0-B", &all).unwrap();
        assert!(
            table.contains("'node': 'agw0-A'") && table.contains("'isroot': 'true'"),
            "{table}"
        );
        assert!(render("/nothing", "cgw0-B", &all).is_none());
    }
}
