//! IP addresses and networks, as Python's `netaddr` understands them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V4,
    V6,
}

/// An address with the size of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    pub(crate) version: Version,
    pub(crate) address: u128,
    pub(crate) prefix: u8,
    /// Whether the prefix was written.
    pub(crate) has_prefix: bool,
}

impl Network {
    /// Reads an address, a number, or either with a prefix or mask.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (version, address) = read(address)?;
        let width = width(version);
        let length = match prefix {
            None => width,
            Some(prefix) => match prefix.parse::<u8>() {
                Ok(length) if length <= width => length,
                _ => length_of_mask(version, prefix)?,
            },
        };
        Some(Self {
            version,
            address,
            prefix: length,
            has_prefix: prefix.is_some(),
        })
    }

    /// Bits of an address.
    fn all(&self) -> u128 {
        u128::MAX >> (128 - u32::from(width(self.version)))
    }

    pub(crate) fn hostmask(&self) -> u128 {
        self.all().checked_shr(u32::from(self.prefix)).unwrap_or(0)
    }

    pub(crate) fn mask(&self) -> u128 {
        self.all() & !self.hostmask()
    }

    pub(crate) fn first(&self) -> u128 {
        self.address & self.mask()
    }

    pub(crate) fn last(&self) -> u128 {
        self.address | self.hostmask()
    }

    /// How many addresses there are.
    pub(crate) fn size(&self) -> u128 {
        self.hostmask().saturating_add(1)
    }

    /// The address that all of the network listen to.
    pub(crate) fn broadcast(&self) -> Option<u128> {
        let free = width(self.version) - self.prefix;
        (self.version == Version::V6 || free > 1).then(|| self.last())
    }

    /// First and last address that hosts may have.
    pub(crate) fn usable(&self) -> Option<(u128, u128)> {
        match self.size() {
            1 => None,
            2 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    /// Another address in a network of the same size.
    pub(crate) fn at(&self, address: u128) -> Self {
        Self {
            address,
            has_prefix: true,
            ..*self
        }
    }

    /// The same address in a network of another size.
    pub(crate) fn with_prefix(&self, prefix: u8) -> Option<Self> {
        (prefix <= width(self.version)).then_some(Self { prefix, ..*self })
    }

    /// The address some steps further.
    pub(crate) fn moved(&self, by: i128) -> Option<Self> {
        let address = self.address.checked_add_signed(by)?;
        (address <= self.all()).then(|| self.at(address))
    }

    /// The address at an index of the network, from its end where that is negative.
    pub(crate) fn host(&self, index: i128) -> Option<Self> {
        let base = if index < 0 {
            self.last() + 1
        } else {
            self.first()
        };
        let address = base.checked_add_signed(index)?;
        (self.first()..=self.last())
            .contains(&address)
            .then(|| self.at(address))
    }

    /// Whether another one is inside.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.version == other.version
            && (self.first()..=self.last()).contains(&other.first())
            && other.last() <= self.last()
    }

    /// How many networks of a size it holds.
    pub(crate) fn parts(&self, prefix: u8) -> Option<u128> {
        let more = prefix.checked_sub(self.prefix)?;
        if prefix > width(self.version) {
            return None;
        }
        1_u128.checked_shl(u32::from(more))
    }

    /// One of the networks of a size.
    pub(crate) fn part(&self, prefix: u8, at: u128) -> Option<Self> {
        let part = self.with_prefix(prefix)?;
        let address = self.first().checked_add(at.checked_mul(part.size())?)?;
        Some(part.at(address))
    }

    pub(crate) fn address_text(&self) -> String {
        match self.version {
            Version::V4 => {
                Ipv4Addr::from(u32::try_from(self.address).unwrap_or(u32::MAX)).to_string()
            }
            Version::V6 => Ipv6Addr::from(self.address).to_string(),
        }
    }

    /// Address and prefix.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}", self.address_text(), self.prefix)
    }

    /// The name under which the address is looked up.
    pub(crate) fn reverse_name(&self) -> String {
        let (parts, bits, end) = match self.version {
            Version::V4 => (4, 8, "in-addr.arpa."),
            Version::V6 => (32, 4, "ip6.arpa."),
        };
        let mut name = String::new();
        for at in 0..parts {
            let part = (self.address >> (at * bits)) & ((1 << bits) - 1);
            let part = match self.version {
                Version::V4 => format!("{part}."),
                Version::V6 => format!("{part:x}."),
            };
            name.push_str(&part);
        }
        name + end
    }

    /// The same as an address of version 4, if there is one.
    pub(crate) fn as_v4(&self) -> Option<Self> {
        if self.version == Version::V4 {
            return Some(*self);
        }
        let low = self.address & 0xffff_ffff;
        let high = self.address >> 32;
        (high == 0 || high == 0xffff).then(|| Self {
            version: Version::V4,
            address: low,
            prefix: self.prefix.saturating_sub(96),
            has_prefix: self.has_prefix,
        })
    }

    /// The same as an address of version 6.
    pub(crate) fn as_v6(&self) -> Self {
        match self.version {
            Version::V6 => *self,
            Version::V4 => Self {
                version: Version::V6,
                address: 0xffff_u128 << 32 | self.address,
                prefix: self.prefix + 96,
                has_prefix: self.has_prefix,
            },
        }
    }

    fn is_in(&self, networks: &[&str]) -> bool {
        let one = Self {
            prefix: width(self.version),
            ..*self
        };
        networks
            .iter()
            .filter_map(|text| Self::of(text))
            .any(|network| network.holds(&one))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.is_in(&["127.0.0.0/8", "::1"])
    }

    pub(crate) fn is_link_local(&self) -> bool {
        self.is_in(&["169.254.0.0/16", "fe80::/10"])
    }

    pub(crate) fn is_multicast(&self) -> bool {
        self.is_in(&["224.0.0.0/4", "ff00::/8"])
    }

    /// Whether it can be reached from everywhere.
    pub(crate) fn is_global(&self) -> bool {
        self.is_in(GLOBAL_ALL_THE_SAME) || !self.is_in(NOT_GLOBAL)
    }

    /// Whether it looks like the mask of a network.
    pub(crate) fn is_mask(&self) -> bool {
        let ones = |bits: u128| bits & bits.wrapping_add(1) == 0;
        self.version == Version::V4 && (ones(self.address) || ones(!self.address & self.all()))
    }

    /// Fewest networks with the same addresses, in order.
    pub(crate) fn merged(mut networks: Vec<Self>) -> Vec<Self> {
        networks.sort();
        let mut merged: Vec<Self> = Vec::new();
        for network in networks {
            if merged.last().is_some_and(|last| last.holds(&network)) {
                continue;
            }
            merged.push(network);
            // Two halves of a network are that network.
            while let [.., low, high] = merged.as_slice() {
                let around = low
                    .prefix
                    .checked_sub(1)
                    .and_then(|prefix| low.with_prefix(prefix));
                let Some(around) = around.filter(|around| {
                    low.version == high.version
                        && low.prefix == high.prefix
                        && around.first() == low.first()
                        && high.first() == low.last() + 1
                }) else {
                    break;
                };
                merged.truncate(merged.len() - 2);
                merged.push(around);
            }
        }
        merged
    }

    /// The smallest network around all.
    pub(crate) fn span(networks: &[Self]) -> Option<Self> {
        let mut span = *networks.first()?;
        for network in networks {
            while !span.holds(network) {
                span = span.with_prefix(span.prefix.checked_sub(1)?)?;
            }
        }
        Some(span.at(span.first()))
    }
}

/// Addresses that mean something in one place alone.
const NOT_GLOBAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Exceptions among them.
const GLOBAL_ALL_THE_SAME: &[&str] = &["192.0.0.9/32", "192.0.0.10/32"];

fn width(version: Version) -> u8 {
    match version {
        Version::V4 => 32,
        Version::V6 => 128,
    }
}

fn read(text: &str) -> Option<(Version, u128)> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some((Version::V4, u128::from(u32::from(address))));
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some((Version::V6, u128::from(address)));
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u128 = text.parse().ok()?;
    let version = if number <= u128::from(u32::MAX) {
        Version::V4
    } else {
        Version::V6
    };
    Some((version, number))
}

/// Length of the prefix that a mask, or one turned round, stands for.
fn length_of_mask(version: Version, text: &str) -> Option<u8> {
    let (of_mask, mask) = read(text).filter(|_| text.contains(['.', ':']))?;
    if of_mask != version {
        return None;
    }
    let width = u32::from(width(version));
    let all = u128::MAX >> (128 - width);
    let hosts = if mask & 1 == 0 || mask == all {
        !mask & all
    } else {
        mask
    };
    let is_whole = hosts & hosts.wrapping_add(1) == 0;
    is_whole
        .then(|| width - hosts.count_ones())
        .and_then(|length| u8::try_from(length).ok())
}
