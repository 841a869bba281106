//! Every block type and version that was ever written, built by hand from the description of the format.

use crate::writing::{close, plain};
use peregrine_capture::tables::{Fd, FdKind, FdType, Tables, Thread};
use peregrine_capture::{CaptureError, Fault, Item, Options, Reader};
use peregrine_event::{Event, EventWriter, code};

/// Bytes of a block under construction.
#[derive(Default, Clone)]
struct B(Vec<u8>);

impl B {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn n(self, value: u64, size: usize) -> Self {
        self.bytes(&value.to_le_bytes()[..size])
    }

    fn text(self, text: &str) -> Self {
        self.n(text.len() as u64, 2).bytes(text.as_bytes())
    }

    /// An entry behind its length, which counts itself by `own` bytes.
    fn entry(self, entry: B, own: u64) -> Self {
        self.n(entry.0.len() as u64 + own, 4).bytes(&entry.0)
    }

    fn block(&self, kind: u32) -> Vec<u8> {
        let total = (self.0.len() + 12).next_multiple_of(4);
        let mut out = [kind.to_le_bytes(), (total as u32).to_le_bytes()].concat();
        out.extend_from_slice(&self.0);
        out.resize(total - 4, 0);
        out.extend((total as u32).to_le_bytes());
        out
    }
}

/// Opens a capture of these blocks and one event.
fn open(blocks: &[Vec<u8>]) -> Result<Reader, CaptureError> {
    let mut bytes = plain(|_| {});
    bytes.extend(blocks.concat());
    bytes.extend(&plain(|w| w.event(&Event::parse(&close(1, 2, 3), 0).unwrap(), 0).unwrap())[28..]);
    Reader::from_bytes("memory", bytes, Options::default())
}

fn tables(blocks: &[Vec<u8>]) -> Tables {
    *open(blocks).unwrap().take_tables().unwrap()
}

/// A thread as version `version` of the block has it, without what stands behind `root`.
fn thread_bytes(version: u8) -> B {
    let mut b = B::default().n(11, 8).n(12, 8).n(13, 8);
    if version >= 6 {
        b = b.n(14, 8);
    }
    if version >= 8 {
        b = b.n(15, 8);
    }
    b = b.text("comm").text("/bin/exe");
    if version >= 7 {
        b = b.text("/bin/path");
    }
    b = b.text("one\0two").text("/cwd").n(1024, 8).n(0x10, 4).n(1000, 4).n(1001, 4);
    if version >= 2 {
        b = b.n(21, 4).n(22, 4).n(23, 4).n(24, 8).n(25, 8);
    }
    if version >= 3 {
        b = b.text("A=1\0B=2\0");
    }
    if version >= 4 {
        b = b.n(31, 8).n(32, 8).text("cpu=/\0");
    }
    if version >= 5 {
        b = b.text("/root");
    }
    b
}

fn thread(version: u8) -> Thread {
    let since = |first: u8, value: i64, otherwise: i64| if version >= first { value } else { otherwise };
    let text_since = |first: u8, text: &str| if version >= first { text.as_bytes().to_vec() } else { Vec::new() };
    Thread {
        tid: 11,
        pid: 12,
        ptid: 13,
        sid: since(6, 14, -1),
        vpgid: since(8, 15, -1),
        comm: b"comm".to_vec(),
        exe: b"/bin/exe".to_vec(),
        exepath: text_since(7, "/bin/path"),
        args: b"one\0two\0".to_vec(),
        cwd: b"/cwd".to_vec(),
        fdlimit: 1024,
        flags: 0x10,
        uid: 1000,
        gid: 1001,
        vmsize_kb: since(2, 21, 0) as u32,
        vmrss_kb: since(2, 22, 0) as u32,
        vmswap_kb: since(2, 23, 0) as u32,
        pfmajor: since(2, 24, 0) as u64,
        pfminor: since(2, 25, 0) as u64,
        env: text_since(3, "A=1\0B=2\0"),
        vtid: since(4, 31, -1),
        vpid: since(4, 32, -1),
        cgroups: text_since(4, "cpu=/\0"),
        root: text_since(5, "/root"),
        ..Thread::default()
    }
}

#[test]
fn process_lists_of_every_version() {
    let kinds = [
        (0x202, 1),
        (0x8000_ABCD, 1),
        (0x207, 2),
        (0x8013_ABCD, 2),
        (0x209, 3),
        (0x8014_ABCD, 3),
        (0x210, 4),
        (0x211, 5),
        (0x212, 6),
        (0x213, 7),
        (0x214, 8),
    ];
    for (kind, version) in kinds {
        let two = thread_bytes(version).bytes(&thread_bytes(version).0);
        assert_eq!(tables(&[two.block(kind)]).threads, vec![thread(version); 2], "block type {kind:#x}");
    }
}

#[test]
fn version_nine_ends_anywhere() {
    let threads = |extras: B| {
        let entry = thread_bytes(9).bytes(&extras.0);
        tables(&[B::default().entry(entry.clone(), 4).entry(entry, 4).block(0x215)]).threads.remove(1)
    };
    let bare = thread(9);
    assert_eq!(threads(B::default()), bare);
    let old = B::default().n(1000, 4).n(1, 1).n(5, 8).n(6, 8).n(7, 8);
    let before_tty = Thread {
        loginuid: 1000,
        exe_writable: true,
        cap_inheritable: 5,
        cap_permitted: 6,
        cap_effective: 7,
        ..bare.clone()
    };
    assert_eq!(threads(old.clone()), before_tty, "29 bytes: the writer knew no terminal");
    assert_eq!(threads(B::default().n(1000, 4)), Thread { loginuid: 1000, ..bare });
    let new = B::default().n(99, 8).n(34816, 4).bytes(&old.0);
    let with_tty = Thread { pidns_init_start_ts: 99, tty: 34816, ..before_tty };
    assert_eq!(threads(new.clone()), with_tty);
    let all = new.n(1, 1).n(41, 8).n(42, 8).n(43, 8).n(1, 1).n(1, 1).n(51, 8);
    let whole = Thread {
        exe_upper_layer: true,
        exe_ino: 41,
        exe_ino_ctime: 42,
        exe_ino_mtime: 43,
        exe_from_memfd: true,
        exe_lower_layer: true,
        pgid: 51,
        ..with_tty
    };
    assert_eq!(threads(all.clone()), whole);
    assert_eq!(threads(all.text("of a newer writer")), whole);
}

/// Each descriptor kind's bytes without and with what only sized entries may have.
fn descriptors() -> Vec<(u8, B, FdKind)> {
    let v6 = |last: u8| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let mut all = vec![
        (
            3,
            B::default().bytes(&[10, 0, 0, 1, 10, 0, 0, 2]).n(1234, 2).n(80, 2).n(2, 1),
            FdKind::Inet { sip: [10, 0, 0, 1].into(), dip: [10, 0, 0, 2].into(), sport: 1234, dport: 80, l4proto: 2 },
        ),
        (
            4,
            B::default().bytes(&v6(1)).bytes(&v6(2)).n(1, 2).n(2, 2).n(3, 1),
            FdKind::Inet { sip: v6(1).into(), dip: v6(2).into(), sport: 1, dport: 2, l4proto: 3 },
        ),
        (
            5,
            B::default().bytes(&[0; 4]).n(22, 2).n(2, 1),
            FdKind::InetServer { ip: [0; 4].into(), port: 22, l4proto: 2 },
        ),
        (6, B::default().bytes(&v6(9)).n(22, 2).n(2, 1), FdKind::InetServer { ip: v6(9).into(), port: 22, l4proto: 2 }),
        (8, B::default().n(7, 8).n(8, 8).text("/run/s"), FdKind::Unix { source: 7, dest: 8, name: b"/run/s".to_vec() }),
        (
            16,
            B::default().n(0x41, 4).text("/file"),
            FdKind::File { open_flags: 0x41, name: b"/file".to_vec(), dev: None },
        ),
    ];
    for number in [1, 2, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21] {
        let name = format!("name of {number}");
        let ty = FdType::from_number(number).unwrap();
        all.push((number, B::default().text(&name), FdKind::Named(ty, name.into_bytes())));
    }
    all
}

#[test]
fn descriptor_lists_of_both_versions() {
    let (mut old, mut new, mut wanted) = (B::default().n(77, 8), B::default().n(77, 8), Vec::new());
    for (index, (number, body, kind)) in descriptors().into_iter().enumerate() {
        let entry = B::default().n(index as u64, 8).n(900, 8).n(number.into(), 1).bytes(&body.0);
        old = old.bytes(&entry.0);
        new = new.entry(entry, 4);
        wanted.push(Fd { fd: index as i64, ino: 900, kind, cloexec: false });
    }
    for kind in [0x203, 0x8001_ABCD] {
        assert_eq!(tables(&[old.block(kind)]).fds, [(77, wanted.clone())], "block type {kind:#x}");
    }
    assert_eq!(tables(&[new.block(0x218)]).fds, [(77, wanted)]);
}

#[test]
fn descriptors_of_newer_writers() {
    let head = |number| B::default().n(3, 8).n(0, 8).n(number, 1);
    let body = B::default()
        .n(1, 8)
        .entry(head(99).text("whatever"), 4)
        .entry(head(16).n(1, 4).text("/f").n(66305, 4), 4)
        .entry(head(7).text("pipe:[1]").n(5, 8), 4)
        .entry(head(0), 4);
    let kinds: Vec<FdKind> = tables(&[body.block(0x218)]).fds.remove(0).1.into_iter().map(|fd| fd.kind).collect();
    assert_eq!(
        kinds,
        [
            FdKind::Named(FdType::Unsupported, b"unknown-type:[99]".to_vec()),
            FdKind::File { open_flags: 1, name: b"/f".to_vec(), dev: Some(66305) },
            FdKind::Named(FdType::Fifo, b"pipe:[1]".to_vec()),
            FdKind::Named(FdType::Unknown, Vec::new()),
        ]
    );
}

fn interface(kind: u64) -> B {
    let width = if kind % 2 == 1 { 4 } else { 16 };
    let mut b = B::default().n(kind, 2).n(4, 2).bytes(&[1; 16][..width]).bytes(&[255; 16][..width]);
    b = b.bytes(&[3; 16][..width]);
    if kind <= 2 {
        b = b.n(1000, 8);
    }
    b.bytes(b"eth0")
}

#[test]
fn interface_lists_of_both_versions() {
    let old = (1..=4).fold(B::default(), |b, kind| b.bytes(&interface(kind).0));
    let new = (1..=4).fold(B::default(), |b, kind| b.entry(interface(kind).n(9, 4), 0));
    let read = [tables(&[old.block(0x205)]), tables(&[old.block(0x8011_ABCD)]), tables(&[new.block(0x219)])];
    for tables in read {
        let speeds: Vec<_> = tables.interfaces.iter().map(|i| (i.addr.is_ipv4(), i.linkspeed)).collect();
        assert_eq!(speeds, [(true, Some(1000)), (false, Some(1000)), (true, None), (false, None)]);
        assert!(tables.interfaces.iter().all(|i| i.name == b"eth0" && i.addr != i.netmask && i.bcast != i.addr));
    }
    let fault = open(&[B::default().entry(interface(7), 0).block(0x219)]).err().unwrap().fault;
    assert!(matches!(fault, Fault::InterfaceType(7)));
}

fn users() -> [B; 2] {
    let user = B::default().n(0, 1).n(1000, 4).n(1001, 4).text("me").text("/home/me").text("/bin/sh");
    [user, B::default().n(1, 1).n(1001, 4).text("us")]
}

#[test]
fn user_lists_of_both_versions() {
    let [user, group] = users();
    let old = B::default().bytes(&user.0).bytes(&group.0);
    let new = B::default().entry(user.text("of a newer writer"), 4).entry(group, 4);
    for block in [old.block(0x206), old.block(0x8012_ABCD), new.block(0x220)] {
        let tables = tables(&[block]);
        let (user, group) = (&tables.users[0], &tables.groups[0]);
        assert_eq!(
            (user.uid, user.gid, &user.shell[..], group.gid, &group.name[..]),
            (1000, 1001, &b"/bin/sh"[..], 1001, &b"us"[..])
        );
        assert_eq!((tables.users.len(), tables.groups.len()), (1, 1));
    }
}

#[test]
fn lists_replace_or_add_as_upstreams_do() {
    let [user, group] = users();
    let blocks = [
        B::default().entry(interface(1), 0).entry(interface(2), 0).block(0x219),
        B::default().entry(interface(2), 0).block(0x219),
        B::default().entry(user, 4).block(0x220),
        B::default().entry(group, 4).block(0x220),
        thread_bytes(5).block(0x211),
        thread_bytes(8).block(0x214),
        B::default().bytes(b"of a newer writer").block(0x7777),
    ];
    let mut reader = open(&blocks).unwrap();
    let tables = reader.take_tables().unwrap();
    assert_eq!((tables.interfaces.len(), tables.users.len(), tables.groups.len(), tables.threads.len()), (1, 0, 1, 2));
    assert_eq!(reader.stats().unknown_blocks, 1);
}

#[test]
fn strings_beyond_their_limits_are_refused() {
    let long = "x".repeat(300);
    let user = B::default().n(0, 1).n(0, 4).n(0, 4).text("me").text(&long).text("/bin/sh");
    let error = open(&[B::default().entry(user, 4).block(0x220)]).err().unwrap();
    assert_eq!(error.to_string(), "memory: home directory of 300 bytes, the limit is 255 (at byte 36)");
    let name = "x".repeat(1024);
    let fd = B::default().n(3, 8).n(0, 8).n(7, 1).text(&name);
    let error = open(&[B::default().n(1, 8).entry(fd, 4).block(0x218)]).err().unwrap();
    assert!(matches!(error.fault, Fault::LongString { len: 1024, limit: 1023, .. }));
}

/// An event as old blocks hold it: its header lacks the number of parameters.
fn old_event(ts: u64, code: u16, params: &[&[u8]]) -> Vec<u8> {
    let mut writer = EventWriter::new(ts, 9, code);
    for param in params {
        writer.push(param);
    }
    let mut bytes = writer.finish();
    bytes.drain(22..26);
    let len = bytes.len() as u32;
    bytes[16..20].copy_from_slice(&len.to_le_bytes());
    bytes
}

#[test]
fn event_blocks_of_every_type() {
    let params: [&[u8]; 2] = [&[0; 8], &[3, 0, 0, 0, 0, 0, 0, 0]];
    let (old, new) = (old_event(5, code::SYSCALL_CLOSE_X, &params), close(5, 9, 3));
    for (kind, flags, event) in [
        (0x204, None, &old),
        (0x8010_ABCD, None, &old),
        (0x208, Some(1), &old),
        (0x216, None, &new),
        (0x217, Some(3), &new),
        (0x221, None, &new),
        (0x222, Some(2), &new),
    ] {
        let mut body = B::default().n(4, 2);
        if let Some(flags) = flags {
            body = body.n(flags, 4);
        }
        // Options may stand between an event and its block's trailer.
        let block = body.bytes(event).bytes(b"\x01\0\x05\0note\0\0\0\0").block(kind);
        let mut reader = open(&[block]).unwrap();
        reader.take_tables();
        let Ok(Some(Item::Event { event, state_only, flags: read })) = reader.next() else { panic!("{kind:#x}") };
        assert_eq!((event.ts, event.tid, event.cpu, event.int(1)), (5, 9, 4, Some(3)), "{kind:#x}");
        assert_eq!((u64::from(read), state_only), (flags.unwrap_or(0), flags.unwrap_or(0) & 1 == 1), "{kind:#x}");
        let Ok(Some(Item::Event { event, .. })) = reader.next() else { panic!("{kind:#x}") };
        assert_eq!(event.ts, 1);
    }
}

/// An enter and an exit event of old blocks become one.
#[test]
fn old_events_are_joined() {
    let enter = old_event(4, code::SYSCALL_CLOSE_E, &[&[3, 0, 0, 0, 0, 0, 0, 0]]);
    let exit = old_event(5, code::SYSCALL_CLOSE_X, &[&[0; 8]]);
    let block = |event: &[u8]| B::default().n(1, 2).bytes(event).block(0x204);
    let mut reader = open(&[block(&enter), block(&exit)]).unwrap();
    reader.take_tables();
    let Ok(Some(Item::Event { event, .. })) = reader.next() else { panic!("no event") };
    assert_eq!((event.ts, event.int(0), event.int(1), event.nparams()), (5, Some(0), Some(3), 2));
}
