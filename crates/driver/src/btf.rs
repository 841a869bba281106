//! The kernel's description of its types (BTF), cut down to the few that the kernel programs read.
//!
//! The kernel describes more than a hundred thousand types. To relocate the programs, the loader goes over all of them
//! for each type that the programs name; that took more time than everything else that starting takes. Here they are gone
//! over once: kept are the types of those names, with all that lies inside them, under new numbers. What pointers lead
//! to is not kept, since it lies elsewhere; where a program follows a pointer it names the type itself.
//!
//! Layout: the kernel's `Documentation/bpf/btf.rst`. Damaged input is no error but `None`.

use rustc_hash::{FxHashMap, FxHashSet};

const MAGIC: u16 = 0xeb9f;
/// Bytes of the header that is written, and the least that is read.
const HEADER: usize = 24;
/// Bytes of every type, before what its kind adds.
const HEAD: usize = 12;

/// Kinds of types.
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// Described types, by number from 1.
pub(crate) struct Types<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type begins; number 0 is `void` and has no bytes.
    at: Vec<u32>,
}

impl<'a> Types<'a> {
    /// Finds where each type begins.
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        let word = |at: usize| word(data, at).map(|n| n as usize);
        if data.get(..2)? != MAGIC.to_ne_bytes() {
            return None;
        }
        let part = |at: usize, len: usize| data.get(at..)?.get(..len);
        let header = word(4)?;
        let types = part(header.checked_add(word(8)?)?, word(12)?)?;
        let strings = part(header.checked_add(word(16)?)?, word(20)?)?;
        let mut at = vec![0];
        let mut next = 0;
        while next < types.len() {
            at.push(next as u32);
            next = next.checked_add(size(types.get(next..)?)?)?;
        }
        (next == types.len()).then_some(Self { types, strings, at })
    }

    fn bytes(&self, id: u32) -> Option<&'a [u8]> {
        let bytes = self.types.get(*self.at.get(id as usize)? as usize..)?;
        bytes.get(..size(bytes)?)
    }

    fn string(&self, at: u32) -> Option<&'a [u8]> {
        let from = self.strings.get(at as usize..)?;
        from.get(..from.iter().position(|byte| *byte == 0)?)
    }

    /// Numbers, kinds and names of the types that a program can name.
    fn named(&self) -> impl Iterator<Item = (u32, u32, &'a [u8])> {
        self.of(|kind| matches!(kind, kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64 | kind::TYPEDEF))
    }

    /// The same of the types of some kinds.
    fn of(&self, wanted: impl Fn(u32) -> bool) -> impl Iterator<Item = (u32, u32, &'a [u8])> {
        self.at.iter().enumerate().skip(1).filter_map(move |(id, at)| {
            let bytes = self.types.get(*at as usize..)?;
            let kind = kind_of(word(bytes, 4)?);
            if !wanted(kind) {
                return None;
            }
            let name = word(bytes, 0).filter(|at| *at != 0)?;
            Some((id as u32, kind, self.string(name)?))
        })
    }

    /// The names of an object's own types, each without the suffix that tells variants of one kernel type apart.
    pub(crate) fn names(&self) -> FxHashSet<&'a [u8]> {
        self.named().map(|(_, _, name)| without_suffix(name)).collect()
    }

    /// A description of the types with these names and of what lies inside them.
    pub(crate) fn only(&self, names: &FxHashSet<&[u8]>) -> Option<Vec<u8>> {
        let mut kept = Kept { from: self, numbers: FxHashMap::default(), order: Vec::new(), strings: vec![0] };
        for (id, _, name) in self.named() {
            if names.contains(name) {
                kept.number(id);
            }
        }
        let mut types = Vec::new();
        let mut done = 0;
        while let Some(id) = kept.order.get(done) {
            kept.write(*id, &mut types)?;
            done += 1;
        }
        Some(assemble(&types, &kept.strings))
    }

    /// A description in which the typedefs and functions of these names have the numbers that they have here, and
    /// everything before them is a placeholder.
    pub(crate) fn hooks_in_place(&self, names: &FxHashSet<&[u8]>) -> Option<Vec<u8>> {
        let mut strings = vec![0];
        let mut types = Vec::new();
        let hooks = self.of(|kind| matches!(kind, kind::TYPEDEF | kind::FUNC));
        for (id, kind, name) in hooks.filter(|(_, _, name)| names.contains(name)) {
            let placeholder = [0, kind::FWD << 24, 0];
            let missing = id as usize - 1 - types.len() / HEAD;
            (0..missing).for_each(|_| put(&mut types, &placeholder));
            put(&mut types, &[push_string(&mut strings, name), kind << 24, 0]);
        }
        Some(assemble(&types, &strings))
    }
}

/// The types that are kept, their new numbers and names.
struct Kept<'a, 'b> {
    from: &'b Types<'a>,
    numbers: FxHashMap<u32, u32>,
    order: Vec<u32>,
    strings: Vec<u8>,
}

impl Kept<'_, '_> {
    /// The new number of a type, which is kept from now on.
    fn number(&mut self, id: u32) -> u32 {
        if id == 0 {
            return 0;
        }
        *self.numbers.entry(id).or_insert_with(|| {
            self.order.push(id);
            self.order.len() as u32
        })
    }

    fn name(&mut self, at: u32) -> Option<u32> {
        let name = self.from.string(at)?;
        Some(if name.is_empty() { 0 } else { push_string(&mut self.strings, name) })
    }

    fn write(&mut self, id: u32, to: &mut Vec<u8>) -> Option<()> {
        let bytes = self.from.bytes(id)?;
        let (info, third) = (word(bytes, 4)?, word(bytes, 8)?);
        let name = self.name(word(bytes, 0)?)?;
        let third = match kind_of(info) {
            kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => self.number(third),
            kind::PTR => 0,
            // Lie inside nothing.
            kind::FUNC | kind::FUNC_PROTO | kind::VAR | kind::DATASEC | kind::DECL_TAG => return None,
            _ => third, // a size, or nothing
        };
        put(to, &[name, info, third]);
        let rest = &bytes[HEAD..];
        match kind_of(info) {
            kind::STRUCT | kind::UNION => {
                for member in rest.chunks_exact(12) {
                    let name = self.name(word(member, 0)?)?;
                    let of = self.number(word(member, 4)?);
                    put(to, &[name, of, word(member, 8)?]);
                }
            }
            kind::ENUM | kind::ENUM64 => {
                let each = if kind_of(info) == kind::ENUM { 8 } else { 12 };
                for value in rest.chunks_exact(each) {
                    let name = self.name(word(value, 0)?)?;
                    put(to, &[name]);
                    to.extend_from_slice(&value[4..]);
                }
            }
            kind::ARRAY => {
                let (of, index) = (self.number(word(rest, 0)?), self.number(word(rest, 4)?));
                put(to, &[of, index, word(rest, 8)?]);
            }
            _ => to.extend_from_slice(rest),
        }
        Some(())
    }
}

/// The section of that name in a 64-bit object file of this machine's byte order.
pub(crate) fn section<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let half = |at: usize| object.get(at..at + 2).map(|b| usize::from(u16::from_ne_bytes([b[0], b[1]])));
    let long = |at: usize| Some(u64::from_ne_bytes(*object.get(at..)?.first_chunk()?) as usize);
    let (headers, each, count, names) = (long(40)?, half(58)?, half(60)?, half(62)?);
    let header = |index: usize| headers.checked_add(index.checked_mul(each)?);
    let bytes = |index: usize| {
        let at = header(index)?;
        object.get(long(at + 24)?..)?.get(..long(at + 32)?)
    };
    let names = bytes(names)?;
    (0..count).find_map(|index| {
        let own = names.get(word(object, header(index)?)? as usize..)?;
        own.strip_prefix(name.as_bytes()).filter(|rest| rest.first() == Some(&0)).and_then(|_| bytes(index))
    })
}

/// Bytes of the type that begins here.
fn size(bytes: &[u8]) -> Option<usize> {
    let info = word(bytes, 4)?;
    let items = (info & 0xffff) as usize;
    let more = match kind_of(info) {
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::ENUM | kind::FUNC_PROTO => 8 * items,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * items,
        _ => return None,
    };
    Some(HEAD + more)
}

fn kind_of(info: u32) -> u32 {
    info >> 24 & 0x1f
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn put(to: &mut Vec<u8>, words: &[u32]) {
    words.iter().for_each(|word| to.extend_from_slice(&word.to_ne_bytes()));
}

fn push_string(strings: &mut Vec<u8>, string: &[u8]) -> u32 {
    let at = strings.len() as u32;
    strings.extend_from_slice(string);
    strings.push(0);
    at
}

fn without_suffix(name: &[u8]) -> &[u8] {
    name.windows(3).position(|three| three == b"___").map_or(name, |at| &name[..at])
}

fn assemble(types: &[u8], strings: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + types.len() + strings.len());
    out.extend_from_slice(&MAGIC.to_ne_bytes());
    out.extend_from_slice(&[1, 0]);
    let len = types.len() as u32;
    put(&mut out, &[HEADER as u32, 0, len, len, strings.len() as u32]);
    out.extend_from_slice(types);
    out.extend_from_slice(strings);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 int; 2 struct inner {int a}; 3 ptr to 4; 4 struct far {int z}; 5 typedef hook -> 3;
    /// 6 struct outer {inner in; far *p; int n[3]}; 7 array of 1; 8 struct other {}
    fn world() -> Vec<u8> {
        let mut strings = vec![0];
        let mut name = |text: &str| push_string(&mut strings, text.as_bytes());
        let mut types = Vec::new();
        put(&mut types, &[name("int"), kind::INT << 24, 4, 32]);
        put(&mut types, &[name("inner"), kind::STRUCT << 24 | 1, 4, name("a"), 1, 0]);
        put(&mut types, &[0, kind::PTR << 24, 4]);
        put(&mut types, &[name("far"), kind::STRUCT << 24 | 1, 4, name("z"), 1, 0]);
        put(&mut types, &[name("hook"), kind::TYPEDEF << 24, 3]);
        put(&mut types, &[name("outer"), kind::STRUCT << 24 | 3, 32]);
        put(&mut types, &[name("in"), 2, 0, name("p"), 3, 64, name("n"), 7, 128]);
        put(&mut types, &[0, kind::ARRAY << 24, 0, 1, 1, 3]);
        put(&mut types, &[name("other"), kind::STRUCT << 24, 0]);
        assemble(&types, &strings)
    }

    fn names(of: &[u8]) -> Vec<String> {
        let types = Types::parse(of).unwrap();
        types.named().map(|(_, _, name)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn a_type_is_kept_with_what_lies_inside_it() {
        let world = world();
        let kept = Types::parse(&world).unwrap().only(&[b"outer".as_slice()].into_iter().collect()).unwrap();
        assert_eq!(names(&kept), ["outer", "inner"]);
        let kept = Types::parse(&kept).unwrap();
        let outer = kept.bytes(1).unwrap();
        assert_eq!((word(outer, 4), word(outer, 8)), (Some(kind::STRUCT << 24 | 3), Some(32)));
        let kinds: Vec<_> =
            (0..3).map(|i| kind_of(word(kept.bytes(word(outer, 12 * i + 16).unwrap()).unwrap(), 4).unwrap())).collect();
        assert_eq!(kinds, [kind::STRUCT, kind::PTR, kind::ARRAY]);
        assert_eq!(kept.at.len() - 1, 5);
        assert!(aya::Btf::parse(&assemble(kept.types, kept.strings), aya::Endianness::default()).is_ok());
    }

    #[test]
    fn typedefs_keep_their_numbers() {
        let world = world();
        let kept = Types::parse(&world).unwrap().hooks_in_place(&[b"hook".as_slice()].into_iter().collect()).unwrap();
        assert_eq!(Types::parse(&kept).unwrap().named().next(), Some((5, kind::TYPEDEF, b"hook".as_slice())));
    }

    #[test]
    fn damage_is_refused() {
        let world = world();
        for len in 0..world.len() {
            assert!(Types::parse(&world[..len]).is_none(), "{len}");
        }
        let mut unknown = world;
        unknown[HEADER + 7] = 31;
        assert!(Types::parse(&unknown).is_none());
    }

    #[test]
    fn the_object_names_its_types() {
        let own = Types::parse(section(crate::OBJECT, ".BTF").unwrap()).unwrap();
        let names = own.names();
        assert!(names.contains(b"task_struct".as_slice()) && names.contains(b"inode".as_slice()));
        assert!(names.iter().all(|name| !name.ends_with(b"_v6_6")));
        assert!(section(crate::OBJECT, ".nothing").is_none());
    }
}
