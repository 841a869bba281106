//! The machine and its network interfaces.

use super::parse::{number, words};
use super::reader::ProcDir;
use peregrine_capture::tables::{Interface, Machine};
use rustix::time::{ClockId, clock_gettime};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// What the machine is; what cannot be read is 0 or empty.
pub(super) fn machine(proc: &ProcDir, root: &Path) -> Machine {
    let mut buffer = Vec::new();
    let mut read = |path: &str| -> Vec<u8> {
        match proc.read_up_to(path, 65_536, &mut buffer) {
            Ok(()) => buffer.clone(),
            Err(_) => Vec::new(),
        }
    };
    let meminfo = read("meminfo");
    let total = meminfo.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"MemTotal:"));
    let memory = total.and_then(|line| words(line).next()).and_then(number::<u64>).unwrap_or(0);
    let mut hostname = read("sys/kernel/hostname").trim_ascii_end().to_vec();
    hostname.truncate(127);
    Machine {
        num_cpus: cpus(&std::fs::read(root.join("sys/devices/system/cpu/possible")).unwrap_or_default()),
        memory_size_bytes: memory.saturating_mul(1024),
        max_pid: number(read("sys/kernel/pid_max").trim_ascii()).unwrap_or(0),
        hostname,
        boot_ts_epoch: boot_time(),
        flags: [0; 3],
    }
}

/// Time of boot in nanoseconds since the epoch.
fn boot_time() -> u64 {
    let nanoseconds = |clock| {
        let time = clock_gettime(clock);
        i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
    };
    u64::try_from(nanoseconds(ClockId::Realtime) - nanoseconds(ClockId::Boottime)).unwrap_or(0)
}

/// How many CPUs a list such as `0-3,8` names: up to its highest, since CPUs are indexed by number.
fn cpus(list: &[u8]) -> u32 {
    let last = list.trim_ascii().rsplit(|b| matches!(b, b',' | b'-')).next();
    last.and_then(number::<u32>).map_or(1, |last| last.saturating_add(1))
}

/// Addresses of this network namespace's interfaces.
pub(super) fn interfaces() -> Vec<Interface> {
    let Ok(found) = if_addrs::get_if_addrs() else { return Vec::new() };
    found.into_iter().map(|found| interface(found.name.into_bytes(), found.addr)).collect()
}

fn interface(name: Vec<u8>, addr: if_addrs::IfAddr) -> Interface {
    match addr {
        if_addrs::IfAddr::V4(v4) => Interface {
            name,
            addr: IpAddr::V4(v4.ip),
            netmask: IpAddr::V4(v4.netmask),
            bcast: IpAddr::V4(v4.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            linkspeed: None,
        },
        if_addrs::IfAddr::V6(v6) => Interface {
            name,
            addr: IpAddr::V6(v6.ip),
            netmask: IpAddr::V6(v6.netmask),
            bcast: IpAddr::V6(v6.broadcast.unwrap_or(Ipv6Addr::UNSPECIFIED)),
            linkspeed: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        for (list, want) in [("0\n", 1), ("0-3\n", 4), ("0-3,8-11\n", 12), ("", 1), ("x", 1)] {
            assert_eq!(cpus(list.as_bytes()), want, "{list:?}");
        }
    }

    #[test]
    fn the_loopback_is_an_interface() {
        let found = interfaces();
        assert!(found.iter().any(|i| i.addr.is_loopback()), "{found:?}");
    }
}
