//! Sets of texts, and of prefixes.

use hashbrown::HashSet;

/// A set of byte strings. The hash is seeded at random; most values that are no members are refused by their length and
/// three bytes of them, without hashing.
#[derive(Debug, Clone)]
pub struct ByteSet {
    /// Bits for the [`signature`]s of members; the number of bits is a power of two.
    signatures: Box<[u64]>,
    /// Bits of a signature that do not count.
    shift: u32,
    /// A lone member is compared at once.
    single: Option<Box<[u8]>>,
    members: HashSet<Box<[u8]>>,
}

/// Bits for signatures, for each member.
const SPREAD: usize = 16;

/// Length, first, middle and last byte in one number, whose upper bits are mixed best.
#[inline]
fn signature(text: &[u8]) -> u32 {
    let (Some(first), Some(last)) = (text.first(), text.last()) else { return 0 };
    let middle = text[text.len() / 2];
    let bytes = u32::from_le_bytes([*first, middle, *last, text.len() as u8]);
    bytes.wrapping_mul(0x9E37_79B1) ^ bytes.rotate_left(15).wrapping_mul(0x85EB_CA77)
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Bytes([u64; 4]);

impl Bytes {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[inline]
    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }
}

impl ByteSet {
    /// A set of the given members.
    pub fn new<'m>(members: impl IntoIterator<Item = &'m [u8]>) -> Self {
        let members: HashSet<Box<[u8]>> = members.into_iter().map(Box::from).collect();
        let bits = (members.len() * SPREAD).next_power_of_two().clamp(64, 1 << 20);
        let shift = u32::BITS - bits.trailing_zeros();
        let mut signatures = vec![0u64; bits / 64].into_boxed_slice();
        for member in &members {
            let bit = signature(member) >> shift;
            signatures[bit as usize / 64] |= 1 << (bit & 63);
        }
        let single = if members.len() == 1 { members.iter().next().cloned() } else { None };
        Self { signatures, shift, single, members }
    }

    /// Whether the value is a member.
    #[inline]
    pub fn contains(&self, value: &[u8]) -> bool {
        let bit = signature(value) >> self.shift;
        let word = self.signatures.get(bit as usize / 64).copied().unwrap_or(0);
        word & (1 << (bit & 63)) != 0 && self.holds(value)
    }

    /// Out of line, so that the many values that are refused above cost no more than that.
    #[inline(never)]
    fn holds(&self, value: &[u8]) -> bool {
        match &self.single {
            Some(member) => **member == *value,
            None => self.members.contains(value),
        }
    }
}

/// One of 64 bits for the second and third byte of a text, if it has so many.
#[inline]
fn pair_bit(text: &[u8]) -> Option<u64> {
    let (second, third) = (text.get(1)?, text.get(2)?);
    Some(1 << ((second.wrapping_mul(7) ^ third) & 63))
}

/// A set of prefixes (or, reversed, of suffixes).
#[derive(Debug, Clone)]
pub struct PrefixSet {
    /// Sorted, and none is a prefix of another: the greatest that is not above a value is the only candidate.
    prefixes: Vec<Box<[u8]>>,
    /// First bytes.
    first: Bytes,
    /// What the second and third byte of prefixes can be together, see [`pair_bit`].
    pairs: u64,
    /// The empty prefix is among them.
    always: bool,
    backwards: bool,
}

impl PrefixSet {
    /// A set of prefixes.
    pub fn prefixes<'m>(members: impl IntoIterator<Item = &'m [u8]>) -> Self {
        Self::new(members.into_iter().map(Box::from).collect(), false)
    }

    /// A set of suffixes.
    pub fn suffixes<'m>(members: impl IntoIterator<Item = &'m [u8]>) -> Self {
        Self::new(members.into_iter().map(|m| m.iter().rev().copied().collect()).collect(), true)
    }

    fn new(mut members: Vec<Box<[u8]>>, backwards: bool) -> Self {
        members.sort();
        let mut prefixes: Vec<Box<[u8]>> = Vec::with_capacity(members.len());
        for member in members {
            if !prefixes.last().is_some_and(|last| member.starts_with(last)) {
                prefixes.push(member);
            }
        }
        let mut first = Bytes::default();
        prefixes.iter().filter_map(|p| p.first()).for_each(|byte| first.add(*byte));
        let pairs = prefixes.iter().fold(0, |bits, p| bits | pair_bit(p).unwrap_or(u64::MAX));
        let always = prefixes.first().is_some_and(|p| p.is_empty());
        Self { prefixes, first, pairs, always, backwards }
    }

    /// Whether a member is a prefix (or suffix) of the value.
    #[inline]
    pub fn matches(&self, value: &[u8]) -> bool {
        if self.always {
            return true;
        }
        let end = if self.backwards { value.last() } else { value.first() };
        let Some(&end) = end else { return false };
        if !self.first.has(end) {
            return false;
        }
        if self.backwards {
            return self.ends(value);
        }
        if pair_bit(value).is_some_and(|bit| self.pairs & bit == 0) {
            return false;
        }
        self.starts(value)
    }

    #[inline(never)]
    fn starts(&self, value: &[u8]) -> bool {
        if let [only] = &self.prefixes[..] {
            return value.starts_with(only);
        }
        let above = self.prefixes.partition_point(|p| **p <= *value);
        above > 0 && value.starts_with(&self.prefixes[above - 1])
    }

    #[inline(never)]
    fn ends(&self, value: &[u8]) -> bool {
        self.prefixes.iter().any(|p| p.len() <= value.len() && p.iter().eq(value.iter().rev().take(p.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<'t>(texts: &'t [&'t str]) -> impl Iterator<Item = &'t [u8]> {
        texts.iter().map(|t| t.as_bytes())
    }

    #[test]
    fn members() {
        let long = "x".repeat(100);
        let texts = ["bash", "sh", &long];
        let set = ByteSet::new(bytes(&texts));
        assert!(set.contains(b"sh") && set.contains(long.as_bytes()));
        assert!(!set.contains(b"zsh") && !set.contains(b"xx") && !set.contains(&[b'x'; 99]));
        assert!(ByteSet::new(bytes(&["a"])).contains(b"a"));
        assert!(!ByteSet::new(bytes(&[])).contains(b""));
    }

    #[test]
    fn prefixes_and_suffixes() {
        let set = PrefixSet::prefixes(bytes(&["/etc/", "/etc/pam.d", "/root/.ssh", "/e"]));
        assert!(set.matches(b"/etc/x") && set.matches(b"/e") && set.matches(b"/root/.ssh/id"));
        assert!(!set.matches(b"/root/.ss") && !set.matches(b"etc/") && !set.matches(b""));
        let set = PrefixSet::suffixes(bytes(&[".so", "java", "a"]));
        assert!(set.matches(b"x.so") && set.matches(b"java") && set.matches(b"xa"));
        assert!(!set.matches(b"so") && !set.matches(b"o"));
        assert!(PrefixSet::prefixes(bytes(&[""])).matches(b""));
        assert!(!PrefixSet::prefixes(bytes(&[])).matches(b"x"));
    }
}
