//! `passwd` and `group` files, of the host and of containers.

use super::parse::number;
use crate::users::{Accounts, Group, User};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Largest account file that is read, in bytes; what comes after is not seen.
const MAX_FILE: u64 = 1 << 20;
/// Accounts of each kind at most.
const MAX_ACCOUNTS: usize = 16_384;

/// The accounts of the system whose root directory this is; what cannot be read is empty.
pub(super) fn host(root: &Path) -> Accounts {
    open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_or_else(|_| Accounts::default(), |root| below(&root))
}

/// The accounts below an open root directory. Its content may be an attacker's: no link leads out of it, nothing but
/// ordinary files is read, and of those no more than a bounded part.
pub(super) fn below(root: &OwnedFd) -> Accounts {
    let read = |path| read_inside(root, path).unwrap_or_default();
    let (passwd, group) = (read("etc/passwd"), read("etc/group"));
    Accounts {
        users: passwd.split(|b| *b == b'\n').filter_map(user).take(MAX_ACCOUNTS).collect(),
        groups: group.split(|b| *b == b'\n').filter_map(self::group).take(MAX_ACCOUNTS).collect(),
    }
}

fn read_inside(root: impl AsFd, path: &str) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)?;
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::from(file).take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `name:password:uid:gid:comment:home:shell`; a line that lacks a part or whose ids are no numbers is none.
fn user(line: &[u8]) -> Option<User> {
    let mut parts = line.splitn(7, |b| *b == b':');
    let name = parts.next()?.to_vec();
    let (uid, gid) = (number(parts.nth(1)?)?, number(parts.next()?)?);
    let (homedir, shell) = (parts.nth(1)?.to_vec(), parts.next()?.to_vec());
    Some(User { uid, gid, name, homedir, shell })
}

/// `name:password:gid:members`.
fn group(line: &[u8]) -> Option<Group> {
    let mut parts = line.splitn(4, |b| *b == b':');
    let name = parts.next()?.to_vec();
    Some(Group { gid: number(parts.nth(1)?)?, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn lines() {
        let want = User {
            uid: 33,
            gid: 34,
            name: b"www".to_vec(),
            homedir: b"/var/www".to_vec(),
            shell: b"/bin/sh:x".to_vec(),
        };
        assert_eq!(user(b"www:x:33:34:a,b:/var/www:/bin/sh:x"), Some(want));
        assert_eq!(user(b"www:x:33"), None);
        assert_eq!(user(b"www:x:-1:0::/:/"), None);
        assert_eq!(group(b"adm:x:4:syslog,me"), Some(Group { gid: 4, name: b"adm".to_vec() }));
        assert_eq!(group(b"adm:x"), None);
    }

    #[test]
    fn a_containers_link_stays_inside() {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        symlink("/etc/passwd.real", etc.join("passwd")).unwrap();
        symlink("/etc/group", etc.join("group")).unwrap();
        std::fs::write(etc.join("passwd.real"), "in:x:5:6::/:/bin/x\n").unwrap();
        let accounts = host(root.path());
        assert_eq!(accounts.users.iter().map(|user| &user.name[..]).collect::<Vec<_>>(), [b"in"]);
        assert!(accounts.groups.is_empty(), "a link to itself is no file");
    }
}
