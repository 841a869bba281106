//! Host names of the event's socket's ends.
//!
//! Upstream compares the one name that it finds first for an address, and if it finds none it looks the constant up; here
//! an address has all of its names, so that it does not matter in which order they were found.

use super::fd::known;
use super::row::*;
use super::socket::{Ends, places, sides};
use std::net::IpAddr;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fd.cip.name", T::Charbuf, F::Na, cname, "Host name of the client's address, of those that rules ask for.").flags(FLAGS).multi(Multi::Ends, cnames),
    f("fd.sip.name", T::Charbuf, F::Na, sname, "Host name of the server's address, of those that rules ask for.").flags(FLAGS).multi(Multi::Ends, snames),
    f("fd.lip.name", T::Charbuf, F::Na, lname, "Host name of the local address, of those that rules ask for.").flags(FLAGS).multi(Multi::Ends, lnames),
    f("fd.rip.name", T::Charbuf, F::Na, rname, "Host name of the remote address, of those that rules ask for.").flags(FLAGS).multi(Multi::Ends, rnames),
];

const FLAGS: u16 = flag::NO_TRANSFORMER | flag::NO_RHS;

/// Whether a field is one of these.
pub(crate) fn is_host_name(field: &str) -> bool {
    ROWS.iter().any(|row| row.info.name == field)
}

take! {
    cname = |m| first(m, client(m)?);
    sname = |m| first(m, server(m)?);
    lname = |m| first(m, places(m)?[0].0);
    rname = |m| first(m, places(m)?[1].0);
    cnames = |m| all(m, client(m));
    snames = |m| all(m, server(m));
    lnames = |m| all(m, places(m).map(|places| places[0].0));
    rnames = |m| all(m, places(m).map(|places| places[1].0));
}

fn client(m: &Moment<'_>) -> Option<IpAddr> {
    sides(m)?.client.map(|client| client.0)
}

fn server(m: &Moment<'_>) -> Option<IpAddr> {
    sides(m).map(|Ends { server, .. }| server.0)
}

/// One name, for output.
fn first<'a>(m: &Moment<'a>, address: IpAddr) -> Option<Value<'a>> {
    m.session.names.with(address, |names| names.first().map(|name| Value::Bytes(m.scratch.alloc_slice_copy(name))))
}

/// All names, for conditions. A connected socket without any has an empty one, which differs from every name; what has no
/// such end has an empty list: every comparison is false.
fn all<'a>(m: &Moment<'a>, address: Option<IpAddr>) -> Option<Value<'a>> {
    let fd = known(m)?;
    let Some(address) = address else { return Some(Value::List(&[])) };
    m.session.names.with(address, |names| {
        let names = names.iter().map(|name| Value::Bytes(m.scratch.alloc_slice_copy(name)));
        let connected = !super::socket::is_server_socket(fd.ty);
        let none: &[Value<'a>] = if connected { &[Value::Bytes(b"")] } else { &[] };
        Some(m.list(names).unwrap_or(Value::List(none)))
    })
}
