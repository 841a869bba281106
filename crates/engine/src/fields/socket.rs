//! Fields of the event's descriptor if it is a socket.

use super::row::*;

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
    f("fd.cip.name", T::Charbuf, F::Na, no_value, "Host name of the client's address.").flags(flag::NO_TRANSFORMER | flag::NO_RHS),
    f("fd.sip.name", T::Charbuf, F::Na, no_value, "Host name of the server's address.").flags(flag::NO_TRANSFORMER | flag::NO_RHS),
    f("fd.lip.name", T::Charbuf, F::Na, no_value, "Host name of the local address.").flags(flag::NO_TRANSFORMER | flag::NO_RHS),
    f("fd.rip.name", T::Charbuf, F::Na, no_value, "Host name of the remote address.").flags(flag::NO_TRANSFORMER | flag::NO_RHS),
];

fn ips<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cip<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sip<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn lip<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rip<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn ports<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cport<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sport<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn lport<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rport<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn l4proto<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sockfamily<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_server<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cproto<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sproto<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn lproto<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn rproto<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
