//! A container's id from the cgroup paths of a thread.
//!
//! Semantics: the cgroup matchers of the container plugin (falcosecurity/plugins). The paths are looked at one after the
//! other, each by all engines in the plugin's order; the first that names a container decides.

/// Prefix and suffix around the 64 characters of an id.
type Layout = (&'static [u8], &'static [u8]);

/// Podman, Docker and CRI in this order. A layout that stands in the list before with the same id is left out.
const LAYOUTS: &[Layout] = &[
    (b"/libpod-", b".scope"),
    (b"/libpod-", b".scope/container"),
    (b"/libpod-", b""),
    (b"/libpod-payload-", b".scope"),
    (b"/libpod-payload-", b".scope/container"),
    (b"/libpod-payload-", b""),
    (b"/", b""),
    (b"/docker-", b".scope"),
    (b"/crio-", b""),
    (b"/cri-containerd-", b".scope"),
    (b"/crio-", b".scope"),
    (b":cri-containerd:", b""),
    (b"/nerdctl-", b".scope"),
];

const ID_LEN: usize = 64;
const SHORT_LEN: usize = 12;

/// A container as a path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Its id, at most 12 characters of one that a runtime made up.
    pub id: &'a [u8],
    /// The path.
    pub path: &'a [u8],
}

impl<'a> Found<'a> {
    /// The whole id: 64 characters, or as many as the id has.
    pub fn full_id(&self) -> &'a [u8] {
        // The id is a part of the path, and what follows it in its component belongs to it.
        let at = self.path.windows(self.id.len().max(1)).rposition(|window| window == self.id).unwrap_or(0);
        let rest = self.path.get(at..).unwrap_or_default();
        // Only an id of this length may have been cut.
        let short = self.id.len() != SHORT_LEN;
        let rest = &rest[..rest.iter().position(|b| *b == b'/').unwrap_or(rest.len())];
        let unit = [&b".scope"[..], b".service"].iter().find_map(|end| rest.strip_suffix(*end));
        let rest = unit.filter(|_| rest.len() <= ID_LEN).unwrap_or(rest);
        match rest.get(..ID_LEN).filter(|id| id.iter().all(u8::is_ascii_hexdigit)) {
            Some(id) => id,
            None if short => self.id,
            None => &rest[..rest.len().min(ID_LEN)],
        }
    }
}

/// The id of the container that these cgroups (`subsys=path` entries, NUL after each) belong to; empty for the host.
pub fn id_of(cgroups: &[u8]) -> &[u8] {
    find_in(cgroups).map_or(&[], |found| found.id)
}

/// The container that these cgroups belong to, likewise; `None` for the host.
pub fn find_in(cgroups: &[u8]) -> Option<Found<'_>> {
    let mut before: &[u8] = &[];
    for path in cgroups.split(|b| *b == 0).filter_map(path_of) {
        // With the second version of cgroups all controllers have one path.
        if path == before {
            continue;
        }
        before = path;
        // An engine that recognises the path but finds no id in it ends the search in this path.
        if let Some(id) = id_in(path).filter(|id| !id.is_empty()) {
            return Some(Found { id, path });
        }
    }
    None
}

fn path_of(entry: &[u8]) -> Option<&[u8]> {
    let at = entry.iter().position(|b| *b == b'=')?;
    Some(&entry[at + 1..])
}

fn id_in(path: &[u8]) -> Option<&[u8]> {
    // Most threads of a host lie in a path too short for an id of full length.
    let layouts = if path.len() > ID_LEN { LAYOUTS } else { &[] };
    let runtimes = layouts.iter().find_map(|layout| full_id(path, layout.0, layout.1));
    runtimes
        .or_else(|| machine_id(path))
        .or_else(|| containerd_id(path))
        .or_else(|| lxc_id(path))
        .or_else(|| libvirt_id(path))
        .or_else(|| bpm_id(path))
}

/// The id between the last `prefix` and the last `suffix`, wherever they are, if it is 64 characters long; it is shown
/// short.
///
/// (Odd) the first character that is no hexadecimal digit may stand anywhere beyond the path's 64th: an id that begins
/// there may consist of anything.
fn full_id<'a>(path: &'a [u8], prefix: &[u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let start = rfind(path, prefix)? + prefix.len();
    let end = rfind(path, suffix)?;
    let digits = path[start..].iter().position(|b| !b.is_ascii_hexdigit());
    let fits = end.checked_sub(start) == Some(ID_LEN) && digits.is_none_or(|at| start + at >= ID_LEN);
    fits.then(|| &path[start..start + SHORT_LEN])
}

/// Ours: the name of a machine of systemd's, whose unit is `machine-NAME.scope` or `systemd-nspawn@NAME.service`. Those
/// of libvirt are its own affair, and virtual machines no containers.
fn machine_id(path: &[u8]) -> Option<&[u8]> {
    let scope = |unit: &'_ [u8]| -> Option<(usize, usize)> {
        let name = unit.strip_prefix(b"machine-")?.strip_suffix(b".scope")?;
        let others = name.starts_with(b"lxc\\x2d") || name.starts_with(b"qemu\\x2d");
        (!name.is_empty() && !others).then_some((8, name.len()))
    };
    let service = |unit: &'_ [u8]| -> Option<(usize, usize)> {
        let name = unit.strip_prefix(b"systemd-nspawn@")?.strip_suffix(b".service")?;
        (!name.is_empty()).then_some((15, name.len()))
    };
    let mut slice = false;
    for unit in path.split(|b| *b == b'/') {
        if let Some((at, len)) = service(unit).or_else(|| scope(unit).filter(|_| slice)) {
            return Some(&unit[at..at + len]);
        }
        slice = unit == b"machine.slice";
    }
    None
}

/// What follows the namespace, the first component that can be one and is not the last: 1 to 64 characters, slashes
/// among them. Paths that end in a unit of systemd are the host's.
fn containerd_id(path: &[u8]) -> Option<&[u8]> {
    let namespace = namespace(path)?;
    if let Some(id) = full_id(path, namespace, b"") {
        return Some(id);
    }
    let id = &path[rfind(path, namespace)? + namespace.len()..];
    let unit = [&b".service"[..], b".slice", b".scope"].iter().any(|end| path.ends_with(end));
    ((1..=ID_LEN).contains(&id.len()) && !unit).then(|| &id[..id.len().min(SHORT_LEN)])
}

/// The first `/NAMESPACE/`, slashes included: letters and digits, with single dots, underscores or hyphens between.
fn namespace(path: &[u8]) -> Option<&[u8]> {
    let valid = |name: &[u8]| {
        name.split(|b| matches!(b, b'.' | b'_' | b'-'))
            .all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric))
    };
    let mut start = find(path, b"/")?;
    while let Some(end) = find(&path[start + 1..], b"/").map(|at| start + 1 + at) {
        if valid(&path[start + 1..end]) {
            return Some(&path[start..=end]);
        }
        start = end;
    }
    None
}

/// The component after one of LXC's prefixes.
fn lxc_id(path: &[u8]) -> Option<&[u8]> {
    let prefixes = [&b"/lxc/"[..], b"/lxc.payload/", b"/lxc.payload."];
    let start = prefixes.iter().find_map(|prefix| Some(find(path, prefix)? + prefix.len()))?;
    let rest = &path[start..];
    Some(&rest[..find(rest, b"/").unwrap_or(rest.len())])
}

/// LXC under libvirt, without and with systemd. (Its oldest layout, below `/libvirt/lxc/`, is LXC's too.)
fn libvirt_id(path: &[u8]) -> Option<&[u8]> {
    const PLAIN: &[u8] = b".libvirt-lxc";
    const ESCAPED: &[u8] = b"-lxc\\x2";
    if let Some(end) = find(path, PLAIN).filter(|end| end + PLAIN.len() == path.len())
        && let Some(slash) = rfind(&path[..end], b"/")
    {
        return Some(&path[slash + 1..end]);
    }
    // `machine-lxc\x2d…`: the digit after the escape's first is skipped with it.
    let start = find(path, ESCAPED)? + ESCAPED.len() + 1;
    let inner: &[u8] = b".scope/libvirt";
    let suffix = if find(path, inner).is_some() { inner } else { b".scope" };
    let end = find(path, suffix).filter(|end| end + suffix.len() == path.len())?;
    path.get(start..end)
}

/// What follows `bpm-`, up to the unit's ending.
fn bpm_id(path: &[u8]) -> Option<&[u8]> {
    let rest = &path[find(path, b"bpm-")? + 4..];
    let id = &rest[..find(rest, b".scope").unwrap_or(rest.len())];
    let valid = id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    (!id.is_empty() && valid).then_some(id)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Where `what` begins for the last time; nothing is found at the end.
fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    let last = text.len().checked_sub(what.len())?;
    (0..=last).rev().find(|at| text[*at..].starts_with(what))
}

/// Appends one `subsys=path` entry and its NUL, the subsystem under the name that fields show.
pub(crate) fn push_cgroup(entry: &[u8], out: &mut Vec<u8>) {
    const MARK: &[u8] = b"_cgroup";
    let at = entry.iter().position(|b| *b == b'=').unwrap_or(entry.len());
    let (subsys, rest) = entry.split_at(at);
    let start = out.len();
    let cut = if subsys.contains(&b'_') { subsys.windows(MARK.len()).position(|w| w == MARK) } else { None };
    match cut {
        Some(cut) => {
            out.extend_from_slice(&subsys[..cut]);
            out.extend_from_slice(&subsys[cut + MARK.len()..]);
        }
        None => out.extend_from_slice(subsys),
    }
    let renamed: Option<&[u8]> = match &out[start..] {
        b"perf" => Some(b"perf_event"),
        b"mem" => Some(b"memory"),
        b"io" => Some(b"blkio"),
        _ => None,
    };
    if let Some(name) = renamed {
        out.truncate(start);
        out.extend_from_slice(name);
    }
    out.extend_from_slice(rest);
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "3f9a0c27d8e14b5f6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c";

    fn id(path: &str) -> String {
        let cgroups = format!("cpuset=/\0cpu={path}\0");
        String::from_utf8(id_of(cgroups.as_bytes()).to_vec()).unwrap()
    }

    /// Ids of paths in which `@` stands for a full id.
    fn check(cases: &[(&str, &str)]) {
        for (path, want) in cases {
            assert_eq!(id(&path.replace('@', HEX)), *want, "{path}");
        }
    }

    const SHORT: &str = "3f9a0c27d8e1";

    #[test]
    fn full_ids() {
        check(&[
            ("/docker/@", SHORT),
            ("/system.slice/docker-@.scope", SHORT),
            ("/machine.slice/libpod-@.scope", SHORT),
            ("/machine.slice/libpod-@.scope/container", SHORT),
            ("/system.slice/libpod-@", SHORT),
            ("/system.slice/a-b.service/libpod-payload-@", SHORT),
            ("/system.slice/x.service/libpod-payload-@.scope", SHORT),
            ("/x.slice/libpod-payload-@.scope/container", SHORT),
            ("/kubepods/besteffort/podaa/@", SHORT),
            ("/kubepods/besteffort/podaa/crio-@", SHORT),
            ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-@.scope", SHORT),
            ("/kubepods.slice/crio-@.scope", SHORT),
            ("/kubepods.slice/docker-@.scope", SHORT),
            ("/system.slice/nerdctl-@.scope", SHORT),
            ("/system.slice:cri-containerd:@", SHORT),
            // Neither prefix nor suffix need be the last thing in the path, and the last of each counts.
            ("/system.slice/docker-@.scope/init", SHORT),
            ("/docker-a.scope/docker-@.scope/sub/group", SHORT),
            ("/docker-@.scope/docker-x.scope", ""),
            ("/crio-@.scope/crio-conmon.service", ""),
        ]);
    }

    #[test]
    fn what_an_id_consists_of() {
        let other = "g".repeat(64);
        let long = format!("/{}", "p".repeat(70));
        check(&[
            // Containerd takes any id of up to 64 characters.
            (&format!("/docker/{other}"), "gggggggggggg"),
            (&format!("/docker-{other}.scope"), ""),
            (&format!("{long}/docker-{other}.scope"), "gggggggggggg"),
            // The first other character beyond the path's 64th.
            (&format!("/docker-{}{}.scope", &HEX[..56], "g".repeat(8)), SHORT),
            (&format!("/docker-{}{}.scope", &HEX[..55], "g".repeat(9)), ""),
            (&format!("/docker-{HEX}0.scope"), ""),
            (&format!("/docker-{}.scope", &HEX[1..]), ""),
        ]);
    }

    #[test]
    fn containerd_namespaces() {
        let a64 = "z".repeat(64);
        check(&[
            ("/default/nginx", "nginx"),
            ("/default/test_container", "test_contain"),
            ("/my_very_long_namespace-1.5/test_container", "test_contain"),
            ("/k8s.io/my-test_container", "my-test_cont"),
            ("/default/a", "a"),
            ("/default/service.container", "service.cont"),
            ("/default/id.service", ""),
            ("/default/id.slice", ""),
            ("/namespace/.scope", ""),
            // The namespace is searched anywhere: the first component that looks like one and is not the last.
            ("/-bad-/good/id", "id"),
            ("/a..b/_c/d-/ok.1/id", "id"),
            ("/%x/../n/id", "id"),
            ("/alone", ""),
            ("relative/id", ""),
            ("relative/ns/id", "id"),
            // What follows may hold slashes, and begins after the last place where the namespace stands.
            ("/ns/a/b/c", "a/b/c"),
            ("/ns/a/ns/b", "b"),
            ("/ns/ns/b", "b"),
            ("/ns/", ""),
            (&format!("/ns/{a64}"), "zzzzzzzzzzzz"),
            (&format!("/ns/{a64}z"), ""),
            ("/ns/unit.service/part", "unit.service"),
        ]);
    }

    #[test]
    fn lxc_libvirt_and_bpm() {
        check(&[
            ("/lxc", ""),
            ("/lxc.payload.web", "web"),
            ("/lxc.payload.web/x.scope", "web"),
            ("/a.slice/lxc/web/x.slice", "web"),
            ("/a.slice/lxc.payload/web/x.slice", "web"),
            ("/machine.slice/web.libvirt-lxc", "web.libvirt-"),
            ("/web.libvirt-lxc", "web"),
            ("/m_-/web.libvirt-lxc/x.scope", ""),
            (r"/machine.slice/machine-lxc\x2d229\x2dweb.scope", r"229\x2dweb"),
            (r"/!/machine-lxc\x2dweb.scope/libvirt", "web"),
            (r"/machine-lxc\x2d.scope", ""),
            (r"/machine-lxc\x2dweb.scope/other.scope", ""),
            ("/a_-/libvirt/lxc/web/x.scope", "web"),
            ("/bpm-job.proc_1", "job.proc_1"),
            ("/system.slice/runc-bpm-job.1.scope", "job.1"),
            ("/bpm-", ""),
            ("/bpm-a b", ""),
        ]);
    }

    #[test]
    fn machines_of_systemd() {
        check(&[
            ("/machine.slice/machine-web.scope", "web"),
            ("/machine.slice/machine-web.scope/payload/init.scope", "web"),
            ("/machine-web.scope", ""),
            (r"/machine.slice/machine-qemu\x2d1\x2dvm.scope", ""),
        ]);
        assert_eq!(id("/machine.slice/systemd-nspawn@a-b.service/payload"), "a-b");
    }

    #[test]
    fn the_first_path_decides_not_the_first_engine() {
        let both = format!("cpu=/default/nginx\0memory=/docker/{HEX}\0");
        assert_eq!(id_of(both.as_bytes()), b"nginx");
        // LXC recognises the first path though there is no id in it.
        let empty = format!("cpu=/lxc/\0memory=\0io=/docker/{HEX}\0");
        assert_eq!(id_of(empty.as_bytes()), SHORT.as_bytes());
    }

    #[test]
    fn whole_ids() {
        let full = |path: &str| {
            let cgroups = format!("cpu={path}\0");
            String::from_utf8(find_in(cgroups.as_bytes()).unwrap().full_id().to_vec()).unwrap()
        };
        assert_eq!(full(&format!("/docker/{HEX}")), HEX);
        assert_eq!(full(&format!("/x.slice/libpod-{HEX}.scope/container")), HEX);
        assert_eq!(full("/default/test_container"), "test_container");
        assert_eq!(full("/machine.slice/machine-twelve-chars.scope/payload"), "twelve-chars");
        assert_eq!(full("/lxc.payload.a-name-of-more-than-twelve"), "a-name-of-more-than-twelve");
        assert_eq!((full("/lxc.payload.web"), full("/default/a")), ("web".into(), "a".into()));
    }

    #[test]
    fn host_paths_are_no_containers() {
        check(&[
            ("/", ""),
            ("", ""),
            ("/init.scope", ""),
            ("/user.slice", ""),
            ("/user.slice/user-0.slice", ""),
            ("/system.slice/sshd.service", ""),
            ("/user.slice/user-1000.slice/user-1000.service/init.scope", ""),
            (&format!("/user.slice/user-1000.slice/user-1000.service/libpod-{HEX}g"), ""),
        ]);
    }
}
