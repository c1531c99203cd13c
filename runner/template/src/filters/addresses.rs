//! Filters on IP addresses and networks, as those of the collection `ansible.utils`.

use super::{Filter, filter};
use crate::eval::Call;
use crate::python::network::{Network, Version};
use crate::values::{Eval, Fault, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("cidr_merge", &["action"], merge),
    filter("ip4_hex", &["delimiter"], hexadecimal),
    filter("ipaddr", &["query", "version"], |call| {
        let version = version(call, 1)?;
        asked(call, &call.subject, call.some(0), version)
    }),
    filter("ipmath", &["amount"], |call| {
        let network = subject(call)?;
        let amount = call.int(0)?.unwrap_or_default();
        let moved = network.moved(i128::from(amount));
        moved
            .ok_or_else(|| call.fail("there is no such address"))
            .map(|moved| Val::from(moved.address_text()))
    }),
    filter("ipsubnet", &["query", "index"], subnet),
    filter("ipv4", &["query"], |call| {
        asked(call, &call.subject, call.some(0), Some(Version::V4))
    }),
    filter("ipv6", &["query"], |call| {
        asked(call, &call.subject, call.some(0), Some(Version::V6))
    }),
    filter("ipwrap", &["query"], wrap),
    filter("network_in_network", &["test"], |call| {
        Ok(Val::Bool(subject(call)?.holds(&argument(call, 0)?)))
    }),
    filter("network_in_usable", &["test"], |call| {
        let (network, test) = (subject(call)?, argument(call, 0)?);
        let usable = network.usable();
        Ok(Val::Bool(
            network.version == test.version
                && usable.is_some_and(|(first, last)| (first..=last).contains(&test.address)),
        ))
    }),
    filter("next_nth_usable", &["offset"], |call| nth_usable(call, 1)),
    filter("nthhost", &["query"], |call| {
        let network = subject(call)?;
        let index = call.int(0)?.unwrap_or_default();
        Ok(match network.host(i128::from(index)) {
            Some(host) => Val::from(host.address_text()),
            None => Val::Bool(false),
        })
    }),
    filter("previous_nth_usable", &["offset"], |call| {
        nth_usable(call, -1)
    }),
    filter("reduce_on_network", &["network"], |call| {
        let network = argument(call, 0)?;
        let mut kept = Vec::new();
        for item in call.subject_items()? {
            if Network::of(&call.session().text_of(&item)?).is_some_and(|one| network.holds(&one)) {
                kept.push(item);
            }
        }
        Ok(Val::list(kept))
    }),
];

/// Networks that one filter makes at most.
const MOST_NETWORKS: u128 = 1 << 20;

fn subject(call: &Call<'_>) -> Eval<Network> {
    let text = call.subject_text()?;
    Network::of(&text).ok_or_else(|| call.fail(format!("'{text}' is no address or network")))
}

fn argument(call: &Call<'_>, at: usize) -> Eval<Network> {
    let text = call.text_or(at, "")?;
    Network::of(&text).ok_or_else(|| call.fail(format!("'{text}' is no address or network")))
}

fn version(call: &Call<'_>, at: usize) -> Eval<Option<Version>> {
    match call.some(at) {
        None | Some(Val::Bool(false)) => Ok(None),
        Some(_) => match call.int(at)? {
            Some(4) => Ok(Some(Version::V4)),
            Some(6) => Ok(Some(Version::V6)),
            _ => Err(call.fail("version is 4 or 6")),
        },
    }
}

/// What a query says of a value: of a list those of which it says something.
fn asked(call: &Call<'_>, value: &Val, query: Option<&Val>, version: Option<Version>) -> Eval {
    let session = call.session();
    if value.is_sequence() {
        let mut kept = Vec::new();
        for item in session.iterate(value)? {
            let found = session.deeper(|| asked(call, &item, query, version))?;
            if session.truth(&found)? {
                kept.push(found);
            }
        }
        return Ok(Val::list(kept));
    }
    if matches!(value, Val::Null | Val::Bool(_)) {
        return Ok(Val::Bool(false));
    }
    let text = session.text_of(value)?;
    let Some(network) = Network::of(&text) else {
        return Ok(Val::Bool(false));
    };
    if version.is_some_and(|version| version != network.version) {
        return Ok(Val::Bool(false));
    }
    let query = match query {
        Some(query) => session.text_of(query)?,
        None => String::new(),
    };
    answer(call, &network, &query)
}

/// The answer of one query about one network.
fn answer(call: &Call<'_>, of: &Network, query: &str) -> Eval {
    let is_address = !of.has_prefix;
    let size = of.size();
    let as_given = || {
        if is_address {
            of.address_text()
        } else {
            of.text()
        }
    };
    let text = |text: String| Ok(Val::from(text));
    let when = |holds: bool, value: String| Ok(if holds { Val::from(value) } else { Val::Null });
    let at = |address: u128| of.at(address).address_text();
    let no_network = || Err(call.fail("Not a network address"));
    let is_network = of.address == of.first();
    match query {
        "" => text(as_given()),
        "bool" => Ok(Val::Bool(true)),
        "address" | "ip" => {
            let is_host = !is_network || of.broadcast().is_none() || of.version == Version::V6;
            when(size == 1 || is_host, of.address_text())
        }
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            if size > 2 && (is_network || of.broadcast() == Some(of.address)) {
                return Ok(Val::Bool(false));
            }
            text(of.text())
        }
        "broadcast" => match of.broadcast().filter(|_| size > 2) {
            Some(last) => text(at(last)),
            None => Ok(Val::Null),
        },
        "cidr" => text(of.text()),
        "host" => when(
            size == 1 || !is_network || of.broadcast().is_none(),
            of.text(),
        ),
        "hostmask" | "wildcard" => text(at(of.hostmask())),
        "int" if is_address => {
            Ok(i64::try_from(of.address)
                .map_or_else(|_| Val::from(of.address.to_string()), Val::Int))
        }
        "int" => text(format!("{}/{}", of.address, of.prefix)),
        "ip/prefix" => when(size == 2 || size > 1 && !is_network, of.text()),
        "ip_netmask" => when(
            size == 2 || size > 1 && !is_network,
            format!("{} {}", of.address_text(), at(of.mask())),
        ),
        "ipv4" | "v4" => Ok(of.as_v4().map_or(Val::Bool(false), |v4| {
            Val::from(if of.version == Version::V4 {
                as_given()
            } else {
                v4.text()
            })
        })),
        "ipv6" | "v6" => text(match of.version {
            Version::V6 => as_given(),
            Version::V4 => of.as_v6().text(),
        }),
        "link-local" => when(of.is_link_local(), as_given()),
        "lo" | "loopback" => when(of.is_loopback(), as_given()),
        "multicast" => when(of.is_multicast(), as_given()),
        "unicast" => when(!of.is_multicast(), as_given()),
        "private" => when(!of.is_global(), as_given()),
        "public" => when(
            of.is_global() && !of.is_multicast() && !of.is_mask(),
            as_given(),
        ),
        "net" => when(size > 1 && is_network, of.text()),
        "netmask" => text(at(of.mask())),
        "network" | "network_id" => text(at(of.first())),
        "network/prefix" | "subnet" => text(of.at(of.first()).text()),
        "network_netmask" => text(format!("{} {}", at(of.first()), at(of.mask()))),
        "network_wildcard" => text(format!("{} {}", at(of.first()), at(of.hostmask()))),
        "prefix" => Ok(Val::Int(i64::from(of.prefix))),
        "revdns" => text(of.reverse_name()),
        "size" => number(size),
        "size_usable" => number(match size {
            1 => 0,
            2 => 2,
            size => size - 2,
        }),
        "type" => text(
            if size == 1 || !is_network {
                "address"
            } else {
                "network"
            }
            .to_owned(),
        ),
        "version" => Ok(Val::Int(match of.version {
            Version::V4 => 4,
            Version::V6 => 6,
        })),
        "wrap" => text(match (of.version, is_address) {
            (Version::V4, _) => as_given(),
            (Version::V6, true) => format!("[{}]", of.address_text()),
            (Version::V6, false) => format!("[{}]/{}", of.address_text(), of.prefix),
        }),
        "first_usable" | "last_usable" | "range_usable" | "next_usable" | "previous_usable"
        | "peer"
            if is_address =>
        {
            no_network()
        }
        "peer" => match (size, of.address % 4) {
            (2, _) => text(at(of.address ^ 1)),
            (4, 0) => Err(call.fail("Network address of /30 has no peer")),
            (4, 3) => Err(call.fail("Broadcast address of /30 has no peer")),
            (4, _) => text(at(of.address ^ 3)),
            _ => Err(call.fail("Not a point-to-point network")),
        },
        "first_usable" => Ok(of
            .usable()
            .map_or(Val::Null, |(first, _)| Val::from(at(first)))),
        "last_usable" => Ok(of
            .usable()
            .map_or(Val::Null, |(_, last)| Val::from(at(last)))),
        "range_usable" => Ok(of.usable().map_or(Val::Null, |(first, last)| {
            Val::from(format!("{}-{}", at(first), at(last)))
        })),
        "next_usable" => Ok(step(of, 1).map_or(Val::Null, Val::from)),
        "previous_usable" => Ok(step(of, -1).map_or(Val::Null, Val::from)),
        other => by_index_or_network(call, of, other, as_given()),
    }
}

/// A query that is a number, for the address of that index, or a network, for what is inside.
fn by_index_or_network(call: &Call<'_>, of: &Network, query: &str, given: String) -> Eval {
    if let Ok(index) = query.trim().parse::<i64>() {
        if of.size() == 1 {
            return Ok(Val::from(given));
        }
        return Ok(match of.host(i128::from(index)) {
            Some(host) => Val::from(host.text()),
            None => Val::Bool(false),
        });
    }
    match Network::of(query) {
        Some(around) if around.holds(of) => Ok(Val::from(given)),
        Some(_) => Ok(Val::Bool(false)),
        None => Err(call.fail(format!("unknown filter type: {query}"))),
    }
}

fn number(size: u128) -> Eval {
    Ok(i64::try_from(size).map_or_else(|_| Val::from(size.to_string()), Val::Int))
}

/// The usable address some steps from the one given.
fn step(of: &Network, by: i128) -> Option<String> {
    let (first, last) = of.usable()?;
    let moved = of.moved(by)?;
    (first..=last)
        .contains(&moved.address)
        .then(|| moved.address_text())
}

fn nth_usable(call: &Call<'_>, sign: i128) -> Eval {
    let network = subject(call)?;
    let offset = call.int(0)?.unwrap_or_default();
    Ok(step(&network, sign * i128::from(offset)).map_or(Val::Bool(false), Val::from))
}

fn wrap(call: &Call<'_>) -> Eval {
    let session = call.session();
    let one = |item: &Val| -> Eval {
        let found = asked(call, item, call.some(0), None)?;
        if !session.truth(&found)? {
            return Ok(item.clone());
        }
        asked(call, &found, Some(&Val::from("wrap")), None)
    };
    if !call.subject.is_sequence() {
        return one(&call.subject);
    }
    let items = call.subject_items()?;
    Ok(Val::list(items.iter().map(one).collect::<Eval<Vec<_>>>()?))
}

/// The part of a network, or the network around an address, of a size; or how many there are.
fn subnet(call: &Call<'_>) -> Eval {
    let given = subject(call)?;
    let network = given.at(given.first());
    let query = call.text_or(0, "")?;
    if query.is_empty() {
        return Ok(Val::from(network.text()));
    }
    let index = call.int(1)?;
    let Ok(prefix) = query.parse::<u8>() else {
        let around = argument(call, 0)?;
        if !around.holds(&network) {
            return Err(call.fail(format!(
                "'{}' is not in the subnet '{query}'",
                network.text()
            )));
        }
        let rank = (network.first() - around.first()) / network.size() + 1;
        return Ok(Val::from(rank.to_string()));
    };
    if network.size() == 1 {
        // Networks around, the widest first.
        let index = u8::try_from(index.unwrap_or(0)).unwrap_or(u8::MAX);
        let wider = prefix.saturating_add(index);
        let found = network
            .with_prefix(wider)
            .filter(|_| wider < network.prefix);
        return found
            .map(|found| Val::from(found.at(found.first()).text()))
            .ok_or_else(|| call.fail("there is no such subnet"));
    }
    let Some(count) = network.parts(prefix) else {
        return Ok(index.map_or(Val::from("0"), |_| Val::Bool(false)));
    };
    let Some(index) = index else {
        return Ok(Val::from(count.to_string()));
    };
    let index = i128::from(index);
    let total = i128::try_from(count).unwrap_or(i128::MAX);
    let wanted = if index < 0 { index + total } else { index };
    let part = u128::try_from(wanted)
        .ok()
        .filter(|at| *at < count)
        .and_then(|at| network.part(prefix, at));
    part.map(|part| Val::from(part.text()))
        .ok_or_else(|| call.fail(format!("there is no subnet at the index {index}")))
}

fn hexadecimal(call: &Call<'_>) -> Eval {
    let network = subject(call)?;
    if network.version != Version::V4 {
        return Err(call.fail("needs an address of version 4"));
    }
    let delimiter = call.text_or(0, "")?;
    let bytes: Vec<String> = (0..4)
        .rev()
        .map(|at| format!("{:02x}", (network.address >> (at * 8)) & 0xff))
        .collect();
    Ok(Val::from(bytes.join(&delimiter)))
}

/// Fewest networks that hold the same addresses, or the one around all.
fn merge(call: &Call<'_>) -> Eval {
    let mut networks = Vec::new();
    for item in call.subject_items()? {
        let text = call.session().text_of(&item)?;
        let network = Network::of(&text)
            .ok_or_else(|| call.fail(format!("'{text}' is no address or network")))?;
        networks.push(network.at(network.first()));
    }
    match call.text_or(0, "merge")?.as_str() {
        "merge" => {
            if networks.len() as u128 > MOST_NETWORKS {
                return Err(Fault::problem(crate::error::Problem::TooMuch));
            }
            let merged = Network::merged(networks);
            Ok(Val::list(
                merged.iter().map(|one| Val::from(one.text())).collect(),
            ))
        }
        "span" => match Network::span(&networks) {
            Some(span) => Ok(Val::from(span.text())),
            None => Ok(Val::Null),
        },
        other => Err(call.fail(format!("'{other}' is no action; use merge or span"))),
    }
}
