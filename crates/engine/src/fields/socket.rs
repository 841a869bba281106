//! Fields of the event's descriptor if it is a socket.

use super::fd::known;
use super::row::*;
use peregrine_state::fd::{FdType, l4};
use peregrine_state::{FdInfo, Role, SockName};
use std::fmt::Write;
use std::net::IpAddr;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fd.ip", T::Ipaddr, F::Na, no_value, "Either end's address.").flags(FILTER).multi(Multi::Ends, ips),
    f("fd.cip", T::Ipaddr, F::Na, cip, "Client's address."),
    f("fd.sip", T::Ipaddr, F::Na, sip, "Server's address."),
    f("fd.lip", T::Ipaddr, F::Na, lip, "Local address."),
    f("fd.rip", T::Ipaddr, F::Na, rip, "Remote address."),
    f("fd.port", T::Port, F::Dec, no_value, "Either end's port.").flags(FILTER).multi(Multi::Ends, ports),
    f("fd.cport", T::Port, F::Dec, cport, "Client's port."),
    f("fd.sport", T::Port, F::Dec, sport, "Server's port."),
    f("fd.lport", T::Port, F::Dec, lport, "Local port."),
    f("fd.rport", T::Port, F::Dec, rport, "Remote port."),
    f("fd.l4proto", T::Charbuf, F::Na, l4proto, "Transport protocol: `tcp`, `udp`, `icmp` or `raw`."),
    f("fd.sockfamily", T::Charbuf, F::Na, sockfamily, "`ip` or `unix`."),
    f("fd.is_server", T::Bool, F::Na, is_server, "Whether the process is the connection's server."),
    f("fd.proto", T::Port, F::Na, no_value, "Either end's port, as a service.").flags(FILTER).multi(Multi::Ends, ports),
    f("fd.cproto", T::Charbuf, F::Na, cproto, "Client's port, as a service."),
    f("fd.sproto", T::Charbuf, F::Na, sproto, "Server's port, as a service."),
    f("fd.lproto", T::Charbuf, F::Na, lproto, "Local port, as a service."),
    f("fd.rproto", T::Charbuf, F::Na, rproto, "Remote port, as a service."),
    f("fd.net", T::Ipnet, F::Na, no_value, "Network that either end's address lies in.").flags(FILTER).multi(Multi::Ends, ips),
    f("fd.cnet", T::Ipnet, F::Na, cip, "Network that the client's address lies in.").flags(FILTER),
    f("fd.snet", T::Ipnet, F::Na, sip, "Network that the server's address lies in.").flags(FILTER),
    f("fd.lnet", T::Ipnet, F::Na, lip, "Network that the local address lies in.").flags(FILTER),
    f("fd.rnet", T::Ipnet, F::Na, rip, "Network that the remote address lies in.").flags(FILTER),
];

/// Addresses of a socket: of a connected one both ends, of a bound one only the server's.
pub(super) struct Ends {
    /// The client's, which is the source.
    pub(super) client: Option<(IpAddr, u16)>,
    /// The server's, which is the destination.
    pub(super) server: (IpAddr, u16),
}

fn ends(fd: &FdInfo) -> Option<Ends> {
    let SockName::Inet { sip, sport, dip, dport } = fd.sock else { return None };
    match fd.ty {
        FdType::Ipv4ServSock | FdType::Ipv6ServSock => Some(Ends { client: None, server: (sip, sport) }),
        FdType::Ipv4Sock | FdType::Ipv6Sock => Some(Ends { client: Some((sip, sport)), server: (dip, dport) }),
        _ => None,
    }
}

/// The ends of the event's socket, if it is known which is whose.
pub(super) fn sides(m: &Moment<'_>) -> Option<Ends> {
    known(m).filter(|fd| fd.role != Role::None).and_then(ends)
}

/// The local and the remote end of a connected socket.
pub(super) fn places(m: &Moment<'_>) -> Option<[(IpAddr, u16); 2]> {
    let Ends { client: Some(client), server } = sides(m)? else { return None };
    Some(if is_local(m, client.0) { [client, server] } else { [server, client] })
}

take! {
    cip = |m| Some(Value::Ip(sides(m)?.client?.0));
    sip = |m| Some(Value::Ip(sides(m)?.server.0));
    lip = |m| Some(Value::Ip(places(m)?[0].0));
    rip = |m| Some(Value::Ip(places(m)?[1].0));
    cport = |m| Some(port(sides(m)?.client?.1));
    sport = |m| {
        // A server's own port needs no role.
        let fd = known(m).filter(|fd| fd.role != Role::None || is_server_socket(fd.ty))?;
        Some(port(ends(fd)?.server.1))
    };
    lport = |m| Some(port(places(m)?[0].1));
    rport = |m| Some(port(places(m)?[1].1));
    cproto = |m| {
        let fd = known(m).filter(|fd| fd.role != Role::None)?;
        Some(service(m, ends(fd).and_then(|ends| ends.client)))
    };
    sproto = |m| {
        let fd = known(m).filter(|fd| fd.role != Role::None || is_server_socket(fd.ty))?;
        let ends = ends(fd)?;
        // Only a connected socket's has a text.
        Some(service(m, ends.client.map(|_| ends.server)))
    };
    lproto = |m| Some(service(m, Some(places(m)?[0])));
    rproto = |m| Some(service(m, Some(places(m)?[1])));
    l4proto = |m| Some(Value::Bytes(match protocol(known(m)?) {
        l4::TCP => b"tcp",
        l4::UDP => b"udp",
        l4::ICMP => b"icmp",
        l4::RAW => b"raw",
        _ => b"<NA>",
    }));
    sockfamily = |m| match known(m)?.ty {
        FdType::Ipv4Sock | FdType::Ipv6Sock | FdType::Ipv4ServSock | FdType::Ipv6ServSock => Some(Value::Bytes(b"ip")),
        FdType::UnixSock => Some(Value::Bytes(b"unix")),
        _ => None,
    };
    is_server = |m| {
        let fd = known(m)?;
        Some(Value::Bool(is_server_socket(fd.ty) || ends(fd).is_some_and(|ends| is_local(m, ends.server.0))))
    };
    ips = |m| both(m, |(addr, _)| Value::Ip(addr));
    ports = |m| both(m, |(_, number)| port(number));
}

/// A socket's transport protocol. Unless it is raw, a socket without a role has none, as upstream tells it.
pub(super) fn protocol(fd: &FdInfo) -> u8 {
    match fd.ty {
        FdType::Ipv4ServSock | FdType::Ipv6ServSock => fd.l4proto,
        FdType::Ipv4Sock | FdType::Ipv6Sock if fd.role != Role::None || fd.l4proto == l4::RAW => fd.l4proto,
        _ => l4::NOT_APPLICABLE,
    }
}

/// A part of both ends, of a server socket of its one; an empty list for a descriptor that is no inet socket.
fn both<'a>(m: &Moment<'a>, part: fn((IpAddr, u16)) -> Value<'a>) -> Option<Value<'a>> {
    let ends = ends(known(m)?);
    let all = ends.into_iter().flat_map(|ends| ends.client.into_iter().chain([ends.server]));
    Some(m.list(all.map(part)).unwrap_or(Value::List(&[])))
}

pub(super) fn is_server_socket(ty: FdType) -> bool {
    matches!(ty, FdType::Ipv4ServSock | FdType::Ipv6ServSock)
}

fn port<'a>(number: u16) -> Value<'a> {
    Value::Uint(u64::from(number))
}

/// A port as text. Services are not looked up by name.
fn service<'a>(m: &Moment<'a>, end: Option<(IpAddr, u16)>) -> Value<'a> {
    Value::Bytes(m.build(|out| {
        if let Some((_, number)) = end {
            let _ = write!(out, "{number}");
        }
    }))
}

/// Whether an address is this machine's: one of the interfaces', of IPv6 the first 64 bits. A container's own
/// addresses are not known yet, so that nothing is local there.
fn is_local(m: &Moment<'_>, addr: IpAddr) -> bool {
    let in_container = m.thread().is_some_and(|thread| !m.container_id(thread).is_empty());
    !in_container
        && m.state.interfaces().iter().any(|interface| match (interface.addr, addr) {
            (IpAddr::V4(own), IpAddr::V4(addr)) => own == addr,
            (IpAddr::V6(own), IpAddr::V6(addr)) => own.octets()[..8] == addr.octets()[..8],
            _ => false,
        })
}
