//! Sockets: names, roles, protocols.

use crate::build::{P::*, act, apply, fd, state, with_records};
use peregrine_event::code::*;
use peregrine_event::record::Tag;
use peregrine_state::fd::l4;
use peregrine_state::{FdType, Role, SockName, State};

const INET: u32 = 2;
const INET6: u32 = 10;

fn v4(text: &str) -> [u8; 4] {
    text.parse::<std::net::Ipv4Addr>().unwrap().octets()
}

fn addr(ip: &str, port: u16) -> Vec<u8> {
    [&[2][..], &v4(ip), &port.to_le_bytes()].concat()
}

fn tuple(sip: &str, sport: u16, dip: &str, dport: u16) -> Vec<u8> {
    [&[2][..], &v4(sip), &sport.to_le_bytes(), &v4(dip), &dport.to_le_bytes()].concat()
}

fn mapped(sip: &str, sport: u16, dip: &str, dport: u16) -> Vec<u8> {
    let wide = |ip: &str| ip.parse::<std::net::Ipv4Addr>().unwrap().to_ipv6_mapped().octets();
    [&[10][..], &wide(sip), &sport.to_le_bytes(), &wide(dip), &dport.to_le_bytes()].concat()
}

fn unix(source: u64, dest: u64, path: &str) -> Vec<u8> {
    [&[1][..], &source.to_le_bytes(), &dest.to_le_bytes(), path.as_bytes(), &[0]].concat()
}

fn name(state: &State, number: i64) -> String {
    String::from_utf8(fd(state, 10, number).unwrap().name.clone()).unwrap()
}

fn socket(state: &mut State, number: i64, domain: u32, ty: u32, proto: u32) {
    act(state, 10, SOCKET_SOCKET_X, &[I(number), W(domain), W(ty), W(proto), W(0)]);
}

#[test]
fn kinds_and_protocols() {
    let mut state = state();
    for (domain, ty, proto, want) in [
        (1, 1, 0, (FdType::UnixSock, l4::UNKNOWN)),
        (INET, 1, 0, (FdType::Ipv4Sock, l4::TCP)),
        (INET, 0x800 | 2, 0, (FdType::Ipv4Sock, l4::UDP)),
        (INET6, 1, 6, (FdType::Ipv6Sock, l4::TCP)),
        (INET, 2, 1, (FdType::Ipv4Sock, l4::ICMP)),
        (INET, 3, 1, (FdType::Ipv4Sock, l4::RAW)),
        (INET6, 3, 255, (FdType::Ipv6Sock, l4::RAW)),
        (16, 3, 0, (FdType::Netlink, l4::UNKNOWN)),
        (38, 5, 0, (FdType::Unknown, l4::UNKNOWN)),
    ] {
        socket(&mut state, 4, domain, ty, proto);
        let info = fd(&state, 10, 4).unwrap();
        assert_eq!((info.ty, info.l4proto, info.name.len()), (want.0, want.1, 0), "{domain} {ty} {proto}");
    }
}

#[test]
fn bind_then_receive() {
    let mut state = state();
    socket(&mut state, 4, INET, 2, 0);
    act(&mut state, 10, SOCKET_BIND_X, &[I(0), R(&addr("127.0.0.1", 5353)), I(4)]);
    let info = fd(&state, 10, 4).unwrap();
    assert_eq!((info.ty, info.role, info.l4proto), (FdType::Ipv4ServSock, Role::Server, l4::UDP));
    assert_eq!(name(&state, 4), "127.0.0.1:5353");
    let tuple = tuple("127.0.0.1", 9999, "127.0.0.1", 5353);
    let shown = act(&mut state, 10, SOCKET_RECVFROM_X, &[I(1), R(b"x"), R(&tuple), I(4), W(1)]);
    assert!(shown.context.name_changed);
    assert_eq!(name(&state, 4), "127.0.0.1:9999->127.0.0.1:5353");
    let info = fd(&state, 10, 4).unwrap();
    assert_eq!((info.ty, info.l4proto, info.connected), (FdType::Ipv4Sock, l4::UDP, false));
    let again = act(&mut state, 10, SOCKET_RECVFROM_X, &[I(1), R(b"x"), R(&tuple), I(4), W(1)]);
    assert!(!again.context.name_changed && again.fd.unwrap().connected);
}

#[test]
fn port_zero_binds_no_server() {
    let mut state = state();
    socket(&mut state, 4, INET, 1, 0);
    act(&mut state, 10, SOCKET_BIND_X, &[I(0), R(&addr("0.0.0.0", 0)), I(4)]);
    let info = fd(&state, 10, 4).unwrap();
    assert_eq!((info.ty, info.role, &info.name[..]), (FdType::Ipv4Sock, Role::None, &b"0.0.0.0:0"[..]));
}

#[test]
fn connect_in_its_cases() {
    let mut state = state();
    socket(&mut state, 4, INET, 1, 0);
    let to = tuple("10.0.0.1", 4000, "10.0.0.2", 80);
    act(&mut state, 10, SOCKET_CONNECT_X, &[I(-111), R(&to), I(4), No]);
    assert!(name(&state, 4).is_empty() && !fd(&state, 10, 4).unwrap().connected);
    act(&mut state, 10, SOCKET_CONNECT_X, &[I(-115), R(&to), I(4), R(&addr("10.0.0.2", 80))]);
    let info = fd(&state, 10, 4).unwrap();
    assert_eq!((&info.name[..], info.role), (&b"10.0.0.1:4000->10.0.0.2:80"[..], Role::Client));
    assert!(info.connected);
    // The tuple repeats what the program's memory said at exit: the enter event tells what the kernel was given.
    act(&mut state, 10, SOCKET_CONNECT_E, &[I(4), R(&addr("10.9.9.9", 81))]);
    let shown = act(&mut state, 10, SOCKET_CONNECT_X, &[I(0), R(&to), I(4), R(&addr("10.0.0.2", 80))]);
    assert!(shown.context.enter_seen);
    assert_eq!(name(&state, 4), "10.0.0.1:4000->10.9.9.9:81");
    // Nothing known at the exit but the enter's address.
    act(&mut state, 10, SOCKET_CONNECT_E, &[I(4), R(&addr("10.1.1.1", 82))]);
    act(&mut state, 10, SOCKET_CONNECT_X, &[I(0), No, I(4), No]);
    let SockName::Inet { dip, dport, .. } = fd(&state, 10, 4).unwrap().sock else { panic!("no addresses") };
    assert_eq!((dip.to_string(), dport), ("10.1.1.1".to_owned(), 82));
}

#[test]
fn a_mapped_destination_loses_the_protocol_on_replay_only() {
    let to = mapped("10.0.0.1", 4000, "10.0.0.2", 80);
    let mut replay = state();
    socket(&mut replay, 4, INET6, 1, 0);
    act(&mut replay, 10, SOCKET_CONNECT_X, &[I(0), R(&to), I(4), No]);
    assert_eq!((name(&replay, 4).as_str(), fd(&replay, 10, 4).unwrap().ty), ("<unknown>", FdType::Ipv4Sock));
    let mut own = state();
    socket(&mut own, 4, INET6, 1, 0);
    let bytes = with_records(1, 10, SOCKET_CONNECT_X, &[I(0), R(&to), I(4), No], &[(Tag::SockTuple, &to)]);
    apply(&mut own, &bytes);
    assert_eq!((name(&own, 4).as_str(), fd(&own, 10, 4).unwrap().l4proto), ("10.0.0.1:4000->10.0.0.2:80", l4::TCP));
}

#[test]
fn accept_is_the_servers_end() {
    let mut state = state();
    let from = tuple("10.0.0.1", 4000, "10.0.0.2", 80);
    let shown = act(&mut state, 10, SOCKET_ACCEPT4_6_X, &[I(5), R(&from), B(0), W(0), W(0), W(0x1000)]);
    let info = shown.fd.unwrap();
    assert_eq!((&info.name[..], info.role, info.cloexec), (&b"10.0.0.1:4000->10.0.0.2:80"[..], Role::Server, true));
    let unnamed = act(&mut state, 10, SOCKET_ACCEPT_5_X, &[I(6), No, B(0), W(0), W(0)]);
    assert_eq!((unnamed.context.fd_num, unnamed.context.has_fd), (6, false));
    let local = act(&mut state, 10, SOCKET_ACCEPT_5_X, &[I(7), R(&unix(0xab, 0xcd, "/run/s")), B(0), W(0), W(0)]);
    assert_eq!(local.fd.unwrap().name, b"ab->cd /run/s");
}

#[test]
fn a_send_on_an_unknown_descriptor_makes_a_datagram_socket() {
    let mut state = state();
    let to = tuple("10.0.0.1", 4000, "10.0.0.2", 53);
    act(&mut state, 10, SOCKET_SENDTO_X, &[I(-1), R(b""), I(9), W(0), R(&to)]);
    assert!(fd(&state, 10, 9).is_none());
    let shown = act(&mut state, 10, SOCKET_SENDTO_X, &[I(3), R(b"abc"), I(9), W(3), R(&to)]);
    let info = shown.fd.unwrap();
    assert_eq!((info.l4proto, info.role, &info.name[..]), (l4::UDP, Role::Client, &b"10.0.0.1:4000->10.0.0.2:53"[..]));
}

#[test]
fn an_unknown_source_is_completed_from_the_interfaces() {
    use peregrine_capture::tables::{Interface, Tables, Thread};
    let interface = |ip: &str, mask: &str| Interface {
        name: b"eth0".to_vec(),
        addr: ip.parse().unwrap(),
        netmask: mask.parse().unwrap(),
        bcast: "0.0.0.0".parse().unwrap(),
        linkspeed: None,
    };
    let threads = vec![Thread { tid: 10, pid: 10, vtid: 10, vpid: 10, ..Thread::default() }];
    let interfaces = vec![interface("127.0.0.1", "255.0.0.0"), interface("10.0.0.7", "255.255.255.0")];
    let mut state = State::new(Tables { threads, interfaces, ..Tables::default() });
    for (dip, want) in [("10.0.0.9", "10.0.0.7"), ("127.0.0.1", "127.0.0.1"), ("8.8.8.8", "10.0.0.7")] {
        socket(&mut state, 4, INET, 2, 0);
        act(&mut state, 10, SOCKET_SENDTO_X, &[I(1), R(b"x"), I(4), W(1), R(&tuple("0.0.0.0", 5, dip, 53))]);
        assert_eq!(name(&state, 4), format!("{want}:5->{dip}:53"));
    }
}

#[test]
fn socketpair_shows_the_first_under_the_number_of_the_second() {
    let mut state = state();
    let shown = act(&mut state, 10, SOCKET_SOCKETPAIR_X, &[I(0), I(4), I(5), I(0xa), I(0xb), W(1), W(1), W(0)]);
    assert_eq!((shown.context.fd_num, shown.context.has_fd), (5, true));
    assert_eq!(shown.fd.unwrap().sock, SockName::Unix { source: 0xa, dest: 0xb });
    assert!(fd(&state, 10, 4).is_some() && fd(&state, 10, 5).is_some());
}

#[test]
fn descriptors_that_came_over_a_unix_socket() {
    use peregrine_capture::tables::{Fd, FdKind, Thread};
    struct Fake;
    impl peregrine_state::ThreadSource for Fake {
        fn thread(&mut self, tid: i64) -> Option<(Thread, Vec<Fd>)> {
            let thread = Thread { tid, pid: tid, ptid: 1, comm: b"found".to_vec(), ..Thread::default() };
            Some((thread, Vec::new()))
        }
        fn descriptor(&mut self, pid: i64, fd: i64) -> Option<Fd> {
            let name = format!("/passed/{pid}/{fd}").into_bytes();
            let kind = FdKind::File { open_flags: 1, name, dev: None };
            (fd < 8).then_some(Fd { fd, ino: 5, kind, cloexec: true })
        }
    }
    let rights = |fds: &[i32]| {
        let mut bytes = (16 + fds.len() as u64 * 4).to_ne_bytes().to_vec();
        bytes.extend([1i32.to_ne_bytes(), 1i32.to_ne_bytes()].concat());
        bytes.extend(fds.iter().flat_map(|fd| fd.to_ne_bytes()));
        bytes
    };
    let open = |state: &mut State| {
        act(state, 10, SYSCALL_OPEN_X, &[I(6), T("/old"), W(1), W(0), No, No]);
        act(state, 10, SYSCALL_OPEN_X, &[I(9), T("/old"), W(1), W(0), No, No]);
        act(state, 10, SOCKET_SOCKET_X, &[I(4), W(1), W(1), W(0)]);
        act(state, 10, SOCKET_SOCKET_X, &[I(5), W(2), W(2), W(0)]);
    };
    let options = peregrine_state::Options { source: Some(Box::new(Fake)), ..Default::default() };
    let mut live = State::with_options(Default::default(), options);
    open(&mut live);
    let control = rights(&[6, 7, 9]);
    let receive = |state: &mut State, result: i64, socket: i64| {
        act(state, 10, SOCKET_RECVMSG_X, &[I(result), W(1), R(b"x"), No, R(&control), I(socket)]);
    };
    receive(&mut live, -11, 4);
    receive(&mut live, 1, 5);
    assert_eq!(fd(&live, 10, 6).unwrap().name, b"/old", "the call failed, and an inet socket passes none");
    receive(&mut live, 1, 4);
    let got = fd(&live, 10, 7).unwrap();
    assert_eq!((&got.name[..], got.ino, got.cloexec), (&b"/passed/10/7"[..], 5, true));
    assert_eq!(fd(&live, 10, 6).unwrap().name, b"/passed/10/6");
    assert!(fd(&live, 10, 9).is_none(), "what it is, nobody knows, but not what it was");
    act(&mut live, 10, SOCKET_RECVMMSG_X, &[I(1), I(4), W(1), R(b"x"), No, R(&rights(&[3]))]);
    assert_eq!(fd(&live, 10, 3).unwrap().name, b"/passed/10/3");
    // Upstream's captures: as upstream, nothing.
    let mut replayed = state();
    open(&mut replayed);
    receive(&mut replayed, 1, 4);
    assert_eq!(fd(&replayed, 10, 6).unwrap().name, b"/old");
}

/// What Peregrine's own events tell of sockets and upstream's do not.
#[test]
fn the_kernels_word_on_bind_and_socketpair() {
    let marks: &[(Tag, &[u8])] = &[(Tag::Marks, &[0; 4])];
    let bound = tuple("127.0.0.1", 40_000, "0.0.0.0", 0);
    let mut state = state();
    socket(&mut state, 4, INET, 1, 0);
    let asked = addr("127.0.0.1", 0);
    let bytes = with_records(1, 10, SOCKET_BIND_X, &[I(0), R(&asked), I(4)], &[(Tag::SockTuple, &bound)]);
    apply(&mut state, &bytes);
    let info = fd(&state, 10, 4).unwrap();
    assert_eq!((info.ty, info.role, &info.name[..]), (FdType::Ipv4ServSock, Role::Server, &b"127.0.0.1:40000"[..]));
    for (records, want) in [(marks, true), (&[], false)] {
        let mut state = crate::build::state();
        let params = [I(0), I(5), I(6), I(0xa), I(0xb), W(1), W(1 | 0o2_000_000), W(0)];
        apply(&mut state, &with_records(1, 10, SOCKET_SOCKETPAIR_X, &params, records));
        apply(&mut state, &with_records(1, 10, SYSCALL_PIDFD_OPEN_X, &[I(7), I(1), W(0)], records));
        for number in [5, 6, 7] {
            assert_eq!(fd(&state, 10, number).unwrap().cloexec, want, "{number}");
        }
    }
}
