//! Links and addresses of the lab's networks, by messages to the kernel.
//!
//! Every host has a network of its own, so that its ports are its ports; a bridge joins them. Hosts keep the loopback
//! addresses of the inventory even there: the loopback link holds 127.0.0.1 alone, the rest of 127.0.0.0/8 is behind
//! the bridge.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const REQUEST_WITH_ANSWER: u16 = 0x1 | 0x4;
const CREATE_NEW: u16 = 0x400 | 0x200;
const ERROR: u16 = 2;

const LINK_NAME: u16 = 3;
const LINK_MASTER: u16 = 10;
const LINK_INFO: u16 = 18;
const LINK_NAMESPACE_OF_PID: u16 = 19;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const VETH_PEER: u16 = 1;

const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;

const UP: u32 = 1;
const LOOPBACK_INDEX: u32 = 1;

/// The name of the bridge that joins the hosts.
const BRIDGE: &str = "lab0";

/// A talk with the kernel about the network in which it was opened, wherever this process goes afterwards.
pub struct Network {
    socket: OwnedFd,
}

impl Network {
    /// Opens the talk about the network this process is in now.
    pub fn here() -> io::Result<Self> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            // The protocol of routes and links is number 0, which is also the default.
            None,
        )?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self { socket })
    }

    /// Brings the loopback link up.
    pub fn loopback_up(&self) -> io::Result<()> {
        self.set_up(LOOPBACK_INDEX)
    }

    /// Makes the bridge that joins the hosts.
    pub fn make_bridge(&self) -> io::Result<()> {
        let mut body = link(0, UP);
        attribute(&mut body, LINK_NAME, &name(BRIDGE));
        let mut info = Vec::new();
        attribute(&mut info, INFO_KIND, b"bridge");
        attribute(&mut body, LINK_INFO, &info);
        self.ask(NEW_LINK, CREATE_NEW, &body)
    }

    /// Joins the network of the process `pid` to the bridge; its end is called `eth0`, the kernel names the other.
    pub fn join(&self, pid: u32) -> io::Result<()> {
        let mut peer = link(0, 0);
        attribute(&mut peer, LINK_NAME, &name("eth0"));
        attribute(&mut peer, LINK_NAMESPACE_OF_PID, &pid.to_ne_bytes());
        let mut data = Vec::new();
        attribute(&mut data, VETH_PEER, &peer);
        let mut info = Vec::new();
        attribute(&mut info, INFO_KIND, b"veth");
        attribute(&mut info, INFO_DATA, &data);
        let mut body = link(0, UP);
        attribute(&mut body, LINK_MASTER, &self.index(BRIDGE)?.to_ne_bytes());
        attribute(&mut body, LINK_INFO, &info);
        self.ask(NEW_LINK, CREATE_NEW, &body)
    }

    /// Gives this network, which is a host's, its address and leaves 127.0.0.1 alone on the loopback link.
    pub fn take_address(&self, own: Ipv4Addr) -> io::Result<()> {
        self.loopback_up()?;
        self.address(DELETE_ADDRESS, 0, LOOPBACK_INDEX, Ipv4Addr::LOCALHOST, 8)?;
        self.address(
            NEW_ADDRESS,
            CREATE_NEW,
            LOOPBACK_INDEX,
            Ipv4Addr::LOCALHOST,
            32,
        )?;
        let index = self.index("eth0")?;
        self.address(NEW_ADDRESS, CREATE_NEW, index, own, 8)?;
        self.set_up(index)
    }

    fn set_up(&self, index: u32) -> io::Result<()> {
        self.ask(NEW_LINK, 0, &link(index, UP))
    }

    fn address(
        &self,
        what: u16,
        flags: u16,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let scope = if prefix == 32 { 254 } else { 0 };
        let mut body = vec![2, prefix, 0, scope];
        body.extend(index.to_ne_bytes());
        attribute(&mut body, LOCAL, &address.octets());
        attribute(&mut body, ADDRESS, &address.octets());
        self.ask(what, flags, &body)
    }

    fn index(&self, name: &str) -> io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(&self.socket, name)?)
    }

    /// Sends one message and waits for the kernel's verdict.
    fn ask(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(16 + body.len());
        let length = u32::try_from(16 + body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((REQUEST_WITH_ANSWER | flags).to_ne_bytes());
        message.extend([0_u8; 8]);
        message.extend(body);
        rustix::net::send(&self.socket, &message, SendFlags::empty())?;
        let mut answer = vec![0_u8; 8192];
        loop {
            let (length, _) = rustix::net::recv(&self.socket, &mut answer[..], RecvFlags::empty())?;
            if let Some(verdict) = verdict(answer.get(..length).unwrap_or_default()) {
                return verdict;
            }
        }
    }
}

/// Lets packets from and to loopback addresses cross the links of the network this process is in.
pub fn route_loopback_addresses() -> io::Result<()> {
    std::fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1\n")
}

/// Reads what the kernel answered; `None` when the message is about something else.
fn verdict(answer: &[u8]) -> Option<io::Result<()>> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    if kind != ERROR {
        return None;
    }
    let code = i32::from_ne_bytes(answer.get(16..20)?.try_into().ok()?);
    Some(if code == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(-code))
    })
}

/// The head of a message about a link.
fn link(index: u32, flags: u32) -> Vec<u8> {
    let mut head = vec![0, 0, 0, 0];
    head.extend(index.to_ne_bytes());
    head.extend(flags.to_ne_bytes());
    head.extend(flags.to_ne_bytes());
    head
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    body.extend(length.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    while !body.len().is_multiple_of(4) {
        body.push(0);
    }
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_to_four_bytes_and_say_their_true_length() {
        let mut body = Vec::new();
        attribute(&mut body, 3, b"ab");
        assert_eq!(body.len(), 8);
        assert_eq!(body[..2], 6_u16.to_ne_bytes());
    }

    #[test]
    fn an_error_of_the_kernel_is_told_from_other_messages() {
        let mut answer = vec![0_u8; 36];
        answer[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        assert!(verdict(&answer).unwrap().is_ok());
        answer[16..20].copy_from_slice(&(-17_i32).to_ne_bytes());
        assert_eq!(
            verdict(&answer).unwrap().unwrap_err().raw_os_error(),
            Some(17)
        );
        answer[4..6].copy_from_slice(&NEW_LINK.to_ne_bytes());
        assert!(verdict(&answer).is_none());
        assert!(verdict(&[1, 2]).is_none());
    }
}
