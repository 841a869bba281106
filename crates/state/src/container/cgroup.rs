//! A container's id from the cgroup paths of a thread.
//!
//! Semantics: the cgroup matchers of the container plugin 0.7. The first path, of any controller, that an engine
//! recognises decides; the engines are asked in the order of [`ENGINES`].

/// How one engine names the cgroups of its containers.
struct Engine {
    /// Prefix and suffix around 64 hexadecimal digits.
    layouts: &'static [(&'static str, &'static str)],
}

/// Podman, Docker, CRI. The other two engines have no digits to look for.
const ENGINES: &[Engine] = &[
    Engine {
        layouts: &[
            ("/libpod-", ".scope"),
            ("/libpod-", ".scope/container"),
            ("/libpod-", ""),
            ("/libpod-payload-", ".scope"),
            ("/libpod-payload-", ".scope/container"),
            ("/libpod-payload-", ""),
        ],
    },
    Engine { layouts: &[("/", ""), ("/docker-", ".scope")] },
    Engine {
        layouts: &[
            ("/", ""),
            ("/crio-", ""),
            ("/crio-", ".scope"),
            ("/cri-containerd-", ".scope"),
            (":cri-containerd:", ""),
            ("/nerdctl-", ".scope"),
        ],
    },
];

const ID_LEN: usize = 64;
const SHORT_LEN: usize = 12;

/// The id of the container that these cgroups (`subsys=path` entries, NUL after each) belong to; empty for the host.
pub fn id_of(cgroups: &[u8]) -> &[u8] {
    let paths = || cgroups.split(|b| *b == 0).filter_map(path_of);
    // Most threads of a host lie in the root or in a short path.
    let engines = if paths().any(|path| path.len() > ID_LEN) { ENGINES } else { &[] };
    for engine in engines {
        if let Some(id) = paths().find_map(|path| engine.layouts.iter().find_map(|l| hex_id(path, l.0, l.1))) {
            return id;
        }
    }
    paths().find_map(containerd_id).or_else(|| paths().find_map(lxc_id)).unwrap_or_default()
}

fn path_of(entry: &[u8]) -> Option<&[u8]> {
    let at = entry.iter().position(|b| *b == b'=')?;
    Some(&entry[at + 1..])
}

/// The short id between the last `prefix` and the closing `suffix`, if 64 hexadecimal digits lie there.
fn hex_id<'a>(path: &'a [u8], prefix: &str, suffix: &str) -> Option<&'a [u8]> {
    let head = path.strip_suffix(suffix.as_bytes())?;
    let start = head.len().checked_sub(ID_LEN)?;
    let (before, id) = head.split_at(start);
    (before.ends_with(prefix.as_bytes()) && id.iter().all(u8::is_ascii_hexdigit)).then(|| &id[..SHORT_LEN])
}

/// `/NAMESPACE/ID`, neither a unit of systemd.
fn containerd_id(path: &[u8]) -> Option<&[u8]> {
    let mut parts = path.strip_prefix(b"/")?.split(|b| *b == b'/');
    let (namespace, id) = (parts.next()?, parts.next()?);
    let unit = [&b".service"[..], b".slice", b".scope"].iter().any(|end| id.ends_with(end));
    let fits = !namespace.is_empty() && (1..=ID_LEN).contains(&id.len()) && parts.next().is_none() && !unit;
    fits.then(|| &id[..id.len().min(SHORT_LEN)])
}

/// The component after one of LXC's prefixes.
fn lxc_id(path: &[u8]) -> Option<&[u8]> {
    if !path.iter().enumerate().any(|(at, b)| *b == b'/' && path[at..].starts_with(b"/lxc")) {
        return None;
    }
    ["/lxc/", "/lxc.payload/", "/lxc.payload."].iter().find_map(|prefix| {
        let at = path.windows(prefix.len()).position(|w| w == prefix.as_bytes())? + prefix.len();
        let rest = &path[at..];
        let id = &rest[..rest.iter().position(|b| *b == b'/').unwrap_or(rest.len())];
        (!id.is_empty()).then_some(id)
    })
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

    #[test]
    fn engines() {
        for path in [
            "/docker/@",
            "/system.slice/docker-@.scope",
            "/machine.slice/libpod-@.scope",
            "/machine.slice/libpod-@.scope/container",
            "/kubepods/besteffort/podaa/@",
            "/kubepods.slice/kubepods-pod1.slice/cri-containerd-@.scope",
            "/kubepods.slice/crio-@.scope",
            "/system.slice:cri-containerd:@",
        ] {
            assert_eq!(id(&path.replace('@', HEX)), &HEX[..12], "{path}");
        }
        assert_eq!(id("/lxc/web/sub"), "web");
        assert_eq!(id("/lxc.payload.web"), "web");
        assert_eq!(id("/default/nginx"), "nginx");
    }

    #[test]
    fn host_paths_are_no_containers() {
        for path in ["/", "/user.slice", "/system.slice/sshd.service", "/user.slice/user-0.slice", "", "/init.scope"] {
            assert_eq!(id(path), "", "{path}");
        }
        assert_eq!(id(&format!("/docker/{}", &HEX[1..])), HEX[1..13].to_owned(), "any id is containerd's");
        assert_eq!(id(&format!("/a/docker/{}g", &HEX[1..])), "");
    }
}
