//! Sockets: made, named, connected, asked; what goes through them.

use super::files::{EBADF, EINVAL, NO_FD, text, told};
use super::harness::{B, E, Is, N, P, Surface, at};
use peregrine_event::{code, defines::*};

const ENOTCONN: i64 = -107;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    addresses(t);
    connections(t);
    unix(t);
    datagrams(t);
    many(t);
    options(t);
}

fn socket(t: &mut Surface, family: i32, kind: i32) -> u64 {
    let flags = if kind & libc::SOCK_CLOEXEC == 0 { 0 } else { PPM_O_CLOEXEC };
    t.call("socket", &[family as u64, kind as u64, 0], |fd| {
        vec![N(fd), N(family.into()), N(kind.into()), N(0), N(flags)]
    }) as u64
}

/// An IPv4 address of this machine as programs pass it.
fn inet(port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[0] = libc::AF_INET as u8;
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    address
}

fn inet6(port: u16) -> [u8; 28] {
    let mut address = [0; 28];
    address[0] = libc::AF_INET6 as u8;
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[23] = 1;
    address
}

const LOCAL: [u8; 4] = [127, 0, 0, 1];

fn addr(address: [u8; 4], port: u16) -> P {
    B([&[2][..], &address, &port.to_le_bytes()].concat())
}

fn tuple(source: ([u8; 4], u16), destination: ([u8; 4], u16)) -> P {
    let end = |(address, port): ([u8; 4], u16)| [&address[..], &port.to_le_bytes()].concat();
    B([vec![2], end(source), end(destination)].concat())
}

/// The port that the kernel gave a socket.
fn port_of(fd: u64) -> u16 {
    let (mut address, mut len) = ([0u8; 28], 28u32);
    // SAFETY: address and length are ours.
    assert_eq!(unsafe { libc::getsockname(fd as i32, address.as_mut_ptr().cast(), &raw mut len) }, 0);
    u16::from_be_bytes([address[2], address[3]])
}

fn addresses(t: &mut Surface) {
    let fd = socket(t, libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC);
    t.call("socket", &[99, 1, 2], |res| {
        assert!(res < 0);
        vec![N(res), N(PPM_AF_UNSPEC), N(1), N(2), N(0)]
    });
    let mut long = vec![0; 4096];
    long[..16].copy_from_slice(&inet(99));
    t.call("bind", &[fd, at(&inet(0)), 16], |res| vec![N(res), addr(LOCAL, 0), N(fd as i64)]);
    // Longer than the kernel takes, and shorter than an address: what is there is told, the rest is zero.
    t.call("bind", &[fd, at(&long[..]), 4096], |_| vec![N(EINVAL), addr(LOCAL, 99), N(fd as i64)]);
    t.call("bind", &[fd, at(&long[..]), 4], |_| vec![N(EINVAL), addr([0; 4], 99), N(fd as i64)]);
    t.call("bind", &[NO_FD, 0x10, 16], |_| vec![N(EBADF), E, N(-1)]);
    let (name, length) = ([0u8; 28], [28u32]);
    t.call("getsockname", &[fd, at(&name), at(&length)], |_| vec![]);
    t.call("getpeername", &[fd, at(&name), at(&length)], |_| vec![]);
}

fn connections(t: &mut Surface) {
    let listener = socket(t, libc::AF_INET, libc::SOCK_STREAM);
    t.call("bind", &[listener, at(&inet(0)), 16], |res| vec![N(res), addr(LOCAL, 0), N(listener as i64)]);
    t.call("listen", &[listener, 5], |res| vec![N(res), N(listener as i64), N(5)]);
    t.call("listen", &[NO_FD, 7], |_| vec![N(EBADF), N(-1), N(7)]);
    let port = port_of(listener);
    let client = socket(t, libc::AF_INET, libc::SOCK_STREAM);
    t.call("connect", &[client, at(&inet(port)), 16], |res| {
        assert_eq!(res, 0, "the loopback device is up");
        vec![N(res), tuple((LOCAL, port_of(client)), (LOCAL, port)), N(client as i64), addr(LOCAL, port)]
    });
    t.call("connect", &[NO_FD, at(&inet6(7)), 28], |_| {
        let told = [&[10][..], &inet6(7)[8..24], &7u16.to_le_bytes()].concat();
        vec![N(EBADF), E, N(-1), B(told)]
    });
    let accepted =
        |res: i64, client: u64| vec![N(res), tuple((LOCAL, port_of(client)), (LOCAL, port)), N(0), N(0), N(5)];
    let server = t.call("accept4", &[listener, 0, 0, libc::SOCK_NONBLOCK as u64], |res| {
        [accepted(res, client), vec![N(PPM_O_NONBLOCK)]].concat()
    }) as u64;
    t.call("accept4", &[NO_FD, 0, 0, libc::SOCK_CLOEXEC as u64], |_| {
        vec![N(EBADF), E, N(0), N(0), N(0), N(PPM_O_CLOEXEC)]
    });
    let second = socket(t, libc::AF_INET, libc::SOCK_STREAM);
    t.call("connect", &[second, at(&inet(port)), 16], |res| {
        vec![N(res), tuple((LOCAL, port_of(second)), (LOCAL, port)), N(second as i64), addr(LOCAL, port)]
    });
    t.call("accept", &[listener, 0, 0], |res| accepted(res, second));
    t.call("accept", &[NO_FD, 0, 0], |_| vec![N(EBADF), E, N(0), N(0), N(0)]);
    let data = b"over the wire";
    t.call("sendto", &[client, at(data), 13, 0, 0, 0], |res| {
        vec![N(res), B(data.to_vec()), N(client as i64), N(13), tuple((LOCAL, port_of(client)), (LOCAL, port))]
    });
    t.call("sendto", &[NO_FD, at(data), 13, 0, 0, 0], |_| vec![N(EBADF), B(data.to_vec()), N(-1), N(13), E]);
    let into = [0u8; 64];
    t.call("recvfrom", &[server, at(&into), 64, 0, 0, 0], |res| {
        let addresses = tuple((LOCAL, port_of(client)), (LOCAL, port));
        vec![N(res), B(data.to_vec()), addresses, N(server as i64), N(64)]
    });
    t.call("recvfrom", &[server, at(&into), 64, 0, 0, 0], |res| {
        assert_eq!(res, -i64::from(libc::EAGAIN));
        vec![N(res), E, E, N(server as i64), N(64)]
    });
    t.call("shutdown", &[client, 2], |res| vec![N(res), N(client as i64), N(PPM_SHUT_RDWR)]);
    t.call("shutdown", &[listener, 99], |_| vec![N(EINVAL), N(listener as i64), N(255)]);
    let udp = socket(t, libc::AF_INET, libc::SOCK_DGRAM);
    t.call("shutdown", &[udp, 1], |_| vec![N(ENOTCONN), N(udp as i64), N(PPM_SHUT_WR)]);
}

fn unix(t: &mut Surface) {
    let fds = [0i32; 2];
    let pointer = || Is("a pointer", |bytes| bytes.len() == 8 && bytes != [0; 8]);
    t.call("socketpair", &[1, 1, 0, at(&fds)], |res| {
        let fds = told(&fds);
        vec![N(res), N(fds[0]), N(fds[1]), pointer(), pointer(), N(1), N(1), N(0)]
    });
    t.call("socketpair", &[1, 77, 3, at(&fds)], |res| {
        assert!(res < 0);
        vec![N(res), N(-1), N(-1), N(0), N(0), N(1), N(77), N(3)]
    });
    // An abstract name: told without the NUL that it begins with.
    let fd = socket(t, libc::AF_UNIX, libc::SOCK_DGRAM);
    let name = format!("peregrine-{}", std::process::id());
    let address = [&[1, 0, 0][..], name.as_bytes()].concat();
    t.call("bind", &[fd, at(&address[..]), address.len() as u64], |res| {
        vec![N(res), B([&[1][..], &text(&name)].concat()), N(fd as i64)]
    });
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    name: u64,
    namelen: u64,
    iov: u64,
    iovlen: u64,
    control: u64,
    controllen: u64,
    flags: u64,
}

fn header(name: u64, namelen: u64, iov: u64, iovlen: u64) -> Header {
    Header { name, namelen, iov, iovlen, control: 0, controllen: 0, flags: 0 }
}

/// Two sockets of datagrams, the first with a name and one that knows no peer, and their ports.
fn datagram_pair(t: &mut Surface) -> (u64, u16, u64, u16) {
    let [one, two] = [0; 2].map(|_| {
        let fd = socket(t, libc::AF_INET, libc::SOCK_DGRAM);
        t.call("bind", &[fd, at(&inet(0)), 16], |res| vec![N(res), addr(LOCAL, 0), N(fd as i64)]);
        fd
    });
    (one, port_of(one), two, port_of(two))
}

fn datagrams(t: &mut Surface) {
    let (one, one_port, two, two_port) = datagram_pair(t);
    let data = b"in two pieces";
    let pieces = [at(data), 7, at(data) + 7, 6];
    let to = inet(two_port);
    let message = header(at(&to), 16, at(&pieces), 2);
    t.call("sendmsg", &[one, at(&message), 0], |res| {
        let addresses = tuple((LOCAL, one_port), (LOCAL, two_port));
        vec![N(res), B(data.to_vec()), N(one as i64), N(13), addresses]
    });
    t.call("sendmsg", &[NO_FD, at(&message), 0], |_| vec![N(EBADF), B(data.to_vec()), N(-1), N(13), E]);
    t.call("sendmsg", &[one, 0x10, 0], |_| vec![N(-14), E, N(one as i64), E, E]);
    let on = [1i32];
    t.call("setsockopt", &[two, 1, 29, at(&on), 4], |res| {
        vec![N(res), N(two as i64), N(1), N(PPM_SOCKOPT_SO_TIMESTAMP), B(vec![2, 1, 0, 0, 0]), N(4)]
    });
    let (from, into, control) = ([0u8; 16], [0u8; 64], [0u8; 64]);
    let pieces = [at(&into), 4, at(&into) + 4, 60];
    let message = Header { control: at(&control), controllen: 64, ..header(at(&from), 16, at(&pieces), 2) };
    t.call("recvmsg", &[two, at(&message), libc::MSG_DONTWAIT as u64], |res| {
        let addresses = tuple((LOCAL, one_port), (LOCAL, two_port));
        let stamp = Is("a time", |bytes| {
            bytes.len() == 32 && bytes[..16] == [32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 29, 0, 0, 0]
        });
        vec![N(res), N(13), B(data.to_vec()), addresses, stamp, N(two as i64)]
    });
    t.call("recvmsg", &[two, at(&message), libc::MSG_DONTWAIT as u64], |res| {
        assert!(res < 0);
        vec![N(res), N(0), E, E, E, N(two as i64)]
    });
}

#[repr(C)]
#[derive(Clone, Copy)]
struct OneOfMany {
    header: Header,
    len: u64,
}

fn many(t: &mut Surface) {
    let (one, one_port, two, two_port) = datagram_pair(t);
    let to = inet(two_port);
    // One event a message, also beyond the sixteenth.
    let data: Vec<Vec<u8>> = (0..20).map(|n| format!("message {n}").into_bytes()).collect();
    let pieces: Vec<[u64; 2]> = data.iter().map(|text| [at(&text[..]), text.len() as u64]).collect();
    let messages: Vec<OneOfMany> =
        pieces.iter().map(|piece| OneOfMany { header: header(at(&to), 16, at(piece), 1), len: 0 }).collect();
    let addresses = || tuple((LOCAL, one_port), (LOCAL, two_port));
    let sent = |index: usize| {
        let len = data[index].len() as i64;
        vec![N(len), N(one as i64), N(len), B(data[index].clone()), addresses()]
    };
    t.call("sendmmsg", &[one, at(&messages[..]), 20, 0], |res| {
        assert_eq!(res, 20);
        sent(0)
    });
    (1..20).for_each(|index| t.expect("another message sent", code::SOCKET_SENDMMSG_X, sent(index)));
    t.call("sendmmsg", &[NO_FD, at(&messages[..]), 2, 0], |_| vec![N(EBADF), N(-1), N(0), E, E]);
    let (from, into) = ([0u8; 16], vec![[0u8; 32]; 20]);
    let pieces: Vec<[u64; 2]> = into.iter().map(|into| [at(into), 32]).collect();
    let messages: Vec<OneOfMany> =
        pieces.iter().map(|piece| OneOfMany { header: header(at(&from), 16, at(piece), 1), len: 0 }).collect();
    let received = |index: usize| {
        let len = data[index].len() as i64;
        vec![N(len), N(two as i64), N(len), B(data[index].clone()), addresses(), E]
    };
    t.call("recvmmsg", &[two, at(&messages[..]), 20, libc::MSG_DONTWAIT as u64, 0], |res| {
        assert_eq!(res, 20);
        received(0)
    });
    (1..20).for_each(|index| t.expect("another message received", code::SOCKET_RECVMMSG_X, received(index)));
    t.call("recvmmsg", &[NO_FD, at(&messages[..]), 2, 0, 0], |_| vec![N(EBADF), N(-1), N(0), E, E, E]);
}

fn options(t: &mut Surface) {
    let fd = socket(t, libc::AF_INET, libc::SOCK_STREAM);
    let tcp = 6;
    let mut set = |level: u64, name: u64, value: &[u8], told: (i64, i64, P)| {
        t.call("setsockopt", &[fd, level, name, at(value), value.len() as u64], |res| {
            vec![N(res), N(fd as i64), N(told.0), N(told.1), told.2, N(value.len() as i64)]
        });
    };
    let time = [[2i64, 500_000].map(i64::to_le_bytes)].concat().concat();
    let told = B([&[4][..], &2_500_000_000u64.to_le_bytes()].concat());
    set(1, 20, &time, (1, PPM_SOCKOPT_SO_RCVTIMEO, told));
    set(1, 13, &[1, 0, 0, 0, 9, 0, 0, 0], (1, PPM_SOCKOPT_SO_LINGER, B(vec![0, 1, 0, 0, 0, 9, 0, 0, 0])));
    set(tcp, 1, &[1, 0, 0, 0], (PPM_SOCKOPT_LEVEL_SOL_TCP, 0, B(vec![0, 1, 0, 0, 0])));
    set(7777, 3, &[5], (0, 0, B(vec![0, 5])));
    set(1, 250, &[5], (1, PPM_SOCKOPT_UNKNOWN, B(vec![0, 5])));
    let (value, length) = ([0u8; 8], [4u32]);
    t.call("getsockopt", &[fd, 1, 3, at(&value), at(&length)], |res| {
        vec![N(res), N(fd as i64), N(1), N(PPM_SOCKOPT_SO_TYPE), B(vec![2, 1, 0, 0, 0]), N(4)]
    });
    let error = B([&[1][..], &0i64.to_le_bytes()].concat());
    t.call("getsockopt", &[fd, 1, 4, at(&value), at(&length)], |res| {
        vec![N(res), N(fd as i64), N(1), N(PPM_SOCKOPT_SO_ERROR), error, N(4)]
    });
    let (value, length) = ([0u8; 8], [8u32]);
    t.call("getsockopt", &[fd, 1, 57, at(&value), at(&length)], |res| {
        // SAFETY: it is a reference; the kernel wrote there behind the compiler's back.
        let cookie = unsafe { std::ptr::read_volatile(&raw const value) };
        vec![N(res), N(fd as i64), N(1), N(PPM_SOCKOPT_SO_COOKIE), B([&[3][..], &cookie].concat()), N(8)]
    });
    t.call("getsockopt", &[NO_FD, 1, 3, at(&[7u8, 0, 0, 0]), at(&[4u32])], |_| {
        vec![N(EBADF), N(-1), N(1), N(PPM_SOCKOPT_SO_TYPE), B(vec![2, 7, 0, 0, 0]), N(4)]
    });
}
