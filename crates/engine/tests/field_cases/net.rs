//! Sockets.

use super::Case;
use super::world::{INIT, P, SOCKET, World, address, engine, tuple};
use peregrine_engine::names::Names;
use peregrine_event::{code, defines};

pub const CASES: &[Case] = &[
    ("net_socket", net_socket),
    ("net_ipv4_connect", ipv4_connect),
    ("net_ipv4_connect_with_intermediate_event", intermediate_event),
    ("net_ipv6_multiple_connects", ipv6_multiple_connects),
    ("net_bind_listen_accept_ipv4", |w| serves(w, false)),
    ("net_bind_listen_accept_ipv6", |w| serves(w, true)),
    ("net_connect_exit_event_fails", connect_fails),
    ("net_connect_enter_event_is_empty", connect_enter_is_empty),
    ("net_connect_enter_event_is_missing", connect_enter_is_missing),
    ("check_some_fd_fields", some_fd_fields),
    ("(both ends)", both_ends),
    ("(host names)", host_names),
];

const STREAM: u32 = 1;
const DGRAM: u32 = 2;
const CLIENT: (&str, u16) = ("172.40.111.222", 54321);
const SERVER: (&str, u16) = ("142.251.111.147", 443);
const CLIENT_6: (&str, u16) = ("::1", 54321);
const SERVER_6: (&str, u16) = ("2001:4860:4860::8888", 443);
const NAME: &str = "172.40.111.222:54321->142.251.111.147:443";
const NAME_6: &str = "::1:54321->2001:4860:4860::8888:443";

/// The fields of both ends of a socket.
const ENDS: [&str; 8] = ["fd.sip", "fd.cip", "fd.rip", "fd.lip", "fd.cport", "fd.sport", "fd.lport", "fd.rport"];

fn net_socket(w: &mut World) {
    w.socket(defines::PPM_AF_INET, STREAM);
    w.expect_all(46, &[("fd.connected", "false"), ("fd.l4proto", "<NA>")]);
    w.expect(49, "fd.name", "");
    for (line, field) in (51..).zip(ENDS) {
        w.none(line, field);
    }
}

/// What both ends are, when the client is not this machine: then it is the remote one.
fn ends(client: (&str, u16), server: (&str, u16)) -> [(&'static str, String); 8] {
    let of = |end: (&str, u16)| (end.0.to_owned(), end.1.to_string());
    let ((cip, cport), (sip, sport)) = (of(client), of(server));
    [
        ("fd.sip", sip.clone()),
        ("fd.cip", cip.clone()),
        ("fd.rip", cip),
        ("fd.lip", sip),
        ("fd.cport", cport.clone()),
        ("fd.sport", sport.clone()),
        ("fd.lport", sport),
        ("fd.rport", cport),
    ]
}

/// Fields of the ends in the order of upstream's lines.
fn expect_ends(w: &mut World, lines: &[(u32, &str)], client: (&str, u16), server: (&str, u16)) {
    let ends = ends(client, server);
    for (line, field) in lines {
        let (_, want) = ends.iter().find(|(name, _)| name == field).expect("a field of an end");
        w.expect(*line, field, want);
    }
}

fn all_ends(w: &mut World, client: (&str, u16), server: (&str, u16)) {
    expect_ends(w, &ENDS.map(|field| (0, field)), client, server);
}

fn ipv4_connect(w: &mut World) {
    w.socket(defines::PPM_AF_INET, DGRAM);
    let server = address(SERVER.0, SERVER.1);
    w.event(INIT, code::SOCKET_CONNECT_E, &[P::I(SOCKET), P::R(&server)]);
    w.connect(0, &tuple(CLIENT, SERVER), &server);
    w.expect(0, "fd.name", NAME);
    w.expect(0, "fd.connected", "true");
    all_ends(w, CLIENT, SERVER);
}

fn intermediate_event(w: &mut World) {
    w.socket(defines::PPM_AF_INET, DGRAM);
    let (server, both) = (address(SERVER.0, SERVER.1), tuple(CLIENT, SERVER));
    w.event(INIT, code::SOCKET_CONNECT_E, &[P::I(SOCKET), P::R(&server)]);
    w.event(INIT, code::SOCKET_SENDTO_X, &[P::I(0), P::No, P::I(SOCKET), P::W(102), P::R(&both)]);
    w.connect(0, &both, &server);
    w.expect(0, "fd.connected", "true");
    w.expect(0, "fd.name", NAME);
}

fn ipv6_multiple_connects(w: &mut World) {
    w.socket(defines::PPM_AF_INET6, DGRAM);
    w.connect(0, &tuple(CLIENT_6, SERVER_6), &address(SERVER_6.0, SERVER_6.1));
    w.expect(0, "fd.name", NAME_6);
    w.expect(0, "fd.connected", "true");
    all_ends(w, CLIENT_6, SERVER_6);
    let other = address(SERVER_6.0, 8);
    w.event(INIT, code::SOCKET_CONNECT_E, &[P::I(SOCKET), P::R(&other)]);
    w.connect(0, &tuple(CLIENT_6, (SERVER_6.0, 8)), &other);
    w.expect(0, "fd.name_changed", "true");
    w.expect(0, "fd.name", "::1:54321->2001:4860:4860::8888:8");
    w.event(INIT, code::SOCKET_SENDTO_X, &[P::I(0), P::No, P::I(SOCKET), P::W(6), P::No]);
    w.expect(0, "fd.name", "::1:54321->2001:4860:4860::8888:8");
}

/// Binding, listening and accepting.
fn serves(w: &mut World, six: bool) {
    let (family, client, server) =
        if six { (defines::PPM_AF_INET6, CLIENT_6, SERVER_6) } else { (defines::PPM_AF_INET, CLIENT, SERVER) };
    w.socket(family, STREAM);
    w.event(INIT, code::SOCKET_BIND_X, &[P::I(0), P::R(&address(server.0, server.1)), P::I(SOCKET)]);
    let first = if six { 424 } else { 348 };
    w.expect_all(first, &[("fd.name", &format!("{}:{}", server.0, server.1)), ("fd.is_server", "true")]);
    if !six {
        w.expect(350, "fd.sip", server.0);
        w.expect(357, "fd.sport", "443");
        for (line, field) in
            [(351, "fd.cip"), (353, "fd.rip"), (355, "fd.lip"), (358, "fd.cport"), (359, "fd.rport"), (360, "fd.lport")]
        {
            w.none(line, field);
        }
    }
    w.event(INIT, code::SOCKET_LISTEN_X, &[P::I(0), P::I(SOCKET), P::W(5)]);
    let params = [P::I(6), P::R(&tuple(client, server)), P::B(0), P::W(0), P::W(5)];
    w.event(INIT, code::SOCKET_ACCEPT_5_X, &params);
    let next = if six { 454 } else { 389 };
    w.expect(next, "fd.name", if six { NAME_6 } else { NAME });
    let lines: Vec<(u32, &str)> = (next + 1..).zip(ENDS).collect();
    expect_ends(w, &lines, client, server);
    w.expect(next + 9, "fd.l4proto", "tcp");
}

/// The order of the ends' lines where upstream asks for the client's port after the server's.
const AFTER: [&str; 8] = ["fd.sip", "fd.cip", "fd.rip", "fd.lip", "fd.sport", "fd.cport", "fd.rport", "fd.lport"];

/// A connect that fails leaves the socket as it was.
fn connect_fails(w: &mut World) {
    w.socket(defines::PPM_AF_INET, STREAM);
    w.connect(0, &tuple(CLIENT, SERVER), &address(SERVER.0, SERVER.1));
    w.expect(498, "fd.name", NAME);
    let other = ("152.40.111.222", 25632);
    let sockaddr = address(other.0, other.1);
    w.event(INIT, code::SOCKET_CONNECT_E, &[P::I(SOCKET), P::R(&sockaddr)]);
    w.connect(-2, &tuple(CLIENT, other), &sockaddr);
    w.expect_all(535, &[("fd.name", NAME), ("fd.connected", "true")]);
    let lines: Vec<(u32, &str)> = (537..).zip(AFTER).collect();
    expect_ends(w, &lines, CLIENT, SERVER);
}

fn connect_enter_is_empty(w: &mut World) {
    w.socket(defines::PPM_AF_INET, DGRAM);
    w.connect(0, &tuple(CLIENT, SERVER), &address(SERVER.0, SERVER.1));
    w.event(INIT, code::SOCKET_CONNECT_E, &[P::I(SOCKET), P::No]);
    w.connect(-2, &tuple(("80.9.11.45", 12), ("152.40.111.222", 25632)), &[]);
    w.expect(624, "fd.name", NAME);
    let order = [&AFTER[..3], &["fd.cip"], &AFTER[3..]].concat();
    let lines: Vec<(u32, &str)> = (625..).zip(order).collect();
    expect_ends(w, &lines, CLIENT, SERVER);
}

fn connect_enter_is_missing(w: &mut World) {
    w.socket(defines::PPM_AF_INET, DGRAM);
    let (client, server) = (("80.9.11.45", 12), ("152.40.111.222", 25632));
    w.connect(0, &tuple(client, server), &address(server.0, server.1));
    w.expect(0, "fd.name", "80.9.11.45:12->152.40.111.222:25632");
    all_ends(w, client, server);
}

/// Fields that stand for both ends: one that is equal is enough, but both must differ. Upstream: `compare_ip`,
/// `compare_port`, `compare_net`.
fn both_ends(w: &mut World) {
    w.socket(defines::PPM_AF_INET, STREAM);
    w.connect(0, &tuple(CLIENT, SERVER), &address(SERVER.0, SERVER.1));
    for (condition, want) in [
        ("fd.ip = 172.40.111.222", true),
        ("fd.ip = 142.251.111.147", true),
        ("fd.ip != 142.251.111.147", false),
        ("fd.ip != 10.0.0.1", true),
        ("fd.ip in (10.0.0.1, 142.251.111.147)", true),
        ("fd.ip exists", true),
        ("fd.port = 443", true),
        ("fd.port = 54321", true),
        ("fd.port != 443", false),
        ("fd.port != 1", true),
        ("fd.port < 500", true),
        ("fd.port > 500", true),
        ("fd.port > 60000", false),
        ("fd.port in (22, 54321)", true),
        ("fd.proto = 443", true),
        ("fd.net = 172.40.0.0/16", true),
        ("fd.net != 172.40.0.0/16", false),
        ("fd.net in (142.251.0.0/16)", true),
        ("fd.snet = 142.251.0.0/16", true),
        ("fd.cnet = 142.251.0.0/16", false),
        ("fd.sip = val(fd.cip)", false),
    ] {
        w.holds(condition, want);
    }
    // A server's socket has one end.
    w.event(INIT, code::SOCKET_BIND_X, &[P::I(0), P::R(&address(SERVER.0, SERVER.1)), P::I(SOCKET)]);
    w.holds("fd.ip = 142.251.111.147", true);
    w.holds("fd.port != 54321", true);
    // What is no socket exists, and compares with nothing.
    w.open(INIT, 9, "/etc/hosts");
    for (condition, want) in [("fd.ip exists", true), ("fd.ip != 10.0.0.1", false), ("fd.port != 1", false)] {
        w.holds(condition, want);
    }
    // Neither does what has no descriptor at all.
    w.event(INIT, code::SYSCALL_GETCWD_X, &[P::I(0), P::T("/")]);
    w.holds("fd.ip exists", false);
}

/// Host names are those that conditions ask for, looked up forward. Upstream: `compare_domain`.
fn host_names(w: &mut World) {
    fn lookup(name: &str) -> Option<Vec<std::net::IpAddr>> {
        let address = |text: &str| text.parse().expect("an address");
        match name {
            "server.example" | "alias.example" => Some(vec![address(SERVER.0)]),
            "client.example" => Some(vec![address(CLIENT.0)]),
            _ => None,
        }
    }
    let condition = "fd.sip.name in (server.example, alias.example) or not fd.cip.name = client.example or fd.name = x";
    let names = engine(condition, &peregrine_engine::fields::Fields::syscall()).host_names().to_vec();
    assert_eq!(names, ["alias.example", "client.example", "server.example"]);
    w.session.names = Names::watch(names, lookup, std::time::Duration::from_secs(60)).expect("a thread");
    w.socket(defines::PPM_AF_INET, STREAM);
    w.connect(0, &tuple(CLIENT, SERVER), &address(SERVER.0, SERVER.1));
    w.expect(0, "fd.sip.name", "alias.example");
    w.expect(0, "fd.cip.name", "client.example");
    // The client is another machine, so that it is the remote end.
    w.expect(0, "fd.rip.name", "client.example");
    for (condition, want) in [
        ("fd.sip.name = alias.example", true),
        ("fd.sip.name = server.example", true),
        ("fd.sip.name != server.example", false),
        ("fd.sip.name = client.example", false),
        ("fd.sip.name != client.example", true),
        ("fd.sip.name in (nobody.example, server.example)", true),
        ("fd.lip.name = server.example", true),
        ("fd.cip.name = client.example", true),
    ] {
        w.holds(condition, want);
    }
    // An address without a name differs from every name.
    w.connect(0, &tuple(CLIENT, ("192.0.2.9", 80)), &address("192.0.2.9", 80));
    w.none(0, "fd.sip.name");
    w.holds("fd.sip.name = server.example", false);
    w.holds("fd.sip.name != server.example", true);
    w.open(INIT, 9, "/etc/hosts");
    for (condition, want) in [("fd.sip.name exists", true), ("fd.sip.name != server.example", false)] {
        w.holds(condition, want);
    }
}

fn some_fd_fields(w: &mut World) {
    w.socket(defines::PPM_AF_INET6, DGRAM);
    w.connect(0, &tuple(CLIENT_6, SERVER_6), &address(SERVER_6.0, SERVER_6.1));
    w.expect_set(378, "fd.types", "(ipv6,file)");
    w.expect_set(386, "fd.types", "(ipv6,file)");
}
