//! Memory: taking the kernel's own instead of a copy, and giving back what is no longer used.

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;
use std::path::Path;
use std::ptr::NonNull;

/// The kernel's description of its types. Kernels since 6.16 let it be mapped; of older ones it is read, a page each
/// time, which costs as much as everything that is then done with it.
pub(crate) enum KernelFile {
    /// Where it is mapped, and its length.
    Mapped(NonNull<u8>, usize),
    /// A copy.
    Read(Vec<u8>),
}

impl KernelFile {
    /// Opens a file below `/sys` that is the same as long as the kernel runs.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if len > 0 {
            // SAFETY: a fresh mapping at an address of the kernel's choice disturbs no other memory.
            let mapped = unsafe { mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, &file, 0) };
            if let Some(base) = mapped.ok().and_then(|base| NonNull::new(base.cast())) {
                return Ok(Self::Mapped(base, len));
            }
        }
        let mut bytes = Vec::with_capacity(len + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }
}

impl Deref for KernelFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            // SAFETY: mapped by `open` with this length until the value is dropped; nobody writes to it.
            Self::Mapped(base, len) => unsafe { std::slice::from_raw_parts(base.as_ptr(), *len) },
            Self::Read(bytes) => bytes,
        }
    }
}

impl Drop for KernelFile {
    fn drop(&mut self) {
        if let Self::Mapped(base, len) = self {
            // SAFETY: the mapping was made by `open` with this length, and no borrow of it outlives the value.
            let _ = unsafe { munmap(base.as_ptr().cast(), *len) };
        }
    }
}

/// Returns what the allocator holds but does not use: after loading, tens of megabytes of type information.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the function takes the allocator's own locks and moves no memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_mapped_is_read() {
        let path = Path::new("/sys/kernel/uevent_seqnum"); // says that it has a page, holds a number, maps not
        if let Ok(file) = KernelFile::open(path) {
            assert!(matches!(file, KernelFile::Read(_)));
            assert!(std::str::from_utf8(&file).unwrap().trim().parse::<u64>().is_ok());
        }
        assert!(KernelFile::open(Path::new("/sys/kernel/nothing")).is_err());
    }

    #[test]
    fn what_is_mapped_is_what_is_read() {
        let path = Path::new("/sys/kernel/btf/vmlinux");
        if path.exists() {
            assert!(*KernelFile::open(path).unwrap() == *std::fs::read(path).unwrap());
        }
    }
}
