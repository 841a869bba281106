//! Sockets and their addresses.

use super::harness::{B, E, N, Surface, at};

const EINVAL: i64 = -22;
const EBADF: i64 = -9;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    addresses(t);
}

fn socket(t: &mut Surface, family: i32, kind: i32) -> u64 {
    t.call("socket", &[family as u64, kind as u64, 0], |fd| vec![N(fd), N(family.into()), N(kind.into()), N(0), N(0)])
        as u64
}

/// An IPv4 address of this machine as programs pass it.
fn inet(port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[0] = libc::AF_INET as u8;
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    address
}

fn told(address: [u8; 4], port: u16) -> Vec<u8> {
    [&[2][..], &address, &port.to_le_bytes()].concat()
}

fn addresses(t: &mut Surface) {
    let fd = socket(t, libc::AF_INET, libc::SOCK_DGRAM);
    let mut long = vec![0; 4096];
    long[..16].copy_from_slice(&inet(99));
    t.call("bind", &[fd, at(&inet(0)), 16], |res| vec![N(res), B(told([127, 0, 0, 1], 0)), N(fd as i64)]);
    // Longer than the kernel takes, and shorter than an address: what is there is told, the rest is zero.
    t.call("bind", &[fd, at(&long[..]), 4096], |_| vec![N(EINVAL), B(told([127, 0, 0, 1], 99)), N(fd as i64)]);
    t.call("bind", &[fd, at(&long[..]), 4], |_| vec![N(EINVAL), B(told([0; 4], 99)), N(fd as i64)]);
    t.call("bind", &[u64::MAX, 0x10, 16], |_| vec![N(EBADF), E, N(-1)]);
}
