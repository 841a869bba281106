//! Reading bbolt databases, in which containerd and Podman keep what they know of containers.
//!
//! The format is that of go.etcd.io/bbolt, version 2: pages of a B+ tree, copied when they change, under the newer of
//! two meta pages. The file is read while its owner writes it; its lock is not taken. So what was read counts only if
//! the meta page is still the same afterwards, and is else read again. Everything in it is bounded: it may be anything.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: u32 = 0xED0C_DAED;
const HEADER: usize = 16;
const ELEMENT: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const BUCKET: u32 = 1;
/// Largest page with what overflows from it, in bytes.
const LARGEST: usize = 4 << 20;
/// Pages that one look may take.
const PAGES: usize = 4096;
/// Depth of a tree.
const DEPTH: usize = 32;
/// Texts that are taken of one bucket, give or take a page.
const TEXTS: usize = 4096;
/// Attempts at one consistent look.
const ATTEMPTS: usize = 8;

/// An open database.
pub(crate) struct Bolt {
    file: File,
}

/// One consistent look at it.
pub(crate) struct Look<'a> {
    file: &'a File,
    page_size: usize,
    root: u64,
    pages: usize,
}

/// A bucket: a page, or bytes inside of another's.
pub(crate) enum Bucket {
    Page(u64),
    Inline(Vec<u8>),
}

/// What a key stands for.
enum Found {
    Value(Vec<u8>),
    Bucket(Bucket),
}

impl Bolt {
    pub(crate) fn open(path: &Path, owner: Option<u32>) -> Option<Self> {
        Some(Self { file: crate::read::open(path, owner)? })
    }

    /// What `look` finds in a state of the database that did not change meanwhile.
    pub(crate) fn look<T>(&self, look: impl Fn(&mut Look<'_>) -> Option<T>) -> Option<T> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let (txid, page_size, root) = self.meta()?;
            last = look(&mut Look { file: &self.file, page_size, root, pages: 0 });
            if self.meta()?.0 == txid {
                break;
            }
        }
        last
    }

    /// Transaction, page size and root of the newer meta page.
    fn meta(&self) -> Option<(u64, usize, u64)> {
        let mut first = [0; HEADER + 64];
        self.file.read_exact_at(&mut first, 0).ok()?;
        let one = meta(&first);
        // The second page begins where the first ends; if that one is damaged, the usual sizes are tried.
        let sizes = one.map_or([4096, 16384, 65536], |meta| [meta.1; 3]);
        let others = sizes.iter().filter_map(|size| {
            let mut second = [0; HEADER + 64];
            self.file.read_exact_at(&mut second, *size as u64).ok()?;
            meta(&second)
        });
        one.into_iter().chain(others).max_by_key(|meta| meta.0)
    }
}

/// Transaction, page size and root of a meta page, if it is whole.
fn meta(page: &[u8]) -> Option<(u64, usize, u64)> {
    let body = page.get(HEADER..HEADER + 64)?;
    let whole = u32_at(body, 0)? == MAGIC && u32_at(body, 4)? == 2 && u64_at(body, 56)? == fnv(&body[..56]);
    let size = u32_at(body, 8)? as usize;
    let usual = size.is_power_of_two() && (512..=65536).contains(&size);
    (whole && usual).then_some((u64_at(body, 48)?, size, u64_at(body, 16)?))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

impl Look<'_> {
    /// The bucket under a path of keys from the root.
    pub(crate) fn bucket(&mut self, path: &[&[u8]]) -> Option<Bucket> {
        let mut bucket = Bucket::Page(self.root);
        for key in path {
            bucket = match self.find(&bucket, key)? {
                Found::Bucket(bucket) => bucket,
                Found::Value(_) => return None,
            };
        }
        Some(bucket)
    }

    /// A bucket inside of a bucket.
    pub(crate) fn inner(&mut self, bucket: &Bucket, key: &[u8]) -> Option<Bucket> {
        match self.find(bucket, key)? {
            Found::Bucket(inner) => Some(inner),
            Found::Value(_) => None,
        }
    }

    /// A value inside of a bucket.
    pub(crate) fn value(&mut self, bucket: &Bucket, key: &[u8]) -> Option<Vec<u8>> {
        match self.find(bucket, key)? {
            Found::Value(value) => Some(value),
            Found::Bucket(_) => None,
        }
    }

    /// All values of a small bucket as texts, those left out that are none.
    pub(crate) fn texts(&mut self, bucket: &Bucket) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        let mut pages = vec![match bucket {
            Bucket::Page(page) => self.page(*page),
            Bucket::Inline(bytes) => Some(bytes.clone()),
        }];
        while let Some(page) = pages.pop().filter(|_| texts.len() < TEXTS) {
            let Some(page) = page else { continue };
            for element in elements(&page) {
                match element {
                    Element::Child(_, child) => pages.push(self.page(child)),
                    Element::Leaf(key, value, flags) if flags & BUCKET == 0 => {
                        if let (Ok(key), Ok(value)) = (std::str::from_utf8(key), std::str::from_utf8(value)) {
                            texts.push((key.to_owned(), value.to_owned()));
                        }
                    }
                    Element::Leaf(..) => {}
                }
            }
        }
        texts
    }

    fn find(&mut self, bucket: &Bucket, key: &[u8]) -> Option<Found> {
        let mut page = match bucket {
            Bucket::Page(page) => self.page(*page)?,
            Bucket::Inline(bytes) => bytes.clone(),
        };
        for _ in 0..DEPTH {
            let mut next = None;
            for element in elements(&page) {
                match element {
                    Element::Leaf(found, value, flags) if found == key => return found_in(value, flags),
                    Element::Leaf(..) => {}
                    // The first child also holds what is before its key.
                    Element::Child(first, child) if first <= key || next.is_none() => next = Some(child),
                    Element::Child(..) => break,
                }
            }
            page = self.page(next?)?;
        }
        None
    }

    /// A page with what overflows from it.
    fn page(&mut self, number: u64) -> Option<Vec<u8>> {
        self.pages += 1;
        if self.pages > PAGES {
            return None;
        }
        let at = number.checked_mul(self.page_size as u64)?;
        let mut page = vec![0; self.page_size];
        self.file.read_exact_at(&mut page, at).ok()?;
        let overflow = u32_at(&page, 12)? as usize;
        if overflow > 0 {
            let size = overflow.checked_add(1)?.checked_mul(self.page_size).filter(|size| *size <= LARGEST)?;
            page.resize(size, 0);
            self.file.read_exact_at(&mut page, at).ok()?;
        }
        (u64_at(&page, 0)? == number).then_some(page)
    }
}

fn found_in(value: &[u8], flags: u32) -> Option<Found> {
    if flags & BUCKET == 0 {
        return Some(Found::Value(value.to_vec()));
    }
    Some(Found::Bucket(match u64_at(value, 0)? {
        0 => Bucket::Inline(value.get(16..)?.to_vec()),
        page => Bucket::Page(page),
    }))
}

enum Element<'a> {
    /// First key and number of a page below.
    Child(&'a [u8], u64),
    /// Key, value, flags.
    Leaf(&'a [u8], &'a [u8], u32),
}

/// The elements of a page, as far as they lie inside of it.
fn elements(page: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let flags = u16_at(page, 8).unwrap_or(0);
    let count = if flags & (BRANCH | LEAF) == 0 { 0 } else { u16_at(page, 10).unwrap_or(0) };
    (0..usize::from(count)).map_while(move |index| {
        let at = HEADER + index * ELEMENT;
        let part = |from: usize, len: u32| page.get(from..from.checked_add(len as usize)?);
        if flags & LEAF != 0 {
            let (pos, ksize, vsize) = (u32_at(page, at + 4)?, u32_at(page, at + 8)?, u32_at(page, at + 12)?);
            let key = at.checked_add(pos as usize)?;
            let value = key.checked_add(ksize as usize)?;
            Some(Element::Leaf(part(key, ksize)?, part(value, vsize)?, u32_at(page, at)?))
        } else {
            let key = at.checked_add(u32_at(page, at)? as usize)?;
            Some(Element::Child(part(key, u32_at(page, at + 4)?)?, u64_at(page, at + 8)?))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 512;

    fn page(number: u64, flags: u16, elements: &[(&[u8], Vec<u8>, u32)]) -> Vec<u8> {
        let mut page = vec![0; HEADER + ELEMENT * elements.len()];
        page[..8].copy_from_slice(&number.to_le_bytes());
        page[8..10].copy_from_slice(&flags.to_le_bytes());
        page[10..12].copy_from_slice(&(elements.len() as u16).to_le_bytes());
        for (index, (key, value, kind)) in elements.iter().enumerate() {
            let at = HEADER + index * ELEMENT;
            let pos = (page.len() - at) as u32;
            let words = match flags {
                LEAF => [*kind, pos, key.len() as u32, value.len() as u32],
                _ => [pos, key.len() as u32, *kind, 0],
            };
            for (n, word) in words.iter().enumerate() {
                page[at + 4 * n..at + 4 * n + 4].copy_from_slice(&word.to_le_bytes());
            }
            page.extend_from_slice(key);
            page.extend_from_slice(value);
        }
        page
    }

    fn padded(mut page: Vec<u8>) -> Vec<u8> {
        page.resize(SIZE, 0);
        page
    }

    fn meta_page(number: u64, root: u64, txid: u64) -> Vec<u8> {
        let mut body = [0; 64];
        body[..4].copy_from_slice(&MAGIC.to_le_bytes());
        body[4..8].copy_from_slice(&2u32.to_le_bytes());
        body[8..12].copy_from_slice(&(SIZE as u32).to_le_bytes());
        body[16..24].copy_from_slice(&root.to_le_bytes());
        body[48..56].copy_from_slice(&txid.to_le_bytes());
        let sum = fnv(&body[..56]);
        body[56..].copy_from_slice(&sum.to_le_bytes());
        padded([&page(number, 4, &[])[..], &body].concat())
    }

    fn database() -> Vec<u8> {
        let inline = [vec![0; 16], page(0, LEAF, &[(b"k", b"v".to_vec(), 0), (b"l", b"w".to_vec(), 0)])].concat();
        let branch = page(3, BRANCH, &[(b"b", Vec::new(), 4), (b"m", Vec::new(), 5)]);
        let low = page(4, LEAF, &[(b"b", b"one".to_vec(), 0), (b"in", inline, BUCKET)]);
        let high = page(5, LEAF, &[(b"m", b"two".to_vec(), 0)]);
        let pages = [meta_page(0, 9, 1), meta_page(1, 3, 2), padded(page(2, LEAF, &[])), padded(branch)];
        [pages.concat(), padded(low), padded(high)].concat()
    }

    fn open(bytes: &[u8]) -> (tempfile::NamedTempFile, Option<Bolt>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let bolt = Bolt::open(file.path(), None);
        (file, bolt)
    }

    #[test]
    fn values_and_buckets() {
        let (_file, bolt) = open(&database());
        let value = |path: &[&[u8]], key: &[u8]| {
            bolt.as_ref()?.look(|look| {
                let bucket = look.bucket(path)?;
                look.value(&bucket, key)
            })
        };
        assert_eq!((value(&[], b"b").unwrap(), value(&[], b"m").unwrap()), (b"one".to_vec(), b"two".to_vec()));
        assert_eq!((value(&[b"in"], b"k").unwrap(), value(&[], b"a"), value(&[], b"z")), (b"v".to_vec(), None, None));
        assert_eq!((value(&[], b"in"), value(&[b"b"], b"k"), value(&[b"in"], b"m")), (None, None, None));
        let texts = bolt.unwrap().look(|look| {
            let bucket = look.bucket(&[b"in"])?;
            Some(look.texts(&bucket))
        });
        assert_eq!(texts.unwrap(), [("k".into(), "v".into()), ("l".into(), "w".into())]);
    }

    proptest! {
        #[test]
        fn damage_is_survived(at in 0usize..6 * SIZE, byte: u8, len in 0usize..6 * SIZE) {
            let mut bytes = database();
            bytes[at] = byte;
            bytes.truncate(len.max(1));
            let (_file, bolt) = open(&bytes);
            bolt.unwrap().look(|look| {
                let bucket = look.bucket(&[b"in"])?;
                look.value(&bucket, b"k");
                Some(look.texts(&bucket))
            });
        }
    }
}
