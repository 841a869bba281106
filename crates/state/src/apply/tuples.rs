//! A socket's addresses as events change them.
//!
//! Semantics: `set_ipv4_addresses_and_ports` and its kin, `update_fd`, `swap_addresses`, `set_net_role_by_guessing`,
//! `sockinfo_to_str` and `sinsp_network_interfaces::update_fd` of libsinsp.

use crate::fd::{FdInfo, FdTable, FdType, Role, SockName, l4};
use crate::text;
use crate::thread::replace;
use peregrine_capture::tables::Interface;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Source address and port, destination address and port.
pub(super) type Tuple = (IpAddr, u16, IpAddr, u16);

/// The type of a socket with such addresses.
pub(super) fn type_of(addr: IpAddr) -> FdType {
    if addr.is_ipv4() { FdType::Ipv4Sock } else { FdType::Ipv6Sock }
}

impl FdInfo {
    /// Makes it a socket of that type. With `own` addresses and protocol move along; otherwise what was there is read in
    /// the new layout, as upstream does.
    pub(super) fn become_sock(&mut self, ty: FdType, own: bool) {
        let proto = self.l4proto;
        if own && self.ty != ty {
            self.raw = Default::default();
            self.raw.set_proto(ty, proto);
        }
        (self.ty, self.typed) = (ty, true);
        self.sync_sock();
    }

    /// Takes a tuple; `false` if nothing changed. `compare` says whether the tuple in either direction counts as no
    /// change.
    pub(super) fn set_tuple(&mut self, layout: FdType, new: Tuple, compare: bool) -> bool {
        let old = self.raw.tuple(layout);
        let (sip, sport, dip, dport) = new;
        if compare && (old == new || old == (dip, dport, sip, sport)) {
            return false;
        }
        // An unspecified destination that is set counts as a change even if it stays unspecified.
        let changed = new != old || old.2.is_unspecified() || old.3 == 0;
        self.raw.set_tuple(layout, new);
        self.sync_sock();
        changed
    }

    /// Exchanges both ends.
    pub(super) fn swap_ends(&mut self) {
        let layout = if self.ty == FdType::Ipv4Sock { FdType::Ipv4Sock } else { FdType::Ipv6Sock };
        let (sip, sport, dip, dport) = self.raw.tuple(layout);
        self.raw.set_tuple(layout, (dip, dport, sip, sport));
        self.sync_sock();
    }

    /// Completes a tuple that lacks one of its addresses from the host's interfaces.
    pub(crate) fn complete(&mut self, interfaces: &[Interface]) {
        if !self.is_inet_sock() {
            return;
        }
        let (mut sip, sport, mut dip, dport) = self.raw.tuple(self.ty);
        let (missing, known) = if sip.is_unspecified() {
            (&mut sip, dip)
        } else if dip.is_unspecified() {
            (&mut dip, sip)
        } else {
            return;
        };
        let inferred = infer(interfaces, known);
        if inferred == known && sport == dport {
            return;
        }
        *missing = inferred;
        self.raw.set_tuple(self.ty, (sip, sport, dip, dport));
        self.sync_sock();
    }

    /// Derives the name of an inet socket from its addresses; `scratch` is overwritten. Whether it changed.
    pub(crate) fn rename_sock(&mut self, scratch: &mut Vec<u8>) -> bool {
        scratch.clear();
        let SockName::Inet { sip, sport, dip, dport } = self.sock else { return false };
        match (self.l4proto, self.ty) {
            (l4::TCP | l4::UDP, _) => text::tuple(sip, sport, dip, dport, scratch),
            (l4::ICMP, _) | (l4::RAW, FdType::Ipv4Sock) => {
                text::ip(sip, scratch);
                scratch.extend_from_slice(b"->");
                text::ip(dip, scratch);
            }
            _ => scratch.extend_from_slice(b"<unknown>"),
        }
        self.rename(scratch)
    }

    /// Sets the name; whether it changed.
    pub(super) fn rename(&mut self, name: &[u8]) -> bool {
        let changed = self.name != name;
        if changed {
            replace(&mut self.name, name);
        }
        changed
    }
}

/// The host's own address towards another: itself, one in its network, or the first that is not loopback.
fn infer(interfaces: &[Interface], towards: IpAddr) -> IpAddr {
    let same_family = || interfaces.iter().filter(|i| i.addr.is_ipv4() == towards.is_ipv4());
    let loopback = if towards.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) };
    let none = if towards.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let found = same_family().find(|i| i.addr == towards);
    let found = found.or_else(|| same_family().find(|i| in_network(i, towards)));
    found.or_else(|| same_family().find(|i| i.addr != loopback)).map_or(none, |i| i.addr)
}

/// IPv6 networks are taken to have 64 bits.
fn in_network(interface: &Interface, addr: IpAddr) -> bool {
    match (interface.addr, interface.netmask, addr) {
        (IpAddr::V4(own), IpAddr::V4(mask), IpAddr::V4(addr)) => own & mask == addr & mask,
        (IpAddr::V6(own), _, IpAddr::V6(addr)) => own.octets()[..8] == addr.octets()[..8],
        _ => false,
    }
}

/// Which end a socket plays that has just sent or received for the first time. Ports are read in the IPv4 layout,
/// whatever the type (odd).
pub(super) fn guess_role(table: &FdTable, ports: (u16, u16), incoming: bool) -> Role {
    let (sport, dport) = ports;
    let mut bound = false;
    let mut client_port = false;
    for (_, info) in table.iter() {
        match info.ty {
            FdType::Ipv4Sock => {
                bound |= info.raw.v4_dport() == dport;
                client_port |= info.raw.v4_sport() == sport;
            }
            FdType::Ipv4ServSock => {
                bound |= matches!(info.sock, SockName::Inet { sport, .. } if sport == dport);
            }
            _ => {}
        }
    }
    match (bound, client_port, incoming) {
        (false, ..) => Role::Client,
        (true, false, _) | (true, true, true) => Role::Server,
        (true, true, false) => Role::Client,
    }
}
