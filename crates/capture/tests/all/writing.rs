//! What is written is read back, by the crate's reader and by the second one.

use flate2::read::MultiGzDecoder;
use peregrine_capture::tables::{Fd, FdKind, FdType, Group, Interface, Machine, Tables, Thread, User};
use peregrine_capture::{Compression, Item, Options, Reader, WriteStats, Writer};
use peregrine_event::record::Tag;
use peregrine_event::{Event, EventWriter, code};
use peregrine_testkit::second_reader;
use proptest::prelude::*;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(compression: Compression, write: impl FnOnce(&mut Writer)) -> (Vec<u8>, WriteStats) {
    let shared = Shared::default();
    let mut writer = Writer::to_write("memory", shared.clone(), compression);
    write(&mut writer);
    let stats = writer.finish().unwrap();
    let bytes = std::mem::take(&mut *shared.0.lock().unwrap());
    (bytes, stats)
}

/// A plain capture with an empty section and what `write` adds.
pub fn plain(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let all = |writer: &mut Writer| {
        writer.section(&Tables::default()).unwrap();
        write(writer);
    };
    written(Compression::Plain, all).0
}

/// A close event on a descriptor.
pub fn close(ts: u64, tid: i64, fd: i64) -> Vec<u8> {
    EventWriter::new(ts, tid, code::SYSCALL_CLOSE_X).push(&[0; 8]).push(&fd.to_le_bytes()).finish()
}

fn raw() -> Options {
    Options { convert: false, ..Options::default() }
}

type RawEvent = (u16, u32, Vec<u8>);

fn sections(bytes: Vec<u8>) -> Vec<(Tables, Vec<RawEvent>)> {
    let mut reader = Reader::from_bytes("memory", bytes, raw()).unwrap();
    let mut all: Vec<(Tables, Vec<RawEvent>)> = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Section(tables) => all.push((*tables, Vec::new())),
            Item::Event { event, flags, .. } => {
                all.last_mut().unwrap().1.push((event.cpu, flags, event.bytes().to_vec()));
            }
        }
    }
    all
}

fn rewrite(all: &[(Tables, Vec<RawEvent>)], compression: Compression) -> (Vec<u8>, WriteStats) {
    written(compression, |writer| {
        for (tables, events) in all {
            writer.section(tables).unwrap();
            for (cpu, flags, bytes) in events {
                writer.event(&Event::parse(bytes, *cpu).unwrap(), *flags).unwrap();
            }
        }
    })
}

#[test]
fn captures_rewritten_are_the_same() {
    for path in crate::captures() {
        let read = sections(std::fs::read(&path).unwrap());
        let (plain, stats) = rewrite(&read, Compression::Plain);
        assert_eq!((stats.cut, stats.descriptors_left_out), (0, 0), "{path:?}");
        let (packed, _) = rewrite(&read, Compression::Gzip);
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain, "{path:?}");
        let strict = second_reader::read(&plain).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let (tables, events) = &read[0];
        assert_eq!(
            (strict.threads, strict.users, strict.groups),
            (tables.threads.len(), tables.users.len(), tables.groups.len())
        );
        let strict: Vec<RawEvent> =
            strict.events.into_iter().map(|(_, cpu, flags, bytes)| (cpu, flags, bytes)).collect();
        assert!(strict == *events, "{path:?}: other events");
        assert!(sections(plain) == read, "{path:?}: other tables or events");
    }
}

/// Today's captures hold no more than their events: the bytes of every event block are those that were read.
#[test]
fn events_of_todays_captures_are_the_same_bytes() {
    for path in crate::captures().into_iter().filter(|p| p.parent().unwrap().ends_with("newest")) {
        let mut original = Vec::new();
        MultiGzDecoder::new(&std::fs::read(&path).unwrap()[..]).read_to_end(&mut original).unwrap();
        let (ours, _) = rewrite(&sections(original.clone()), Compression::Plain);
        let (theirs, ours) = (event_blocks(&original), event_blocks(&ours));
        assert!(!ours.is_empty() && theirs == ours, "{path:?}");
    }
}

fn event_blocks(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    while bytes.len() >= 12 {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (block, rest) = bytes.split_at(word(4) as usize);
        if matches!(word(0), 0x216 | 0x217 | 0x221 | 0x222) {
            blocks.push(block);
        }
        bytes = rest;
    }
    blocks
}

#[test]
fn sections_stand_one_behind_the_other() {
    let other = Tables { threads: vec![Thread { tid: 9, ..Thread::default() }], ..Tables::default() };
    let event = |ts| vec![(1, 0, close(ts, 9, 3))];
    let all = vec![(Tables::default(), event(1)), (other, event(2))];
    let (bytes, _) = rewrite(&all, Compression::Plain);
    assert_eq!(second_reader::read(&bytes).unwrap().sections, 2);
    assert_eq!(sections(bytes), all);
    // Two gzip files, one behind the other.
    let (mut packed, _) = rewrite(&all[..1], Compression::Gzip);
    packed.extend(rewrite(&all[1..], Compression::Gzip).0);
    assert_eq!(sections(packed), all);
}

#[test]
fn every_block_of_an_event() {
    let small = close(1, 2, 3);
    let record = EventWriter::new(1, 2, code::SYSCALL_CLOSE_X).push(&[0; 8]).record(Tag::Path, b"/etc/shadow").finish();
    let json = EventWriter::new(1, -1, code::CONTAINER_JSON_2_E).push_text(&[b'x'; 100_000]).finish();
    let full = EventWriter::new(1, 2, code::SYSCALL_READ_X).push(&[0; 8]).push(&[7; 65_535]).finish();
    let events =
        vec![(0, 0, small.clone()), (3, 1, small), (1, 0, record), (2, 0, json.clone()), (2, 1, json), (0, 0, full)];
    let all = vec![(Tables::default(), events)];
    let (bytes, stats) = rewrite(&all, Compression::Plain);
    let kinds: Vec<u32> = second_reader::read(&bytes).unwrap().events.iter().map(|e| e.0).collect();
    assert_eq!(kinds, [0x216, 0x217, 0x216, 0x221, 0x222, 0x221]);
    assert_eq!((stats.events, stats.bytes), (6, bytes.len() as u64));
    assert_eq!(sections(bytes), all);
}

#[test]
fn what_is_too_long_is_cut_and_counted() {
    let long = vec![b'x'; 10_000];
    let list: Vec<u8> = b"argument\0".repeat(1000);
    let thread = Thread { comm: long.clone(), args: list.clone(), env: list, root: long.clone(), ..Thread::default() };
    let fds = vec![
        Fd { fd: 1, ino: 2, kind: FdKind::Named(FdType::Fifo, long.clone()), cloexec: false },
        Fd { fd: 2, ino: 2, kind: FdKind::Named(FdType::Unknown, Vec::new()), cloexec: false },
    ];
    let user = User { name: long.clone(), homedir: long.clone(), shell: long.clone(), ..User::default() };
    let tables = Tables {
        machine: Some(Machine { hostname: long.clone(), ..Machine::default() }),
        users: vec![user],
        groups: vec![Group { gid: 1, name: long }],
        threads: vec![thread],
        fds: vec![(1, fds)],
        ..Tables::default()
    };
    let (bytes, stats) = rewrite(&[(tables, vec![(0, 0, close(1, 2, 3))])], Compression::Plain);
    assert_eq!((stats.cut, stats.descriptors_left_out), (10, 1));
    second_reader::read(&bytes).unwrap();
    let (tables, _) = sections(bytes).remove(0);
    let thread = &tables.threads[0];
    assert_eq!((thread.comm.len(), thread.args.len(), thread.args.last()), (1024, 4096, Some(&0)));
    assert_eq!((tables.machine.unwrap().hostname.len(), tables.users[0].shell.len()), (127, 255));
    assert_eq!(tables.fds[0].1.len(), 1);
}

fn address() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (a.into(), b.into())),
        any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (a.into(), b.into())),
    ]
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(|mut v| {
        v.truncate(255);
        v
    })
}

fn kind() -> impl Strategy<Value = FdKind> {
    let named = prop::sample::select(vec![1u8, 2, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21]);
    prop_oneof![
        (named, name()).prop_map(|(n, name)| FdKind::Named(FdType::from_number(n).unwrap(), name)),
        (any::<u32>(), name(), any::<Option<u32>>()).prop_map(|(open_flags, name, dev)| FdKind::File {
            open_flags,
            name,
            dev
        }),
        (address(), any::<(u16, u16, u8)>()).prop_map(|((sip, dip), (sport, dport, l4proto))| FdKind::Inet {
            sip,
            dip,
            sport,
            dport,
            l4proto
        }),
        (address(), any::<(u16, u8)>()).prop_map(|((ip, _), (port, l4proto))| FdKind::InetServer { ip, port, l4proto }),
        (any::<(u64, u64)>(), name()).prop_map(|((source, dest), name)| FdKind::Unix { source, dest, name }),
    ]
}

fn closed_list() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(name(), 0..4).prop_map(|v| v.into_iter().flat_map(|s| [s, vec![0]].concat()).collect())
}

fn thread() -> impl Strategy<Value = Thread> {
    let ids = any::<[i64; 8]>();
    let words = any::<[u32; 8]>();
    let longs = any::<[u64; 9]>();
    let lists = (closed_list(), closed_list(), closed_list());
    let names = (name(), name(), name(), name(), name());
    (ids, words, longs, any::<[bool; 4]>(), lists, names).prop_map(|(i, w, l, b, (args, env, cgroups), n)| Thread {
        tid: i[0],
        pid: i[1],
        ptid: i[2],
        sid: i[3],
        vpgid: i[4],
        vtid: i[5],
        vpid: i[6],
        pgid: i[7],
        comm: n.0,
        exe: n.1,
        exepath: n.2,
        cwd: n.3,
        root: n.4,
        args,
        env,
        cgroups,
        fdlimit: l[0] as i64,
        flags: w[0],
        uid: w[1],
        gid: w[2],
        vmsize_kb: w[3],
        vmrss_kb: w[4],
        vmswap_kb: w[5],
        tty: w[6],
        loginuid: w[7],
        pfmajor: l[1],
        pfminor: l[2],
        pidns_init_start_ts: l[3],
        cap_inheritable: l[4],
        cap_permitted: l[5],
        cap_effective: l[6],
        exe_ino: l[7],
        exe_ino_ctime: l[8],
        exe_ino_mtime: l[0],
        exe_writable: b[0],
        exe_upper_layer: b[1],
        exe_lower_layer: b[2],
        exe_from_memfd: b[3],
    })
}

fn tables() -> impl Strategy<Value = Tables> {
    let host = name().prop_map(|mut v| {
        v.retain(|c| *c != 0);
        v.truncate(127);
        v
    });
    let machine = (any::<(u32, u64, u64, u64, [u64; 3])>(), host).prop_map(|(m, hostname)| Machine {
        num_cpus: m.0,
        memory_size_bytes: m.1,
        max_pid: m.2,
        hostname,
        boot_ts_epoch: m.3,
        flags: m.4,
    });
    let interface = (name(), address(), any::<Option<u64>>())
        .prop_map(|(name, (addr, netmask), linkspeed)| Interface { name, addr, netmask, bcast: netmask, linkspeed });
    let user = (any::<(u32, u32)>(), name(), name(), name()).prop_map(|((uid, gid), name, homedir, shell)| User {
        uid,
        gid,
        name,
        homedir,
        shell,
    });
    let group = (any::<u32>(), name()).prop_map(|(gid, name)| Group { gid, name });
    let fd = (any::<(i64, u64)>(), kind()).prop_map(|((fd, ino), kind)| Fd { fd, ino, kind, cloexec: false });
    let fds = (any::<i64>(), prop::collection::vec(fd, 0..5));
    let many = 0..4usize;
    (
        prop::option::of(machine),
        prop::collection::vec(interface, many.clone()),
        prop::collection::vec(user, many.clone()),
        prop::collection::vec(group, many.clone()),
        prop::collection::vec(thread(), many.clone()),
        prop::collection::vec(fds, many),
    )
        .prop_map(|(machine, interfaces, users, groups, threads, fds)| Tables {
            machine,
            interfaces,
            users,
            groups,
            threads,
            fds,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_survive(tables in tables()) {
        let all = vec![(tables, vec![(0, 0, close(1, 2, 3))])];
        let (bytes, stats) = rewrite(&all, Compression::Plain);
        let strict = second_reader::read(&bytes).unwrap();
        prop_assert_eq!(strict.threads, all[0].0.threads.len());
        prop_assert_eq!(strict.descriptors, all[0].0.fds.iter().map(|(_, list)| list.len()).sum::<usize>());
        prop_assert_eq!((stats.cut, stats.descriptors_left_out), (0, 0));
        prop_assert_eq!(sections(bytes), all);
    }
}

/// A file that is cut off anywhere, or has any byte changed, does not pass.
#[test]
fn the_second_reader_is_strict() {
    let header = plain(|_| {});
    assert_eq!(second_reader::read(&header).unwrap().sections, 1);
    for cut in 1..header.len() {
        assert!(second_reader::read(&header[..cut]).is_err(), "a file cut at {cut} passed");
    }
    for at in 0..header.len() {
        let mut damaged = header.clone();
        damaged[at] ^= 0x10;
        assert!(second_reader::read(&damaged).is_err(), "a file with byte {at} changed passed");
    }
}
