//! Fields of the descriptors that `poll` and `ppoll` wait for.

use super::access::Text;
use super::render::{param, socket};
use super::row::*;
use peregrine_event::code;
use peregrine_state::fd::FdType;
use peregrine_state::{FdInfo, SockName};
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fdlist.nums", T::Charbuf, F::Id, nums, "Numbers of the polled descriptors, commas between."),
    f("fdlist.names", T::Charbuf, F::Na, names, "Names of the polled descriptors, commas between."),
    f("fdlist.cips", T::Charbuf, F::Na, cips, "Client addresses of the polled sockets, commas between."),
    f("fdlist.sips", T::Charbuf, F::Na, sips, "Server addresses of the polled sockets, commas between."),
    f("fdlist.cports", T::Charbuf, F::Dec, cports, "Client ports of the polled sockets, commas between."),
    f("fdlist.sports", T::Charbuf, F::Dec, sports, "Server ports of the polled sockets, commas between."),
];

take! {
    nums = |m| each(m, |out, fd, _| {
        let _ = write!(out, "{fd}");
    });
    names = |m| each(m, |out, _, info| {
        let name = info.map(|info| &info.name[..]).filter(|name| !name.is_empty());
        out.push(name.unwrap_or(param::NA));
    });
    cips = |m| each(m, |out, _, info| {
        if let Some(SockName::Inet { sip, .. }) = connected(info) {
            socket::ip(out, sip);
        }
    });
    sips = |m| each(m, |out, _, info| match info.map(|info| (info.ty, info.sock)) {
        Some((FdType::Ipv4Sock | FdType::Ipv6Sock, SockName::Inet { dip, .. })) => socket::ip(out, dip),
        Some((FdType::Ipv4ServSock | FdType::Ipv6ServSock, SockName::Inet { sip, .. })) => socket::ip(out, sip),
        _ => {}
    });
    cports = |m| each(m, |out, _, info| {
        if let Some(SockName::Inet { sport, .. }) = connected(info) {
            let _ = write!(out, "{sport}");
        }
    });
    sports = |m| each(m, |out, _, info| {
        if let Some(SockName::Inet { dport, .. }) = connected(info) {
            let _ = write!(out, "{dport}");
        }
    });
}

fn connected(info: Option<&FdInfo>) -> Option<SockName> {
    info.filter(|info| matches!(info.ty, FdType::Ipv4Sock | FdType::Ipv6Sock)).map(|info| info.sock)
}

/// What `write` writes of each descriptor, commas between those of which it writes something.
fn each<'a>(m: &Moment<'a>, write: impl Fn(&mut Text<'a>, i64, Option<&'a FdInfo>)) -> Option<Value<'a>> {
    if !matches!(m.event.code, code::SYSCALL_POLL_X | code::SYSCALL_PPOLL_X) {
        return None;
    }
    m.thread()?;
    let all = m.build(|out| {
        for (fd, _) in param::fd_list(m.event.param(1).unwrap_or_default()) {
            let piece = m.build(|piece| write(piece, fd, m.fd(fd)));
            if !piece.is_empty() {
                out.separate(b",");
                out.push(piece);
            }
        }
    });
    (!all.is_empty()).then_some(Value::Bytes(all))
}
