//! `netstat` and `ss`: the listening ports of this host alone.
//!
//! Where all hosts of a lab share a network, each has an address of its own; these tools show a host only its own
//! sockets, and those as a server would show them.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use serde_json::json;

use crate::standin::service::catalog::{self, Port};
use crate::standin::service::network;
use crate::standin::site::{self, Site};
use crate::standin::terminal::say;

/// `netstat`.
pub fn netstat(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("netstat", json!({"argv": args}));
    say("Active Internet connections (servers and established)");
    say("Proto Recv-Q Send-Q Local Address               Foreign Address             State");
    for (address, port) in listening(site) {
        if site.is_solaris() {
            say(&format!(
                "      {}.{port}                *.*                0      0 49152      0 LISTEN",
                star(&address)
            ));
        } else {
            say(&format!(
                "tcp        0      0 {:<27} 0.0.0.0:*                   LISTEN",
                format!("{address}:{port}")
            ));
        }
    }
    ExitCode::SUCCESS
}

fn star(address: &str) -> &str {
    if address == "0.0.0.0" { "*" } else { address }
}

/// `ss`.
pub fn ss(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("ss", json!({"argv": args}));
    say("State      Recv-Q Send-Q      Local Address:Port          Peer Address:Port");
    for (address, port) in listening(site) {
        say(&format!(
            "LISTEN     0      128 {:>25} {:>25}",
            format!("{address}:{port}"),
            "0.0.0.0:*"
        ));
    }
    ExitCode::SUCCESS
}

/// Listening TCP ports of this host, with the address a server would show.
fn listening(site: &Site) -> Vec<(String, u16)> {
    let text = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let local: Vec<u16> = catalog::SERVICES
        .iter()
        .flat_map(|service| service.ports)
        .filter_map(|port| {
            if let Port::Local(number) = port {
                Some(*number)
            } else {
                None
            }
        })
        .collect();
    let is_own = |address: Ipv4Addr| {
        address == site.host.address
            || network::is_own(site) && (address.is_unspecified() || address == Ipv4Addr::LOCALHOST)
    };
    let mut ports: Vec<u16> = text
        .lines()
        .filter_map(parse)
        .filter(|(address, _)| is_own(*address))
        .map(|(_, port)| port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let shown = |port: &u16| {
        if local.contains(port) {
            "127.0.0.1"
        } else {
            "0.0.0.0"
        }
    };
    ports
        .iter()
        .map(|port| (shown(port).to_owned(), *port))
        .collect()
}

/// A listening socket in a line of the kernel's table.
fn parse(line: &str) -> Option<(Ipv4Addr, u16)> {
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let bytes = u32::from_str_radix(address, 16).ok()?.to_le_bytes();
    (state == "0A").then_some((Ipv4Addr::from(bytes), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_are_read() {
        let line = "   0: 01013D7F:03EC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1";
        assert_eq!(parse(line), Some((Ipv4Addr::new(127, 61, 1, 1), 1004)));
        assert_eq!(parse(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(parse("  sl  local_address rem_address   st"), None);
    }
}
