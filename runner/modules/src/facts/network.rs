//! Interfaces, addresses and default routes.

use std::net::Ipv4Addr;

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let mut interfaces = links(sections);
    addresses(sections, &mut interfaces);
    if interfaces.is_empty() {
        interfaces = ifconfig(sections);
    }
    let mut facts = Object::new();
    let (mut all4, mut all6) = (Vec::new(), Vec::new());
    for (name, interface) in &interfaces {
        let text = |value: &Value| value["address"].as_str().map(str::to_owned);
        let is_own = name == "lo" || name == "lo0";
        let secondaries = interface["ipv4_secondaries"]
            .as_array()
            .into_iter()
            .flatten();
        if !is_own {
            all4.extend(text(&interface["ipv4"]));
            all4.extend(secondaries.filter_map(text));
            all6.extend(
                interface["ipv6"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(text),
            );
        }
    }
    facts.insert("interfaces".into(), interfaces.keys().cloned().collect());
    facts.insert("all_ipv4_addresses".into(), json!(all4));
    facts.insert("all_ipv6_addresses".into(), json!(all6));
    for (family, section) in [("default_ipv4", "route4"), ("default_ipv6", "route6")] {
        let route = default_route(sections, section, &interfaces);
        facts.insert(family.into(), route.into());
    }
    for (name, interface) in interfaces {
        facts.insert(name.replace([':', '-', '.'], "_"), interface);
    }
    facts
}

/// Reads lines such as `2: eth0@if5: <BROADCAST,UP> mtu 1500 … link/ether 00:… brd ff:…`.
fn links(sections: &Sections) -> Object {
    let mut interfaces = Object::new();
    for line in sections.lines("links") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(name) = words.get(1).map(|word| word.trim_end_matches(':')) else {
            continue;
        };
        let name = name.split('@').next().unwrap_or(name);
        let after = |key: &str| {
            let at = words.iter().position(|word| word.starts_with(key))?;
            words.get(at + 1).copied()
        };
        let flags = words.get(2).copied().unwrap_or_default();
        let is_loopback = flags.contains("LOOPBACK");
        let mut interface = object(json!({
            "device": name, "active": flags.contains("UP"),
            "promisc": flags.contains("PROMISC"),
            "type": if is_loopback { "loopback" } else { "ether" },
        }));
        if let Some(mtu) = after("mtu").and_then(|word| word.parse::<u64>().ok()) {
            interface.insert("mtu".into(), mtu.into());
        }
        if let Some(address) = after("link/ether") {
            interface.insert("macaddress".into(), address.into());
        }
        interfaces.insert(name.to_owned(), interface.into());
    }
    interfaces
}

/// Reads lines such as `2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0`.
fn addresses(sections: &Sections, interfaces: &mut Object) {
    for line in sections.lines("addresses") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, name, family, address, ..] = words[..] else {
            continue;
        };
        let Some(interface) = interfaces.get_mut(name) else {
            continue;
        };
        let (address, prefix) = address.split_once('/').unwrap_or((address, "32"));
        let after = |key: &str| {
            let at = words.iter().position(|word| *word == key)?;
            words.get(at + 1).copied()
        };
        if family == "inet6" {
            let entry = json!({"address": address, "prefix": prefix, "scope": after("scope")});
            match &mut interface["ipv6"] {
                Value::Array(list) => list.push(entry),
                empty => *empty = json!([entry]),
            }
        } else if family == "inet" {
            let entry = ipv4(address, prefix, after("brd"));
            if interface["ipv4"].is_null() {
                interface["ipv4"] = entry;
            } else if let Value::Array(list) = &mut interface["ipv4_secondaries"] {
                list.push(entry);
            } else {
                interface["ipv4_secondaries"] = json!([entry]);
            }
        }
    }
}

fn ipv4(address: &str, prefix: &str, broadcast: Option<&str>) -> Value {
    let bits: u32 = prefix.parse().unwrap_or(32).min(32);
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let network = address
        .parse::<Ipv4Addr>()
        .map(|address| Ipv4Addr::from(u32::from(address) & mask).to_string());
    json!({
        "address": address, "prefix": prefix, "netmask": Ipv4Addr::from(mask).to_string(),
        "network": network.unwrap_or_default(), "broadcast": broadcast.unwrap_or_default(),
    })
}

/// Reads `default via 10.0.0.1 dev eth0 …` and adds what is known of the interface.
fn default_route(sections: &Sections, section: &str, interfaces: &Object) -> Object {
    let line = sections.first(section).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |key: &str| {
        let at = words.iter().position(|word| *word == key)?;
        words.get(at + 1).copied()
    };
    let Some(name) = after("dev") else {
        return Object::new();
    };
    let mut route = object(json!({"interface": name, "alias": name}));
    if let Some(gateway) = after("via") {
        route.insert("gateway".into(), gateway.into());
    }
    let Some(interface) = interfaces.get(name) else {
        return route;
    };
    for key in ["mtu", "type", "macaddress"] {
        if !interface[key].is_null() {
            route.insert(key.into(), interface[key].clone());
        }
    }
    let address = match section {
        "route4" => interface["ipv4"].clone(),
        _ => interface["ipv6"]
            .as_array()
            .and_then(|list| list.iter().find(|entry| entry["scope"] == "global"))
            .cloned()
            .unwrap_or(Value::Null),
    };
    route.extend(object(address));
    route
}

/// Reads the older tool's listing: names, states and IPv4 addresses.
fn ifconfig(sections: &Sections) -> Object {
    let mut interfaces = Object::new();
    let mut name = String::new();
    for line in sections.lines("ifconfig") {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with([' ', '\t']) {
            let Some(first) = words.first() else { continue };
            name = first
                .trim_end_matches(':')
                .split(':')
                .next()
                .unwrap_or(first)
                .to_owned();
            let entry = json!({"device": name, "active": line.contains("UP")});
            interfaces.entry(name.clone()).or_insert(entry);
        }
        let Some(interface) = interfaces.get_mut(&name) else {
            continue;
        };
        let at = words.iter().position(|word| *word == "inet");
        let address = at
            .and_then(|at| words.get(at + 1))
            .map(|word| word.trim_start_matches("addr:"));
        if let Some(address) = address.filter(|_| interface["ipv4"].is_null()) {
            let mask = words
                .iter()
                .position(|word| *word == "netmask")
                .and_then(|at| words.get(at + 1))
                .and_then(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
            let prefix = mask.map_or(32, u32::count_ones).to_string();
            interface["ipv4"] = ipv4(address, &prefix, None);
        }
    }
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_find_their_interfaces() {
        let output = "@@links\n1: lo: <LOOPBACK,UP> mtu 65536 link/loopback 0\n2: eth0@if9: <UP> mtu 1500 state UP link/ether 02:42:ac:11:00:02 brd ff\n@@addresses\n1: lo inet 127.0.0.1/8 scope host lo\n2: eth0 inet 172.17.0.2/16 brd 172.17.255.255 scope global eth0\n2: eth0 inet6 fe80::1/64 scope link\n@@route4\ndefault via 172.17.0.1 dev eth0\n";
        let facts = facts(&Sections::of(output));
        assert_eq!(facts["interfaces"], json!(["lo", "eth0"]));
        assert_eq!(facts["default_ipv4"]["address"], "172.17.0.2");
        assert_eq!(facts["default_ipv4"]["gateway"], "172.17.0.1");
        assert_eq!(facts["eth0"]["ipv4"]["network"], "172.17.0.0");
        assert_eq!(facts["eth0"]["macaddress"], "02:42:ac:11:00:02");
        assert_eq!(facts["all_ipv4_addresses"], json!(["172.17.0.2"]));
        assert_eq!(facts["all_ipv6_addresses"], json!(["fe80::1"]));
    }

    #[test]
    fn the_older_tool_is_read_as_well() {
        let output = "@@ifconfig\nbge0: flags=1000843<UP,BROADCAST> mtu 1500 index 2\n        inet 10.1.2.3 netmask ffffff00 broadcast 10.1.2.255\n";
        let facts = facts(&Sections::of(output));
        assert_eq!(facts["bge0"]["ipv4"]["netmask"], "255.255.255.0");
    }
}
