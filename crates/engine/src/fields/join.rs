//! Joining and normalising paths, as upstream does it: by text alone, no symbolic link is resolved.

/// Bytes that a joined path may take, with a closing NUL as upstream counts.
pub(super) const MAX_PATH: usize = 1024;

/// What stands for a path that would be longer than [`MAX_PATH`].
pub(super) const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";

/// Joins a directory and a path into `buffer` and gives the part that was written.
///
/// A relative path is appended to `base` as it is (the base should end in a slash); an absolute or empty one stands
/// alone. In what is appended `.` vanishes, `..` takes the last component off, never above the first byte of the
/// result, repeated slashes become one and a slash at the end goes. A path longer than the buffer becomes
/// [`TOO_LONG`].
pub(super) fn join<'b>(buffer: &'b mut [u8; MAX_PATH], base: &[u8], path: &[u8]) -> &'b [u8] {
    let path = &path[..path.iter().position(|b| *b == 0).unwrap_or(path.len())];
    if base.len() + path.len() + 1 > MAX_PATH {
        return TOO_LONG;
    }
    let base = if path.first().is_none_or(|b| *b == b'/') { &[] } else { base };
    buffer[..base.len()].copy_from_slice(base);
    let len = append(buffer, base.len(), path);
    &buffer[..len]
}

/// Appends a path at `end` under the rules and gives the new end.
fn append(target: &mut [u8; MAX_PATH], mut end: usize, path: &[u8]) -> usize {
    let no_base = end == 0;
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        let after_slash = end == 0 || target[end - 1] == b'/';
        if *byte == b'.' && after_slash {
            match &path[at + 1..] {
                [] => {
                    at += 1;
                    continue;
                }
                [b'/', ..] => {
                    at += 2;
                    continue;
                }
                [b'.', rest @ ..] if rest.first().is_none_or(|b| *b == b'/') => {
                    end = parent(target, end);
                    at += 2 + usize::from(!rest.is_empty());
                    continue;
                }
                _ => {}
            }
        }
        at += 1;
        // A slash after a slash, or at the place that a base was wholly taken off, vanishes.
        if *byte == b'/' && ((end > 0 && target[end - 1] == b'/') || (end == 0 && !no_base)) {
            continue;
        }
        target[end] = *byte;
        end += 1;
    }
    if end > 1 && target[end - 1] == b'/' { end - 1 } else { end }
}

/// The end after taking the last component off; the first byte stays.
fn parent(target: &[u8; MAX_PATH], end: usize) -> usize {
    if end <= 1 {
        return end;
    }
    let mut end = end - 1;
    while end >= 1 && target[end - 1] != b'/' {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str) -> String {
        String::from_utf8_lossy(join(&mut [0; MAX_PATH], base.as_bytes(), path.as_bytes())).into_owned()
    }

    #[test]
    fn joins_as_upstream() {
        for (base, path, expected) in [
            ("/root/", "c:/hello/world/", "/root/c:/hello/world"),
            ("/root/", "../a", "/a"),
            ("/root/a/", "../../../b", "/b"),
            ("/root/", "./a/./b//c/.", "/root/a/b/c"),
            ("", "foo/../a", "a"),
            ("", "/foo/../a", "/a"),
            ("/x/", "/etc//passwd", "/etc/passwd"),
            ("/x/", "/", "/"),
            ("/x/", "", ""),
            ("<UNKNOWN>", "nothing", "<UNKNOWN>nothing"),
            ("/x/", "..a", "/x/..a"),
            ("/x/", ".hidden", "/x/.hidden"),
            ("/x/", "..", "/"),
            ("/x/", "a\0b", "/x/a"),
        ] {
            assert_eq!(joined(base, path), expected, "{base:?} + {path:?}");
        }
    }

    #[test]
    fn long_paths_are_named_so() {
        assert_eq!(joined("/", &"a".repeat(1023)), "/DIR_TOO_LONG/FILENAME_TOO_LONG");
        assert_eq!(joined("/", &"a".repeat(1022)).len(), 1023);
    }
}
