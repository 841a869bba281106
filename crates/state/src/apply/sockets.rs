//! `socket`, `socketpair`, `bind`, `connect`, `accept`.

use super::tuples::{Tuple, type_of};
use super::{success, u32_of};
use crate::fd::{FdType, Role, l4};
use crate::inspect::{Context, State};
use crate::text;
use crate::thread::Slot;
use peregrine_event::Event;
use peregrine_event::code::SOCKET_ACCEPT4_6_X;
use peregrine_event::defines::{PPM_AF_INET, PPM_AF_INET6, PPM_AF_NETLINK, PPM_AF_UNIX, PPM_O_CLOEXEC};
use peregrine_event::record::Tag;
use peregrine_event::sock::{SockAddr, SockTuple, sockaddr, socktuple};
use std::net::IpAddr;

/// What a call to `socket` asks for.
pub(super) struct Asked {
    pub(super) domain: u32,
    pub(super) ty: u32,
    pub(super) protocol: u32,
    pub(super) flags: u32,
}

pub(super) const SOCK_DGRAM: u32 = 2;
pub(super) const IPPROTO_UDP: u32 = 17;

pub(super) fn socket(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((_, fd)) = success(event, context) else { return };
    let asked =
        Asked { domain: u32_of(event, 1), ty: u32_of(event, 2), protocol: u32_of(event, 3), flags: u32_of(event, 4) };
    add_socket(state, context, fd, &asked);
}

pub(super) fn add_socket(state: &mut State, context: &mut Context, fd: i64, asked: &Asked) {
    let ty = match i64::from(asked.domain) {
        PPM_AF_UNIX => FdType::UnixSock,
        PPM_AF_INET => FdType::Ipv4Sock,
        PPM_AF_INET6 => FdType::Ipv6Sock,
        PPM_AF_NETLINK => FdType::Netlink,
        _ => FdType::Unknown,
    };
    let mut info = state.pool.fd();
    info.set_kind(ty, asked.flags);
    info.raw.set_proto(ty, protocol(asked));
    info.sync_sock();
    state.add_fd(context, fd, info, true);
}

/// The transport protocol that a socket speaks.
fn protocol(asked: &Asked) -> u8 {
    const SOCK_STREAM: u32 = 1;
    const SOCK_RAW: u32 = 3;
    const IPPROTO_ICMP: u32 = 1;
    const IPPROTO_TCP: u32 = 6;
    const IPPROTO_RAW: u32 = 255;
    let raw = asked.ty == SOCK_RAW;
    match asked.protocol {
        IPPROTO_TCP | IPPROTO_UDP | IPPROTO_ICMP if raw => l4::RAW,
        IPPROTO_TCP => l4::TCP,
        IPPROTO_UDP => l4::UDP,
        IPPROTO_ICMP => l4::ICMP,
        IPPROTO_RAW => l4::RAW,
        0 => match asked.ty & 0xff {
            SOCK_STREAM => l4::TCP,
            SOCK_DGRAM => l4::UDP,
            _ => l4::UNKNOWN,
        },
        _ => l4::UNKNOWN,
    }
}

/// Close-on-exec among the bits of a socket's type, on all machines.
const SOCK_CLOEXEC: u32 = 0o2_000_000;

/// Two unix sockets; the event shows what is known of the first under the number of the second.
pub(super) fn socketpair(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if success(event, context).is_none() {
        return;
    }
    let (Some(first), Some(second)) = (event.int(1), event.int(2)) else { return };
    if first == second {
        return;
    }
    // Upstream overlooks it.
    let closes = state.own && u32_of(event, 6) & SOCK_CLOEXEC != 0;
    let flags = if closes { PPM_O_CLOEXEC as u32 } else { 0 };
    let mut shown = None;
    for fd in [first, second] {
        let mut info = state.pool.fd();
        info.set_kind(FdType::UnixSock, flags);
        info.raw.set_unix(event.uint(3).unwrap_or(0), event.uint(4).unwrap_or(0));
        info.sync_sock();
        state.add_fd(context, fd, info, true);
        shown.get_or_insert((context.has_fd, context.fd_slot, context.fd_key));
    }
    if let Some(shown) = shown {
        (context.has_fd, context.fd_slot, context.fd_key) = shown;
    }
}

/// A bound port makes a server socket; the name is the address, whatever the family. Where the program leaves the port to
/// the kernel, the kernel's record has it.
pub(super) fn bind(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if success(event, context).is_none() {
        return;
    }
    let Some(mut addr) = event.value(1).and_then(sockaddr) else { return };
    if let (SockAddr::Inet(..), Some(SockTuple::Inet { sip, sport, .. })) =
        (addr, event.record(Tag::SockTuple).and_then(socktuple))
    {
        addr = SockAddr::Inet(sip, sport);
    }
    let mut name = std::mem::take(&mut state.pool.path);
    name.clear();
    text::sockaddr(&addr, &mut name);
    if let Some(info) = state.event_fd_mut(context) {
        if let SockAddr::Inet(ip, port @ 1..) = addr {
            let (ip, mapped) = match ip {
                IpAddr::V6(v6) if peregrine_event::sock::is_mapped(v6) => (low_v4(v6), true),
                ip => (ip, false),
            };
            let ty = if ip.is_ipv4() { FdType::Ipv4ServSock } else { FdType::Ipv6ServSock };
            // The protocol is read where the socket's own family keeps it.
            let family = if mapped || !ip.is_ipv4() { FdType::Ipv6Sock } else { FdType::Ipv4Sock };
            let proto = info.raw.proto(family);
            info.raw.set_server(ty, ip, port);
            info.raw.set_proto(ty, proto);
            (info.ty, info.role) = (ty, Role::Server);
            info.sync_sock();
        }
        context.name_changed = info.rename(&name);
    }
    state.pool.path = name;
}

fn low_v4(addr: std::net::Ipv6Addr) -> IpAddr {
    let [.., a, b, c, d] = addr.octets();
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}

pub(super) fn connect(state: &mut State, event: &Event<'_>, context: &mut Context) {
    const EINPROGRESS: i64 = -115;
    let connected = super::result(event).is_some_and(|result| result >= 0 || result == EINPROGRESS);
    let (Some(Slot(_)), true, true) = (context.thread, context.has_fd, connected) else { return };
    if let Some(info) = state.event_fd_mut(context) {
        info.connected = true;
    }
    let stored = state.take_enter(event, context);
    let enter = stored.as_deref().and_then(|bytes| Event::parse(bytes, event.cpu).ok());
    let asked = enter.and_then(|enter| enter.value(1)).and_then(sockaddr);
    let tuple = event.record(Tag::SockTuple).or_else(|| event.value(1));
    match (tuple, asked) {
        (None, Some(asked)) => connect_to(state, context, &asked),
        (None, None) => {}
        (Some(tuple), asked) => {
            if let Some(tuple) = socktuple(tuple) {
                connected_as(state, context, tuple, event.value(3).and_then(sockaddr), asked);
            }
        }
    }
    if let Some(bytes) = stored {
        state.pool.recycle_enter(bytes);
    }
}

/// No tuple, but the address that was asked for: only the destination is known, the name stays.
fn connect_to(state: &mut State, context: &mut Context, asked: &SockAddr<'_>) {
    let own = state.own;
    let mut name = std::mem::take(&mut state.pool.path);
    if let Some(info) = state.event_fd_mut(context) {
        match *asked {
            SockAddr::Inet(ip, port) => {
                let ip = match ip {
                    IpAddr::V6(v6) if peregrine_event::sock::is_mapped(v6) => low_v4(v6),
                    ip => ip,
                };
                info.become_sock(type_of(ip), own);
                let (sip, sport, ..) = info.raw.tuple(info.ty);
                info.raw.set_tuple(info.ty, (sip, sport, ip, port));
                info.sync_sock();
            }
            // The exit event's own tuple, which is empty, names it.
            _ => context.name_changed = info.rename(b"NULL"),
        }
    }
    name.clear();
    state.pool.path = name;
}

/// What the kernel says the socket is connected to.
fn connected_as(
    state: &mut State,
    context: &mut Context,
    tuple: SockTuple<'_>,
    exit: Option<SockAddr<'_>>,
    enter: Option<SockAddr<'_>>,
) {
    let own = state.own;
    let mut name = std::mem::take(&mut state.pool.path);
    if let Some(info) = state.event_fd_mut(context) {
        match tuple {
            SockTuple::Inet { sip, sport, dip, dport } => {
                let (dip, dport) = destination((dip, dport), exit, enter);
                let tuple: Tuple = (sip, sport, dip, dport);
                info.become_sock(type_of(sip), own);
                let changed = info.set_tuple(info.ty, tuple, true);
                if changed && info.role == Role::Server && info.ty == FdType::Ipv4Sock && info.l4proto == l4::UDP {
                    info.swap_ends();
                }
                context.name_changed = info.rename_sock(&mut name);
            }
            SockTuple::Unix { source, dest, path } if info.ty == FdType::UnixSock => {
                let path = match (exit, enter) {
                    (Some(SockAddr::Unix(exit)), Some(SockAddr::Unix(enter))) if exit == path => enter,
                    _ => path,
                };
                info.raw.set_unix(source, dest);
                info.sync_sock();
                name.clear();
                text::unix_tuple(source, dest, path, &mut name);
                context.name_changed = info.rename(&name);
            }
            _ => {
                state.pool.path = name;
                return;
            }
        }
        if info.role == Role::None {
            info.role = Role::Client;
        }
    }
    state.pool.path = name;
}

/// Where the exit event's address equals the tuple's destination, the tuple may come from user memory, and the enter
/// event's address is the one that the kernel used.
fn destination(tuple: (IpAddr, u16), exit: Option<SockAddr<'_>>, enter: Option<SockAddr<'_>>) -> (IpAddr, u16) {
    let plain = |ip: IpAddr| match ip {
        IpAddr::V6(v6) if peregrine_event::sock::is_mapped(v6) => low_v4(v6),
        ip => ip,
    };
    match (exit, enter) {
        (Some(SockAddr::Inet(exit, port)), Some(SockAddr::Inet(enter, enter_port)))
            if (plain(exit), port) == (plain(tuple.0), tuple.1) && plain(enter).is_ipv4() == tuple.0.is_ipv4() =>
        {
            (if tuple.0.is_ipv4() { plain(enter) } else { enter }, enter_port)
        }
        _ => tuple,
    }
}

pub(super) fn accept(state: &mut State, event: &Event<'_>, context: &mut Context) {
    let Some((_, fd)) = success(event, context) else { return };
    state.set_last_fd(context, fd);
    let tuple = event.record(Tag::SockTuple).or_else(|| event.value(1));
    let Some(tuple) = tuple.and_then(socktuple) else { return };
    let cloexec = event.code == SOCKET_ACCEPT4_6_X && i64::from(u32_of(event, 5)) & PPM_O_CLOEXEC != 0;
    let mut info = state.pool.fd();
    let flags = if cloexec { PPM_O_CLOEXEC as u32 } else { 0 };
    match tuple {
        SockTuple::Inet { sip, sport, dip, dport } => {
            info.set_kind(type_of(sip), flags);
            info.raw.set_tuple(info.ty, (sip, sport, dip, dport));
            info.raw.set_proto(info.ty, l4::TCP);
        }
        SockTuple::Unix { source, dest, .. } => {
            info.set_kind(FdType::UnixSock, flags);
            info.raw.set_unix(source, dest);
        }
        SockTuple::Other(_) => return state.pool.recycle(info),
    }
    info.sync_sock();
    text::socktuple(&tuple, &mut info.name);
    info.role = Role::Server;
    info.connected = true;
    state.add_fd(context, fd, info, true);
}
