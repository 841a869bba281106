//! Reading small files and links below one directory.

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Statx, StatxFlags, open, openat, readlinkat, statx};
use rustix::path::Arg;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A directory of `/proc`, or `/proc` itself, by its descriptor: a process that ended and whose id came round is not
/// found through it.
pub(super) struct ProcDir {
    dir: OwnedFd,
}

/// Largest file that is read; files of `/proc` that grow with the system are read in full up to here.
const MAX_FILE: usize = 16 << 20;

impl ProcDir {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { dir: open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())? })
    }

    /// A directory below, so that what lies in it needs no walk from here.
    pub(super) fn below(&self, path: impl Arg) -> io::Result<Self> {
        Ok(Self { dir: openat(&self.dir, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())? })
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.dir
    }

    /// Reads a file into `buffer`, whose former content is dropped; at most `most` bytes.
    pub(super) fn read_up_to(&self, path: impl Arg, most: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.fill(path, most, false, buffer)
    }

    /// Reads a file that the kernel writes in one piece (`status`, `stat`, …): a read that comes back short was the last,
    /// which saves one call in four.
    pub(super) fn record(&self, path: impl Arg, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.fill(path, MAX_FILE, true, buffer)
    }

    /// Reads no more than the first `most` bytes of such a file.
    pub(super) fn head(&self, path: impl Arg, most: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.fill(path, most, true, buffer)
    }

    fn fill(&self, path: impl Arg, most: usize, one_piece: bool, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let file = openat(&self.dir, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?;
        let mut chunk = 4096;
        while buffer.len() < most {
            let start = buffer.len();
            let room = chunk.min(most - start);
            buffer.resize(start + room, 0);
            let read = match rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut buffer[start..])) {
                Ok(read) => read,
                Err(errno) => {
                    buffer.truncate(start);
                    return Err(errno.into());
                }
            };
            buffer.truncate(start + read);
            if read == 0 || (one_piece && read < room) {
                break;
            }
            chunk = 65_536;
        }
        Ok(())
    }

    /// Reads a file into `buffer`, of any size that `/proc` may have.
    pub(super) fn read(&self, path: impl Arg, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.read_up_to(path, MAX_FILE, buffer)
    }

    /// The target of a link; at most 4096 bytes.
    pub(super) fn link(&self, path: impl Arg, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
        let target = readlinkat(&self.dir, path, std::mem::take(buffer))?;
        let bytes = target.as_bytes().to_vec();
        *buffer = target.into_bytes();
        Ok(bytes)
    }

    /// What a link leads to. No file system is asked anew, so that one that does not answer does not hold us up.
    pub(super) fn stat(&self, path: impl Arg) -> io::Result<Statx> {
        let wanted = StatxFlags::BASIC_STATS;
        Ok(statx(&self.dir, path, AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT, wanted)?)
    }

    /// The numbers among a directory's entries, ascending.
    pub(super) fn numbers(&self, path: impl Arg, most: usize) -> io::Result<Vec<i64>> {
        let dir = openat(&self.dir, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut numbers: Vec<i64> = Dir::new(dir)?
            .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok())
            .filter(|number| *number >= 0)
            .take(most)
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}
