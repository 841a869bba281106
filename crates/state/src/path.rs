//! Joining and normalising paths as upstream does, without asking the file system.
//!
//! Semantics: libsinsp's `concatenate_paths`. No symbolic link is resolved; what comes out is the program's view.

/// Longest `base` + `path` that is joined, in bytes, the closing NUL of the C original included.
pub const MAX_PATH: usize = 1024;

/// What a join of more than [`MAX_PATH`] bytes gives.
pub const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";

/// Writes `path`, resolved against `base`, into `out`, whose former content is dropped.
///
/// An empty or absolute `path` ignores `base`. Otherwise `base` is taken as it is (it must end in `/` itself) and
/// `path` is appended: `.` vanishes, `..` takes the last component away but never the first character of the result,
/// repeated slashes become one, a trailing slash goes (`/` stays).
pub fn join(base: &[u8], path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if base.len() + path.len() + 1 > MAX_PATH {
        out.extend_from_slice(TOO_LONG);
        return;
    }
    let relative = path.first().is_some_and(|first| *first != b'/');
    if relative {
        out.extend_from_slice(base);
    }
    if is_normal(path) {
        out.extend_from_slice(path);
    } else {
        normalise(path, out);
    }
}

/// Whether a path is appended as it is: no component is empty or begins with a dot, and none is missing at the end.
/// Most paths are so; eight bytes are looked at at a time.
fn is_normal(path: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const SLASHES: u64 = ONES * b'/' as u64;
    let (Some(first), Some(last)) = (path.first(), path.last()) else { return false };
    if *first == b'.' || *last == b'/' {
        return false;
    }
    let pairs = path.as_chunks::<8>().0.iter().zip(path[1..].as_chunks::<8>().0);
    let mut looked = 0;
    for (bytes, next) in pairs {
        // A dot and a slash differ in their lowest bit. A byte is zero where a slash has one of them behind it; the first
        // that is found to be zero is so.
        let next = u64::from_le_bytes(*next) | ONES;
        let pair = (u64::from_le_bytes(*bytes) ^ SLASHES) | (next ^ SLASHES);
        if pair.wrapping_sub(ONES) & !pair & (ONES << 7) != 0 {
            return false;
        }
        looked += 8;
    }
    !path[looked..].windows(2).any(|pair| pair[0] == b'/' && pair[1] | 1 == b'/')
}

/// Appends `path` to `out` component by component.
fn normalise(path: &[u8], out: &mut Vec<u8>) {
    let empty_base = out.is_empty();
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        let component_start = out.last().is_none_or(|last| *last == b'/');
        match byte {
            b'.' if component_start => match (path.get(at + 1), path.get(at + 2)) {
                (Some(b'.'), Some(b'/')) => {
                    to_parent(out);
                    at += 3;
                }
                (Some(b'.'), None) => {
                    to_parent(out);
                    at += 2;
                }
                (Some(b'/'), _) => at += 2,
                (None, _) => at += 1,
                _ => {
                    out.push(byte);
                    at += 1;
                }
            },
            b'/' => {
                // A base that was used up must not leave a slash in front: `foo/` + `../a` is `a`.
                let skip = if out.is_empty() { !empty_base } else { component_start };
                if !skip {
                    out.push(byte);
                }
                at += 1;
            }
            _ => {
                let rest = &path[at..];
                let len = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
                out.extend_from_slice(&rest[..len]);
                at += len;
            }
        }
    }
    if out.len() > 1 && out.last() == Some(&b'/') {
        out.pop();
    }
}

/// Takes the last component away; the first character always stays.
fn to_parent(out: &mut Vec<u8>) {
    if out.len() <= 1 {
        return;
    }
    out.pop();
    while !out.is_empty() && out.last() != Some(&b'/') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::from_utf8;

    fn joined(base: &str, path: &str) -> String {
        let mut out = b"stale".to_vec();
        join(base.as_bytes(), path.as_bytes(), &mut out);
        from_utf8(&out).unwrap().to_owned()
    }

    #[test]
    fn what_is_appended_as_it_is_is_what_comes_out_component_by_component() {
        let (mut quick, mut slow) = (Vec::new(), Vec::new());
        for number in 0..3usize.pow(10) {
            let path: Vec<u8> = (0..10).map(|at| b"/.a"[number / 3usize.pow(at) % 3]).collect();
            for (base, len) in [("/b/", 10), ("", 10), ("<UNKNOWN>", 9), ("/", 3)] {
                join(base.as_bytes(), &path[..len], &mut quick);
                slow.clear();
                slow.extend_from_slice(if path[0] == b'/' { b"" } else { base.as_bytes() });
                normalise(&path[..len], &mut slow);
                assert_eq!(quick, slow, "{base} {path:?}");
            }
        }
    }

    #[test]
    fn dots_and_slashes() {
        for (base, path, want) in [
            ("/", "a", "/a"),
            ("/b/", "a/./c//d/", "/b/a/c/d"),
            ("/b/", "../..//../x", "/x"),
            ("/b/", "", ""),
            ("/b/", "/", "/"),
            ("/b/", "///etc//", "/etc"),
            ("", "foo/../a", "a"),
            ("", "/foo/../a", "/a"),
            ("", "..", ""),
            ("/a/b/", "..", "/a"),
            ("/a/", "..", "/"),
            ("/a/", ".hidden/..x/...", "/a/.hidden/..x/..."),
            ("/a/", "b..", "/a/b.."),
            ("<UNKNOWN>", "nothing", "<UNKNOWN>nothing"),
            ("<UNKNOWN>", "../x", "<UNKNOWN>../x"),
            ("foo/", "../a", "a"),
        ] {
            assert_eq!(joined(base, path), want, "{base:?} + {path:?}");
        }
    }

    #[test]
    fn bound_is_the_sum_of_both() {
        let base = format!("/{}/", "d".repeat(500));
        assert_eq!(joined(&base, &"f".repeat(521)).len(), 1023);
        assert_eq!(joined(&base, &"f".repeat(522)), from_utf8(TOO_LONG).unwrap());
        assert_eq!(joined(&base, &format!("/{}", "f".repeat(600))), from_utf8(TOO_LONG).unwrap());
    }
}
