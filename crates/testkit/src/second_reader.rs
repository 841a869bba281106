//! A second reader of captures, written from the description of the format alone and strict to the last byte.
//!
//! It shares no code with the reader of the program. Whatever the writer writes must pass here: block order, lengths,
//! zero padding, limits, entries read to their last byte, events whose parts add up.

/// What a strict reading found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Section headers.
    pub sections: usize,
    /// Machine blocks.
    pub machines: usize,
    /// Network interfaces.
    pub interfaces: usize,
    /// Users.
    pub users: usize,
    /// Groups.
    pub groups: usize,
    /// Threads.
    pub threads: usize,
    /// Lists of descriptors.
    pub descriptor_lists: usize,
    /// Descriptors in them.
    pub descriptors: usize,
    /// `(block type, cpu, flags, event bytes)`.
    pub events: Vec<(u32, u16, u32, Vec<u8>)>,
}

type Res<T> = Result<T, String>;

/// Reads an uncompressed capture as it is written today.
///
/// # Errors
/// What is wrong with it, and at which byte.
pub fn read(bytes: &[u8]) -> Res<Found> {
    let mut found = Found::default();
    let mut order = 0;
    let mut at = 0;
    while at < bytes.len() {
        let (kind, body, total) = block(bytes, at).map_err(|e| format!("block at {at}: {e}"))?;
        let rank = rank(kind).ok_or(format!("block at {at}: type {kind:#x} is not written today"))?;
        if rank == 0 {
            order = 0;
        } else if found.sections == 0 {
            return Err("the first block is no section header".into());
        }
        if rank < order {
            return Err(format!("block at {at}: type {kind:#x} comes too late"));
        }
        order = rank;
        contents(kind, body, &mut found).map_err(|e| format!("block {kind:#x} at {at}: {e}"))?;
        at += total;
    }
    Ok(found)
}

fn rank(kind: u32) -> Option<u8> {
    Some(match kind {
        0x0A0D0D0A => 0,
        0x201 => 1,
        0x219 => 2,
        0x220 => 3,
        0x215 => 4,
        0x218 => 5,
        0x216 | 0x217 | 0x221 | 0x222 => 6,
        _ => return None,
    })
}

fn block(bytes: &[u8], at: usize) -> Res<(u32, &[u8], usize)> {
    let rest = &bytes[at..];
    if rest.len() < 12 {
        return Err(format!("{} stray bytes", rest.len()));
    }
    let (kind, total) = (le(&rest[0..4]) as u32, le(&rest[4..8]) as usize);
    if total % 4 != 0 || total < 12 || total > rest.len() {
        return Err(format!("total length {total}"));
    }
    if le(&rest[total - 4..total]) as usize != total {
        return Err("the trailer differs from the head".into());
    }
    Ok((kind, &rest[8..total - 4], total))
}

fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Res<&'a [u8]> {
        if count > self.0.len() {
            return Err(format!("{count} bytes wanted, {} left", self.0.len()));
        }
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    fn num(&mut self, count: usize) -> Res<u64> {
        self.take(count).map(le)
    }

    /// u16 length and bytes, no NUL closing it, no longer than `most`.
    fn text(&mut self, most: usize) -> Res<&'a [u8]> {
        let len = self.num(2)? as usize;
        if len > most { Err(format!("string of {len} bytes, at most {most}")) } else { self.take(len) }
    }

    fn end(&self, what: &str) -> Res<()> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes behind the {what}", self.0.len())) }
    }

    fn padding(&self) -> Res<()> {
        if self.0.len() < 4 && self.0.iter().all(|b| *b == 0) { Ok(()) } else { Err(format!("padding {:?}", self.0)) }
    }
}

fn contents(kind: u32, body: &[u8], found: &mut Found) -> Res<()> {
    let mut b = Bytes(body);
    match kind {
        0x0A0D0D0A => {
            found.sections += 1;
            section(&mut b)
        }
        0x201 => {
            found.machines += 1;
            b.take(4 + 8 + 8)?;
            let host = b.take(128)?;
            let len = host.iter().position(|c| *c == 0).ok_or("hostname without NUL")?;
            if host[len..].iter().any(|c| *c != 0) {
                return Err("bytes behind the hostname".into());
            }
            b.take(8 * 4)?;
            b.end("machine")
        }
        0x219 => {
            while b.0.len() >= 4 {
                found.interfaces += 1;
                let len = b.num(4)? as usize;
                interface(Bytes(b.take(len)?))?;
            }
            b.padding()
        }
        0x220 => {
            while b.0.len() >= 4 {
                let entry = sized(&mut b)?;
                user(entry, found)?;
            }
            b.padding()
        }
        0x215 => {
            while b.0.len() >= 4 {
                found.threads += 1;
                thread(sized(&mut b)?)?;
            }
            b.padding()
        }
        0x218 => {
            found.descriptor_lists += 1;
            b.take(8)?;
            while b.0.len() >= 4 {
                found.descriptors += 1;
                descriptor(sized(&mut b)?)?;
            }
            b.padding()
        }
        _ => event(kind, b, found),
    }
}

fn section(b: &mut Bytes<'_>) -> Res<()> {
    let (magic, major, minor, length) = (b.num(4)?, b.num(2)?, b.num(2)?, b.num(8)?);
    if (magic, major, minor, length) != (0x1A2B3C4D, 1, 2, u64::MAX) {
        return Err(format!("section header {magic:#x} {major}.{minor} {length:#x}"));
    }
    b.end("section header")
}

/// An entry whose length counts itself.
fn sized<'a>(b: &mut Bytes<'a>) -> Res<Bytes<'a>> {
    let len = b.num(4)? as usize;
    Ok(Bytes(b.take(len.checked_sub(4).ok_or(format!("entry of {len} bytes"))?)?))
}

fn interface(mut e: Bytes<'_>) -> Res<()> {
    let (kind, name) = (e.num(2)?, e.num(2)? as usize);
    let addresses = match kind {
        1 | 3 => 12,
        2 | 4 => 48,
        other => return Err(format!("interface type {other}")),
    };
    e.take(addresses)?;
    if kind < 3 {
        e.take(8)?;
    }
    if name >= 1024 {
        return Err("interface name too long".into());
    }
    e.take(name)?;
    e.end("interface")
}

fn user(mut e: Bytes<'_>, found: &mut Found) -> Res<()> {
    match e.num(1)? {
        0 => {
            found.users += 1;
            e.take(8)?;
            for _ in 0..3 {
                e.text(255)?;
            }
        }
        1 => {
            found.groups += 1;
            e.take(4)?;
            e.text(255)?;
        }
        other => return Err(format!("user entry of type {other}")),
    }
    e.end("user")
}

fn thread(mut e: Bytes<'_>) -> Res<()> {
    e.take(5 * 8)?; // tid pid ptid sid vpgid
    e.text(1024)?; // comm
    e.text(1024)?; // exe
    e.text(1024)?; // exepath
    e.text(4096)?; // args
    e.text(1024)?; // cwd
    e.take(8 + 3 * 4)?; // fdlimit flags uid gid
    e.take(3 * 4 + 2 * 8)?; // vm*, pf*
    e.text(4096)?; // env
    e.take(16)?; // vtid vpid
    e.text(4096)?; // cgroups
    e.text(1024)?; // root
    e.take(8 + 4)?; // pidns_init_start_ts tty
    e.take(4)?; // loginuid
    boolean(&mut e)?; // exe_writable
    e.take(3 * 8)?; // capabilities
    boolean(&mut e)?; // exe_upper_layer
    e.take(3 * 8)?; // exe_ino ctime mtime
    boolean(&mut e)?; // exe_from_memfd
    boolean(&mut e)?; // exe_lower_layer
    e.take(8)?; // pgid
    e.end("process")
}

fn boolean(e: &mut Bytes<'_>) -> Res<()> {
    if e.num(1)? < 2 { Ok(()) } else { Err("a truth value that is neither 0 nor 1".into()) }
}

fn descriptor(mut e: Bytes<'_>) -> Res<()> {
    e.take(16)?; // fd ino
    match e.num(1)? {
        1 | 2 | 7 | 9..=15 | 17..=21 => drop(e.text(1023)?),
        3 => drop(e.take(13)?),
        4 => drop(e.take(37)?),
        5 => drop(e.take(7)?),
        6 => drop(e.take(19)?),
        8 => {
            e.take(16)?;
            e.text(1023)?;
        }
        16 => {
            e.take(4)?;
            e.text(1023)?;
            if !e.0.is_empty() {
                e.take(4)?;
            }
        }
        other => return Err(format!("descriptor type {other}")),
    }
    e.end("descriptor")
}

fn event(kind: u32, mut b: Bytes<'_>, found: &mut Found) -> Res<()> {
    let large = kind == 0x221 || kind == 0x222;
    if !large && b.0.len() + 4 > 65536 {
        return Err("an ordinary event block of more than 64 KiB".into());
    }
    let cpu = b.num(2)? as u16;
    let flags = if kind == 0x217 || kind == 0x222 { b.num(4)? as u32 } else { 0 };
    let head = b.0.get(..26).ok_or("no event header")?;
    let (len, code, nparams) = (le(&head[16..20]) as usize, le(&head[20..22]), le(&head[22..26]) as usize);
    if code >= 454 {
        return Err(format!("event code {code}"));
    }
    let width = if matches!(code, 322 | 324 | 402) { 4 } else { 2 };
    if width == 4 && !large {
        return Err(format!("event {code} belongs in a large block"));
    }
    let whole = b.take(len)?;
    b.padding()?;
    let mut e = Bytes(&whole[26..]);
    let lens: Vec<usize> = (0..nparams).map(|_| e.num(width).map(|n| n as usize)).collect::<Res<_>>()?;
    for len in lens {
        e.take(len)?;
    }
    found.events.push((kind, cpu, flags, whole.to_vec()));
    Ok(())
}
