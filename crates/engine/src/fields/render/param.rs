//! A parameter as text, as upstream's `sinsp_evt` words it.
//!
//! Each parameter has a *plain* text (a number, a path as passed) and a *resolved* one (a name for the number, the
//! absolute path), which may be empty.

use super::{names, number, socket, time};
use crate::fields::access::Text;
use crate::value::Moment;
use peregrine_event::{Extra, ParamInfo, ParamType as T, code, errno, sc};
use peregrine_state::fd::{FdType, l4};
use peregrine_state::{FdInfo, ThreadInfo};
use std::fmt::Write;

/// The kernel's "relative to the working directory".
pub(crate) const AT_FDCWD: i64 = -100;

/// What a text without value reads as.
pub(crate) const NA: &[u8] = b"<NA>";

/// One parameter of an event.
#[derive(Clone, Copy)]
pub(crate) struct Param<'a> {
    bytes: &'a [u8],
    info: &'static ParamInfo,
    ty: T,
}

impl<'a> Param<'a> {
    /// The parameter of that number, if the event has it.
    pub(crate) fn of(moment: &Moment<'a>, index: usize) -> Option<Self> {
        let info = moment.event.info().params.get(index)?;
        let mut param = Self { bytes: moment.event.param(index)?, info, ty: info.ty };
        if let Extra::Dynamic(types) = info.extra
            && let Some((first, rest)) = param.bytes.split_first()
            && let Some(chosen) = types.get(usize::from(*first))
        {
            param.ty = chosen.ty;
            param.bytes = rest;
        }
        Some(param)
    }

    /// A text's bytes up to its NUL. What has no value, or the drivers' older word for that, is [`NA`].
    pub(crate) fn text(&self) -> &'a [u8] {
        if self.bytes.is_empty() || self.bytes == b"(NULL)\0" {
            return NA;
        }
        &self.bytes[..self.bytes.iter().position(|b| *b == 0).unwrap_or(self.bytes.len())]
    }

    /// Whether there is no value. A dynamic one whose type is all there is has one, if an empty one.
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && (self.info.ty != T::Dyn || self.ty == T::Dyn)
    }

    fn int(&self) -> i64 {
        let mut wide = [0; 8];
        let len = self.bytes.len().min(8);
        wide[..len].copy_from_slice(&self.bytes[..len]);
        let value = u64::from_le_bytes(wide);
        let unused = 64 - 8 * len.max(1);
        if self.is_unsigned() { value as i64 } else { (value << unused) as i64 >> unused }
    }

    fn is_unsigned(&self) -> bool {
        use T::*;
        matches!(
            self.ty,
            Uint8
                | Uint16
                | Uint32
                | Uint64
                | Flags8
                | Flags16
                | Flags32
                | Enumflags8
                | Enumflags16
                | Enumflags32
                | Mode
                | Uid
                | Gid
                | Sigtype
                | Sigset
                | Syscallid
                | Reltime
                | Abstime
                | Port
        )
    }

    /// The plain text.
    pub(crate) fn plain(&self, m: &Moment<'a>) -> &'a [u8] {
        self.plain_as(m, m.session.base64_buffers)
    }

    /// The plain text, buffers as base64 or not.
    fn plain_as(&self, m: &Moment<'a>, base64: bool) -> &'a [u8] {
        if self.is_empty() {
            return match self.info.ty {
                T::Bytebuf | T::Socktuple | T::Fdlist | T::Charbufarray | T::CharbufPairArray | T::Dyn => b"NULL",
                _ => NA,
            };
        }
        match self.ty {
            T::Charbuf | T::Fspath | T::Fsrelpath => self.text(),
            T::Bytebuf => buffer(m, self.bytes, base64),
            _ => m.build(|out| self.write_plain(m, out)),
        }
    }

    fn write_plain(&self, m: &Moment<'a>, out: &mut Text<'a>) {
        let value = self.int();
        let _ = match self.ty {
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Uint8 | T::Uint16 | T::Uint32 | T::Uint64 | T::Mode => {
                number::integer(out, value, 8 * self.bytes.len() as u32, self.info.fmt)
            }
            T::Flags8 | T::Flags16 | T::Flags32 | T::Enumflags8 | T::Enumflags16 | T::Enumflags32 => {
                write!(out, "{}", value as u32)
            }
            T::Uid | T::Gid => write!(out, "{}", value as i32),
            T::Reltime if value == -1 => out.write_str("none"),
            T::Reltime => write!(out, "{}", value as u64),
            T::Abstime => time::write(out, value as u64, &m.session.time_zone, time::DATETIME),
            T::Sockaddr => {
                socket::address(out, self.bytes);
                Ok(())
            }
            T::Socktuple => {
                socket::tuple(out, self.bytes);
                Ok(())
            }
            T::Fdlist => {
                self.write_fd_list(m, out);
                Ok(())
            }
            T::Sigset => {
                let signals = (1..=32).filter(|n| value as u32 & (1 << (n - 1)) != 0);
                for name in signals.filter_map(names::signal) {
                    out.separate(b" ");
                    out.push(name.as_bytes());
                }
                Ok(())
            }
            T::Syscallid if sc::name(value as u16).is_none() => out.write_str("<unknown syscall>"),
            T::Dyn => out.write_str("INVALID DYNAMIC PARAMETER"),
            T::Fd | T::Pid | T::Errno | T::Syscallid | T::Sigtype => write!(out, "{value}"),
            // Types that only events of the state's own have.
            _ => out.write_str("(n.a.)"),
        };
    }

    fn write_fd_list(&self, m: &Moment<'a>, out: &mut Text<'a>) {
        if m.thread().is_none() {
            return;
        }
        for (fd, flags) in fd_list(self.bytes) {
            out.separate(b" ");
            let kind = m.fd(fd).map_or('?', type_char);
            // Upstream prints the number as an unsigned one.
            let _ = write!(out, "{}:{kind}{:x}", fd as u64, i32::from(flags));
        }
    }

    /// The resolved text, empty if there is none.
    pub(crate) fn resolved(&self, m: &Moment<'a>) -> &'a [u8] {
        if self.bytes.is_empty() {
            return b"";
        }
        let value = self.int();
        match self.ty {
            T::Errno if value < 0 => errno_name(value),
            T::Fd => resolved_fd(m, value),
            T::Pid => m.state.lookup(value).and_then(|slot| m.state.thread(slot)).map_or(b"", |thread| &thread.comm),
            T::Fspath | T::Fsrelpath => self.absolute(m),
            T::Syscallid => sc::name(value as u16).map_or(b"", str::as_bytes),
            T::Sigtype => names::signal(value as u8).map_or(b"", str::as_bytes),
            T::Reltime if value != -1 => m.build(|out| {
                let _ = number::general(out, value as u64 as f64 / 1e9);
                out.push(b"s");
            }),
            T::Flags8 | T::Flags16 | T::Flags32 => self.named(m, names::flags),
            T::Enumflags8 | T::Enumflags16 | T::Enumflags32 => self.named(m, names::values),
            T::Mode => self.named(m, names::mode),
            T::Uid if value as u32 == u32::MAX => b"<NONE>",
            T::Gid if value as u32 == u32::MAX => b"<NONE>",
            T::Uid => self.owner(m, |container| m.state.user(container, value as u32).map(|user| &user.name[..])),
            T::Gid => self.owner(m, |container| m.state.group(container, value as u32).map(|group| &group.name[..])),
            _ => b"",
        }
    }

    fn named(
        &self,
        m: &Moment<'a>,
        walk: impl FnOnce(&[peregrine_event::flags::Flag], u32, &mut dyn FnMut(&'static str)),
    ) -> &'a [u8] {
        let Extra::Flags(table) = self.info.extra else { return b"" };
        m.build(|out| {
            walk(table, self.int() as u32, &mut |name| {
                out.separate(b"|");
                out.push(name.as_bytes());
            });
        })
    }

    fn owner(&self, m: &Moment<'a>, find: impl FnOnce(&[u8]) -> Option<&'a [u8]>) -> &'a [u8] {
        let name = m.thread().and_then(|thread| find(m.container_id(thread)));
        name.filter(|name| !name.is_empty()).unwrap_or(NA)
    }

    /// A relative path made absolute; empty for an absolute one, and if the thread is unknown.
    fn absolute(&self, m: &Moment<'a>) -> &'a [u8] {
        let path = self.text();
        let Some(thread) = m.thread() else { return b"" };
        if path == NA || path.first().is_none_or(|b| *b == b'/') {
            return b"";
        }
        m.join(self.base(m, thread), path)
    }

    /// The directory that a relative path starts from.
    fn base(&self, m: &Moment<'a>, thread: &'a ThreadInfo) -> &'a [u8] {
        let Extra::DirFd(index) = self.info.extra else { return m.cwd(thread) };
        match m.event.int(usize::from(index)) {
            None | Some(AT_FDCWD) => m.cwd(thread),
            Some(fd) => m.fd(fd).map_or(b"", |info| directory(m, &info.name)),
        }
    }
}

/// A directory's name with a slash at its end, unless it is empty.
pub(crate) fn directory<'a>(m: &Moment<'a>, name: &'a [u8]) -> &'a [u8] {
    if name.last().is_none_or(|b| *b == b'/') { name } else { m.concat(&[name, b"/"]) }
}

/// The text of parameter `index`: resolved if there is one, else plain. `None` past the last parameter.
pub(crate) fn text<'a>(m: &Moment<'a>, index: usize) -> Option<&'a [u8]> {
    let param = Param::of(m, index)?;
    let resolved = param.resolved(m);
    Some(if resolved.is_empty() { param.plain(m) } else { resolved })
}

/// As [`text`], but buffers are never base64.
pub(crate) fn compared_text<'a>(m: &Moment<'a>, index: usize) -> Option<&'a [u8]> {
    let param = Param::of(m, index)?;
    let resolved = param.resolved(m);
    Some(if resolved.is_empty() { param.plain_as(m, false) } else { resolved })
}

/// All parameters as `name=plain` or `name=plain(resolved)`, blanks between; nothing for generic events.
pub(crate) fn all<'a>(m: &Moment<'a>) -> &'a [u8] {
    if m.event.code == code::GENERIC_X {
        return b"";
    }
    m.build(|out| {
        let params = (0..m.event.nparams()).map_while(|index| Param::of(m, index));
        for (index, param) in params.enumerate() {
            if index > 0 {
                out.push(b" ");
            }
            out.push(param.info.name.as_bytes());
            out.push(b"=");
            out.push(param.plain(m));
            let resolved = param.resolved(m);
            if !resolved.is_empty() {
                out.push(b"(");
                out.push(resolved);
                out.push(b")");
            }
        }
    })
}

/// The descriptors and flags of an `FDLIST`: a count, then a number and flags each.
pub(crate) fn fd_list(bytes: &[u8]) -> impl Iterator<Item = (i64, i16)> {
    let count = bytes.first_chunk().map_or(0, |b| usize::from(u16::from_le_bytes(*b)));
    bytes
        .get(2..)
        .unwrap_or_default()
        .chunks_exact(10)
        .take(count)
        .filter_map(|entry| Some((i64::from_le_bytes(*entry.first_chunk()?), i16::from_le_bytes(*entry.last_chunk()?))))
}

fn errno_name(value: i64) -> &'static [u8] {
    errno::name(i64::from(value as i32)).map_or(b"", str::as_bytes)
}

fn resolved_fd<'a>(m: &Moment<'a>, fd: i64) -> &'a [u8] {
    if m.thread().is_none() {
        return b"";
    }
    match fd {
        AT_FDCWD => b"AT_FDCWD",
        ..0 => errno_name(fd),
        _ => m.fd(fd).map_or(b"", |info| {
            m.build(|out| {
                let _ = write!(out, "<{}{}>", type_char(info), protocol_letter(info));
                out.push(&info.name);
            })
        }),
    }
}

fn protocol_letter(info: &FdInfo) -> &'static str {
    match crate::fields::socket::protocol(info) {
        l4::TCP => "t",
        l4::UDP => "u",
        l4::ICMP => "i",
        l4::RAW => "r",
        _ => "",
    }
}

/// A descriptor's kind as one character.
pub(crate) fn type_char(info: &FdInfo) -> char {
    use FdType::*;
    match info.ty {
        _ if !info.typed => '?',
        File | FileV2 => 'f',
        Directory => 'd',
        Ipv4Sock | Ipv4ServSock => '4',
        Ipv6Sock | Ipv6ServSock => '6',
        Fifo => 'p',
        UnixSock | UserfaultFd => 'u',
        Event => 'e',
        Unknown => 'o',
        Unsupported => 'X',
        SignalFd => 's',
        EventPoll => 'l',
        Inotify => 'i',
        TimerFd => 't',
        Netlink => 'n',
        Bpf => 'b',
        IoUring => 'r',
        MemFd => 'm',
        PidFd => 'P',
    }
}

/// A buffer with a dot for everything that is not printable ASCII, or as base64.
fn buffer<'a>(m: &Moment<'a>, bytes: &'a [u8], as_base64: bool) -> &'a [u8] {
    let printable = |b: &u8| matches!(b, 0x20..=0x7E);
    if as_base64 {
        return m.build(|out| base64(out, bytes));
    }
    if bytes.iter().all(printable) {
        return bytes;
    }
    let copy = m.scratch.alloc_slice_copy(bytes);
    for byte in copy.iter_mut().filter(|b| !printable(b)) {
        *byte = b'.';
    }
    copy
}

fn base64(out: &mut Text<'_>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let digit = |place: u32| DIGITS[(bits >> (6 * place) & 63) as usize];
        let mut four = [digit(3), digit(2), digit(1), digit(0)];
        four[chunk.len() + 1..].fill(b'=');
        out.push(&four);
    }
}
