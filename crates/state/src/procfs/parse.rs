//! The texts of `/proc` files.

/// Parts of `/proc/PID/status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) name: Vec<u8>,
    pub(super) tgid: i64,
    pub(super) ppid: i64,
    /// Effective ids.
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Ids in the innermost PID namespace; -1 if the kernel does not say.
    pub(super) vpid: i64,
    pub(super) vtid: i64,
    pub(super) vpgid: i64,
    pub(super) vmsize_kb: u32,
    pub(super) vmrss_kb: u32,
    pub(super) vmswap_kb: u32,
    pub(super) cap_inheritable: u64,
    pub(super) cap_permitted: u64,
    pub(super) cap_effective: u64,
}

/// Reads a `status` file; `None` if it lacks the thread group's id.
pub(super) fn status(text: &[u8]) -> Option<Status> {
    let mut status = Status { tgid: -1, vpid: -1, vtid: -1, vpgid: -1, ..Status::default() };
    for line in text.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        match &line[..colon] {
            b"Name" => status.name = unescape(value),
            b"Tgid" => status.tgid = number(value)?,
            b"PPid" => status.ppid = number(value)?,
            b"Uid" => status.uid = words(value).nth(1).and_then(number).unwrap_or(u32::MAX),
            b"Gid" => status.gid = words(value).nth(1).and_then(number).unwrap_or(u32::MAX),
            b"NStgid" => status.vpid = words(value).last().and_then(number).unwrap_or(-1),
            b"NSpid" => status.vtid = words(value).last().and_then(number).unwrap_or(-1),
            b"NSpgid" => status.vpgid = words(value).last().and_then(number).unwrap_or(-1),
            b"VmSize" => status.vmsize_kb = words(value).next().and_then(number).unwrap_or(0),
            b"VmRSS" => status.vmrss_kb = words(value).next().and_then(number).unwrap_or(0),
            b"VmSwap" => status.vmswap_kb = words(value).next().and_then(number).unwrap_or(0),
            b"CapInh" => status.cap_inheritable = hex(value).unwrap_or(0),
            b"CapPrm" => status.cap_permitted = hex(value).unwrap_or(0),
            b"CapEff" => status.cap_effective = hex(value).unwrap_or(0),
            _ => {}
        }
    }
    (status.tgid > 0).then_some(status)
}

/// Parts of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) ppid: i64,
    pub(super) pgid: i64,
    pub(super) sid: i64,
    pub(super) tty: u32,
    pub(super) pfminor: u64,
    pub(super) pfmajor: u64,
    /// Clock ticks since boot; 0 if the kernel does not say.
    pub(super) started: u64,
}

/// Reads a `stat` file. The name in it may hold anything, so what counts comes after the last parenthesis.
pub(super) fn stat(text: &[u8]) -> Option<Stat> {
    let close = text.iter().rposition(|b| *b == b')')?;
    let mut rest = words(&text[close + 1..]);
    Some(Stat {
        ppid: rest.nth(1).and_then(number)?,
        pgid: rest.next().and_then(number)?,
        sid: rest.next().and_then(number)?,
        tty: rest.next().and_then(number::<i64>)? as u32,
        pfminor: rest.nth(2).and_then(number)?,
        pfmajor: rest.nth(1).and_then(number)?,
        started: rest.nth(9).and_then(number).unwrap_or(0),
    })
}

/// `/proc/PID/cgroup` as `subsys=path` entries, each with its NUL; of the second version the one path stands for every
/// controller that upstream's events name.
pub(super) fn cgroups(text: &[u8]) -> Vec<u8> {
    const CONTROLLERS: &[&str] = &["cpuset", "cpu", "cpuacct", "io", "memory"];
    let mut out = Vec::new();
    let mut push = |subsys: &[u8], path: &[u8]| {
        if out.len() + subsys.len() + path.len() + 2 <= 4096 {
            out.extend_from_slice(subsys);
            out.push(b'=');
            out.extend_from_slice(path);
            out.push(0);
        }
    };
    let mut unified = None;
    let mut first_version = false;
    for line in text.split(|b| *b == b'\n') {
        let mut parts = line.splitn(3, |b| *b == b':');
        let (Some(_), Some(subsystems), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        if subsystems.is_empty() {
            unified = Some(path);
        }
        for subsys in subsystems.split(|b| *b == b',').filter(|s| !s.is_empty() && !s.starts_with(b"name=")) {
            first_version = true;
            push(subsys, path);
        }
    }
    if let (Some(path), false) = (unified, first_version) {
        CONTROLLERS.iter().for_each(|subsys| push(subsys.as_bytes(), path));
    }
    out
}

/// The soft limit of open files in `/proc/PID/limits`; -1 for unlimited or unknown.
pub(super) fn fd_limit(text: &[u8]) -> i64 {
    let line = text.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"Max open files"));
    line.and_then(|line| words(line).next()).and_then(number).unwrap_or(-1)
}

/// The open flags in `/proc/PID/fdinfo/FD`, as Linux numbers them.
pub(super) fn fd_flags(text: &[u8]) -> Option<u32> {
    let line = text.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"flags:"))?;
    u32::from_str_radix(std::str::from_utf8(line.trim_ascii()).ok()?, 8).ok()
}

/// The `Pid` of a pidfd in its `fdinfo`; 0 if there is none.
pub(super) fn pidfd_pid(text: &[u8]) -> i64 {
    let line = text.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"Pid:"));
    line.and_then(|line| number(line.trim_ascii())).unwrap_or(0)
}

/// Words between blanks.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number.
pub(super) fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// A hexadecimal number without prefix.
pub(super) fn hex(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
}

/// `status` escapes backslash and newline, and nothing else.
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'n')) => {
                bytes.next();
                out.push(b'\n');
            }
            (b'\\', Some(b'\\')) => {
                bytes.next();
                out.push(b'\\');
            }
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_a_contained_thread() {
        let text = b"Name:\tod\\\\d\\n\nUmask:\t0022\nTgid:\t100\nPid:\t101\nPPid:\t7\nUid:\t1000\t33\t1\t1\nGid:\t5\t6\t7\t8\n\
            NStgid:\t100\t2\nNSpid:\t101\t3\nNSpgid:\t90\t1\nVmSize:\t  120 kB\nVmRSS:\t 20 kB\nCapEff:\t000001ffffffffff\n";
        let got = status(text).unwrap();
        assert_eq!(got.name, b"od\\d\n");
        assert_eq!((got.tgid, got.ppid, got.uid, got.gid), (100, 7, 33, 6));
        assert_eq!((got.vpid, got.vtid, got.vpgid), (2, 3, 1));
        assert_eq!((got.vmsize_kb, got.vmrss_kb, got.cap_effective), (120, 20, (1 << 41) - 1));
        assert_eq!(status(b"Name:\tx\n"), None);
        assert_eq!(status(b"Tgid:\tx\n"), None);
    }

    #[test]
    fn stat_with_a_hostile_name() {
        let text = b"7 (a) R 1 ) S 3 4 5 34816 6 4194304 11 0 22 0 1 2\n";
        let want = Stat { ppid: 3, pgid: 4, sid: 5, tty: 34816, pfminor: 11, pfmajor: 22, started: 0 };
        assert_eq!(stat(text), Some(want));
        let long = b"7 (a) S 3 4 5 0 6 0 11 0 22 0 1 2 3 4 20 0 1 0 98765 7 8\n";
        assert_eq!(stat(long).map(|stat| stat.started), Some(98_765));
        assert_eq!(stat(b"7 (a) S 3"), None);
        assert_eq!(stat(b""), None);
    }

    #[test]
    fn cgroups_of_both_versions() {
        assert_eq!(cgroups(b"5:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n"), b"cpu=/a\0cpuacct=/a\0");
        assert_eq!(cgroups(b"0::/c\n"), b"cpuset=/c\0cpu=/c\0cpuacct=/c\0io=/c\0memory=/c\0");
        assert_eq!(cgroups(b"junk"), b"");
    }

    #[test]
    fn small_ones() {
        assert_eq!(fd_limit(b"Limit  Soft\nMax open files            1024                 4096   files\n"), 1024);
        assert_eq!(fd_limit(b"Max open files  unlimited unlimited files"), -1);
        assert_eq!(fd_flags(b"pos:\t0\nflags:\t02100002\n"), Some(0o2100002));
        assert_eq!((pidfd_pid(b"Pid:\t42\n"), pidfd_pid(b"pos: 1")), (42, 0));
    }
}
