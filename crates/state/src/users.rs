//! Users and groups, of the host and of containers.

pub use peregrine_capture::tables::{Group, User};
use rustc_hash::FxHashMap;

/// Longest name that is kept, in bytes.
const MAX_NAME: usize = 255;
/// Longest home directory or shell that is kept, in bytes.
const MAX_PATH: usize = 1023;

/// Users and groups of one system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Its users.
    pub users: Vec<User>,
    /// Its groups.
    pub groups: Vec<Group>,
}

/// All users and groups by container; the host's container id is empty.
#[derive(Debug, Default)]
pub(crate) struct Users {
    host: Table,
    containers: FxHashMap<Vec<u8>, Table>,
    len: usize,
}

#[derive(Debug, Default)]
struct Table {
    users: FxHashMap<u32, User>,
    groups: FxHashMap<u32, Group>,
}

impl Users {
    pub(crate) fn user(&self, container: &[u8], uid: u32) -> Option<&User> {
        self.accounts(container)?.users.get(&uid)
    }

    pub(crate) fn group(&self, container: &[u8], gid: u32) -> Option<&Group> {
        self.accounts(container)?.groups.get(&gid)
    }

    /// Users and groups of the host, unordered.
    pub(crate) fn host(&self) -> (impl Iterator<Item = &User>, impl Iterator<Item = &Group>) {
        (self.host.users.values(), self.host.groups.values())
    }

    /// Whether a container's accounts are known, even if it has none.
    pub(crate) fn knows(&self, container: &[u8]) -> bool {
        self.accounts(container).is_some()
    }

    /// Number of users and groups.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes all accounts of a container, and remembers that they are known even if there are none; `false` if `most` is
    /// reached.
    pub(crate) fn learn(&mut self, container: &[u8], accounts: Accounts, most: usize) -> bool {
        self.room(container, most).is_some()
            && accounts.users.into_iter().all(|user| self.add_user(container, user, most))
            && accounts.groups.into_iter().all(|group| self.add_group(container, group, most))
    }

    /// Adds or changes a user; `false` if `most` is reached. Names that begin with `+` or `-` stand for a name service
    /// and are no users.
    pub(crate) fn add_user(&mut self, container: &[u8], mut user: User, most: usize) -> bool {
        if matches!(user.name.first(), Some(b'+' | b'-')) {
            return true;
        }
        user.name.truncate(MAX_NAME);
        user.homedir.truncate(MAX_PATH);
        user.shell.truncate(MAX_PATH);
        let known = self.accounts(container).is_some_and(|accounts| accounts.users.contains_key(&user.uid));
        let Some(accounts) = self.room(container, if known { usize::MAX } else { most }) else { return false };
        accounts.users.insert(user.uid, user);
        self.len += usize::from(!known);
        true
    }

    /// Adds or changes a group, likewise.
    pub(crate) fn add_group(&mut self, container: &[u8], mut group: Group, most: usize) -> bool {
        if matches!(group.name.first(), Some(b'+' | b'-')) {
            return true;
        }
        group.name.truncate(MAX_NAME);
        let known = self.accounts(container).is_some_and(|accounts| accounts.groups.contains_key(&group.gid));
        let Some(accounts) = self.room(container, if known { usize::MAX } else { most }) else { return false };
        accounts.groups.insert(group.gid, group);
        self.len += usize::from(!known);
        true
    }

    pub(crate) fn remove_user(&mut self, container: &[u8], uid: u32) {
        let gone = self.accounts_mut(container).and_then(|accounts| accounts.users.remove(&uid));
        self.len -= usize::from(gone.is_some());
    }

    pub(crate) fn remove_group(&mut self, container: &[u8], gid: u32) {
        let gone = self.accounts_mut(container).and_then(|accounts| accounts.groups.remove(&gid));
        self.len -= usize::from(gone.is_some());
    }

    /// Forgets a container that ended.
    pub(crate) fn remove_container(&mut self, container: &[u8]) {
        if let Some(accounts) = self.containers.remove(container) {
            self.len -= accounts.users.len() + accounts.groups.len();
        }
    }

    fn accounts(&self, container: &[u8]) -> Option<&Table> {
        if container.is_empty() { Some(&self.host) } else { self.containers.get(container) }
    }

    fn accounts_mut(&mut self, container: &[u8]) -> Option<&mut Table> {
        if container.is_empty() { Some(&mut self.host) } else { self.containers.get_mut(container) }
    }

    fn room(&mut self, container: &[u8], most: usize) -> Option<&mut Table> {
        if self.len >= most || (self.containers.len() >= most && !self.knows(container)) {
            return None;
        }
        if container.is_empty() {
            return Some(&mut self.host);
        }
        Some(self.containers.entry(container.to_vec()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: u32, name: &str) -> User {
        User { uid, name: name.into(), ..User::default() }
    }

    #[test]
    fn bounds_and_containers() {
        let mut users = Users::default();
        assert!(users.add_user(b"", user(0, "root"), 2));
        assert!(users.user(b"c1", 0).is_none(), "the host's users are not a container's");
        assert!(users.add_user(b"c1", user(0, "other"), 2));
        assert!(!users.add_user(b"c2", user(0, "late"), 2), "no room");
        assert!(users.add_user(b"", user(0, "renamed"), 2), "a change needs no room");
        assert_eq!(users.user(b"", 0).unwrap().name, b"renamed");
        assert_eq!(users.user(b"c1", 0).unwrap().name, b"other");
        users.remove_container(b"c1");
        assert_eq!((users.len(), users.knows(b"c1")), (1, false));
        assert!(users.add_user(b"", user(1, "+nis"), 9) && users.user(b"", 1).is_none());
        users.remove_user(b"", 0);
        users.remove_user(b"", 0);
        assert_eq!(users.len(), 0);
    }
}
