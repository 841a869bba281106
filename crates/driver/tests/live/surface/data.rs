//! Data in and out of descriptors: read and write with their forms, vectors, messages.

use super::harness::{B, E, N, Surface, at, s};

/// As the kernel lays it out.
#[repr(C)]
struct IoVec {
    base: u64,
    len: u64,
}

fn vec_of(pieces: &[(u64, u64)]) -> Vec<IoVec> {
    pieces.iter().map(|(base, len)| IoVec { base: *base, len: *len }).collect()
}

const BAD: u64 = 0x10;
const EBADF: i64 = -9;
const EFAULT: i64 = -14;
const EINVAL: i64 = -22;
const ESPIPE: i64 = -29;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    plain(t);
    positioned(t);
    vectors(t);
}

fn pipe(t: &mut Surface) -> (u64, u64) {
    let mut fds = [0i32; 2];
    t.call("pipe2", &[at(&fds), 0], |result| {
        let inode = |fd: i32| std::fs::metadata(format!("/proc/self/fd/{fd}")).map(|meta| inode(&meta)).unwrap_or(0);
        fds = unsafe { std::ptr::read_volatile(&raw const fds) };
        vec![N(result), N(fds[0].into()), N(fds[1].into()), N(inode(fds[0])), N(0)]
    });
    (fds[0] as u64, fds[1] as u64)
}

fn inode(meta: &std::fs::Metadata) -> i64 {
    std::os::unix::fs::MetadataExt::ino(meta) as i64
}

fn plain(t: &mut Surface) {
    let (reader, writer) = pipe(t);
    let text = b"0123456789".repeat(20);
    let into = vec![0u8; 300];
    t.call("write", &[writer, at(&text[..]), 200], |res| {
        vec![N(res), B(text[..80].to_vec()), N(writer as i64), N(200)]
    });
    t.call("read", &[reader, at(&into[..]), 300], |res| {
        assert_eq!(res, 200);
        vec![N(res), B(text[..80].to_vec()), N(reader as i64), N(300)]
    });
    t.call("write", &[u64::MAX, at(&text[..]), 5], |_| vec![N(EBADF), B(b"01234".to_vec()), N(-1), N(5)]);
    t.call("read", &[u64::MAX, at(&into[..]), 5], |_| vec![N(EBADF), E, N(-1), N(5)]);
    t.call("write", &[writer, BAD, 5], |_| vec![N(EFAULT), E, N(writer as i64), N(5)]);
    // A length beyond all: the kernel refuses it, and the data shows its first bytes.
    t.call("write", &[u64::MAX, at(&text[..]), u64::MAX], |_| {
        vec![N(EBADF), B(text[..80].to_vec()), N(-1), N(0xffff_ffff)]
    });
}

fn positioned(t: &mut Surface) {
    let file = std::env::temp_dir().join(format!("peregrine-surface-{}", std::process::id()));
    std::fs::write(&file, b"some text").unwrap();
    let name = format!("{}\0", file.display());
    let here = i64::from(libc::AT_FDCWD);
    let fd = t.call("openat", &[here as u64, at(name.as_bytes()), libc::O_RDWR as u64, 0o777], |fd| {
        let meta = std::fs::metadata(&file).unwrap();
        let dev = std::os::unix::fs::MetadataExt::dev(&meta) as i64;
        vec![N(fd), N(here), s(&file.display().to_string()), N(3), N(0), N(dev), N(inode(&meta))]
    }) as u64;
    let into = [0u8; 16];
    t.call("pread64", &[fd, at(&into), 16, 5], |res| vec![N(res), B(b"text".to_vec()), N(fd as i64), N(16), N(5)]);
    t.call("pread64", &[fd, at(&into), 16, u64::MAX], |_| vec![N(EINVAL), E, N(fd as i64), N(16), N(-1)]);
    let pieces = vec_of(&[(at(&into), 3), (at(&into) + 3, 13)]);
    t.call("preadv", &[fd, at(&pieces[..]), 2, 4, 0], |res| {
        vec![N(res), N(5), B(b" text".to_vec()), N(fd as i64), N(4)]
    });
    t.call("preadv", &[u64::MAX, at(&pieces[..]), 2, 4, 0], |_| vec![N(EBADF), N(0), E, N(-1), N(4)]);
    let text = b"other";
    t.call("pwrite64", &[fd, at(text), 5, 0x1_0000_0000], |res| {
        vec![N(res), B(text.to_vec()), N(fd as i64), N(5), N(0x1_0000_0000)]
    });
    t.call("pwrite64", &[u64::MAX, at(text), 5, 7], |_| vec![N(EBADF), B(text.to_vec()), N(-1), N(5), N(7)]);
    t.call("pwritev", &[fd, at(&pieces[..]), 2, 0, 0], |res| {
        assert_eq!(res, 16);
        vec![N(res), B(into.to_vec()), N(fd as i64), N(16), N(0)]
    });
    let (reader, _) = pipe(t);
    t.call("pwritev", &[reader, at(&pieces[..]), 2, 9, 0], |_| {
        vec![N(ESPIPE), B(into.to_vec()), N(reader as i64), N(16), N(9)]
    });
    std::fs::remove_file(&file).unwrap();
}

fn vectors(t: &mut Surface) {
    let (reader, writer) = pipe(t);
    let text = b"abcdefghij";
    // An empty piece is no end.
    let pieces = vec_of(&[(at(text), 4), (BAD, 0), (at(text) + 4, 6)]);
    t.call("writev", &[writer, at(&pieces[..]), 3], |res| vec![N(res), B(text.to_vec()), N(writer as i64), N(10)]);
    let into = [0u8; 16];
    let pieces = vec_of(&[(at(&into), 4), (BAD, 0), (at(&into) + 4, 12)]);
    t.call("readv", &[reader, at(&pieces[..]), 3], |res| vec![N(res), N(10), B(text.to_vec()), N(reader as i64)]);
    t.call("readv", &[u64::MAX, at(&pieces[..]), 3], |_| vec![N(EBADF), N(0), E, N(-1)]);
    t.call("writev", &[writer, BAD, 3], |_| vec![N(EFAULT), E, N(writer as i64), N(0)]);
    // More pieces than the kernel takes: it did not look at them.
    let long = vec_of(&vec![(at(text), 1); 1025]);
    t.call("writev", &[writer, at(&long[..]), 1025], |_| vec![N(EINVAL), E, N(writer as i64), N(0)]);
}
