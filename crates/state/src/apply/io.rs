//! Reading, writing, sending and receiving: what they tell about sockets.

use super::sockets::{Asked, IPPROTO_UDP, SOCK_DGRAM, add_socket};
use super::tuples::guess_role;
use super::{result, success};
use crate::fd::{FdType, Role, l4};
use crate::inspect::{Context, State};
use crate::text;
use crate::thread::Slot;
use peregrine_event::Event;
use peregrine_event::defines::{PPM_AF_INET, PPM_AF_INET6};
use peregrine_event::record::Tag;
use peregrine_event::sock::{SockTuple, socktuple};

/// A plain read or write that succeeded proves that an inet socket is connected.
pub(super) fn read(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if context.has_fd && result(event).is_some_and(|result| result >= 0) {
        mark_connected(state, context);
    }
}

pub(super) fn recv(state: &mut State, event: &Event<'_>, context: &mut Context) {
    transferred(state, event, context, 4, true);
}

pub(super) fn recvfrom(state: &mut State, event: &Event<'_>, context: &mut Context) {
    transferred(state, event, context, 2, true);
}

pub(super) fn recvmsg(state: &mut State, event: &Event<'_>, context: &mut Context) {
    transferred(state, event, context, 3, true);
    received_fds(state, event, context, 4);
}

/// Old captures have no parameters here.
pub(super) fn recvmmsg(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if event.value(0).is_some() {
        transferred(state, event, context, 4, true);
        received_fds(state, event, context, 5);
    }
}

/// Descriptors that came over a unix socket. What they are, only the source can say: upstream leaves them unknown, too,
/// when a capture is replayed.
fn received_fds(state: &mut State, event: &Event<'_>, context: &Context, control: usize) {
    if !(state.own || state.source.is_some()) || result(event).is_none_or(|result| result < 0) {
        return;
    }
    let Some(control) = event.value(control).filter(|control| !control.is_empty()) else { return };
    if state.event_fd(context).is_none_or(|info| info.ty != FdType::UnixSock) {
        return;
    }
    let owner = context.thread.and_then(|Slot(slot)| state.fds_owner(slot));
    if let Some(owner) = owner {
        passed(control).for_each(|fd| state.receive_fd(owner, fd, event.ts));
    }
}

/// The descriptors in a buffer of control messages; a malformed message ends it.
fn passed(mut control: &[u8]) -> impl Iterator<Item = i64> {
    const HEADER: usize = 16;
    const SOL_SOCKET: i32 = 1;
    const SCM_RIGHTS: i32 = 1;
    /// What the kernel lets pass in one message.
    const MOST: usize = 253;
    std::iter::from_fn(move || {
        let len = usize::try_from(u64::from_ne_bytes(*control.first_chunk()?)).ok()?;
        let body = control.get(HEADER..len)?;
        let word = |at: usize| control[at..].first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
        let rights = word(8)? == SOL_SOCKET && word(12)? == SCM_RIGHTS;
        if rights && (body.len() % 4 != 0 || body.len() / 4 > MOST) {
            return None;
        }
        control = control.get(len.next_multiple_of(8)..).unwrap_or_default();
        Some(if rights { body } else { &[] })
    })
    .flat_map(|body| body.chunks_exact(4))
    .filter_map(|fd| Some(i64::from(i32::from_ne_bytes(*fd.first_chunk()?))))
    .filter(|fd| *fd >= 0)
    .take(MOST)
}

/// A send on a descriptor whose `socket` call was missed makes a UDP socket.
pub(super) fn send(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if !context.has_fd
        && success(event, context).is_some()
        && let Some(fd) = event.int(2)
    {
        let family = event.value(4).map_or(0, |tuple| i64::from(tuple[0]));
        if matches!(family, PPM_AF_INET | PPM_AF_INET6) {
            let asked = Asked { domain: family as u32, ty: SOCK_DGRAM, protocol: IPPROTO_UDP, flags: 0 };
            add_socket(state, context, fd, &asked);
        }
    }
    transferred(state, event, context, 4, false);
}

pub(super) fn sendmmsg(state: &mut State, event: &Event<'_>, context: &mut Context) {
    if event.value(0).is_some() {
        transferred(state, event, context, 4, false);
    }
}

fn mark_connected(state: &mut State, context: &Context) {
    // Look before writing: most descriptors are files.
    if state.event_fd(context).is_some_and(|info| info.is_inet_sock() && !info.connected)
        && let Some(info) = state.event_fd_mut(context)
    {
        info.connected = true;
    }
}

fn transferred(state: &mut State, event: &Event<'_>, context: &mut Context, tuple_param: usize, incoming: bool) {
    if !context.has_fd || result(event).is_none_or(|result| result < 0) {
        return;
    }
    mark_connected(state, context);
    let Some(info) = state.event_fd(context) else { return };
    if !info.name.is_empty() && info.is_tcp4() {
        return;
    }
    let bytes = event.record(Tag::SockTuple).or_else(|| event.value(tuple_param));
    let Some(tuple) = bytes.and_then(socktuple) else { return };
    if take_tuple(state, context, &tuple) {
        name_after_transfer(state, context, &tuple, incoming);
    }
}

/// Takes the tuple of a datagram; `false` if it says nothing new.
fn take_tuple(state: &mut State, context: &mut Context, tuple: &SockTuple<'_>) -> bool {
    let own = state.own;
    let interfaces = std::mem::take(&mut state.interfaces);
    let mut new = true;
    if let Some(info) = state.event_fd_mut(context) {
        match *tuple {
            SockTuple::Inet { sip, sport, dip, dport } if sip.is_ipv4() => {
                if info.ty == FdType::Ipv4ServSock {
                    info.raw.set_proto(FdType::Ipv4Sock, info.l4proto);
                }
                info.become_sock(FdType::Ipv4Sock, own);
                new = info.set_tuple(FdType::Ipv4Sock, (sip, sport, dip, dport), true);
            }
            SockTuple::Inet { sip, sport, dip, dport } => {
                if own {
                    info.become_sock(FdType::Ipv6Sock, own);
                }
                // (Odd) upstream does not make it an IPv6 socket here.
                let same_type = info.ty == FdType::Ipv6Sock;
                new = info.set_tuple(FdType::Ipv6Sock, (sip, sport, dip, dport), same_type);
            }
            SockTuple::Unix { source, dest, .. } => {
                (info.ty, info.typed) = (FdType::UnixSock, true);
                info.raw.set_unix(source, dest);
                info.sync_sock();
            }
            SockTuple::Other(_) => {}
        }
        if new && info.is_inet_sock() {
            // An address that changes in the middle cannot be TCP's.
            if info.l4proto == l4::UNKNOWN {
                info.raw.set_proto(info.ty, l4::UDP);
                info.sync_sock();
            }
            info.complete(&interfaces);
        }
    }
    state.interfaces = interfaces;
    new
}

fn name_after_transfer(state: &mut State, context: &mut Context, tuple: &SockTuple<'_>, incoming: bool) {
    let mut name = std::mem::take(&mut state.pool.path);
    let guessed =
        state.event_fd(context).filter(|info| info.is_inet_sock() && info.role == Role::None).and_then(|info| {
            let ports = (info.raw.v4_sport(), info.raw.v4_dport());
            Some(guess_role(state.fds(context.fd_slot)?, ports, incoming))
        });
    if let Some(info) = state.event_fd_mut(context) {
        if info.is_inet_sock() {
            info.role = guessed.unwrap_or(info.role);
            let against = if incoming { Role::Client } else { Role::Server };
            if info.role == against {
                info.swap_ends();
            }
            context.name_changed |= info.rename_sock(&mut name);
        } else {
            name.clear();
            text::socktuple(tuple, &mut name);
            context.name_changed |= info.rename(&name);
        }
    }
    state.pool.path = name;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: u64, level: i32, ty: i32, body: &[i32]) -> Vec<u8> {
        let mut bytes = len.to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes().into_iter().chain(ty.to_ne_bytes()));
        bytes.extend(body.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn descriptors_in_control_messages() {
        let list = |bytes: &[u8]| passed(bytes).collect::<Vec<_>>();
        let none: [i64; 0] = [];
        let credentials = message(28, 1, 2, &[1, 0, 0]);
        let three = message(28, 1, 1, &[4, 5, 6]);
        assert_eq!(list(&three), [4, 5, 6]);
        assert_eq!(list(&[credentials.clone(), three.clone(), message(20, 1, 1, &[9])].concat()), [4, 5, 6, 9]);
        // The last message need not be padded.
        assert_eq!(list(&three[..28]), [4, 5, 6]);
        assert_eq!(list(&[three.clone(), message(8, 1, 1, &[9])].concat()), [4, 5, 6], "shorter than its header");
        assert_eq!(list(&message(64, 1, 1, &[9])), none, "longer than the buffer");
        assert_eq!(list(&message(u64::MAX, 1, 1, &[9])), none);
        assert_eq!(list(&message(18, 1, 1, &[9])), none, "half a number");
        assert_eq!(list(&message(16 + 254 * 4, 1, 1, &[9; 254])), none, "more than may pass");
        assert_eq!(list(&message(16 + 253 * 4, 1, 1, &[9; 253])).len(), 253);
        assert_eq!((list(&[]), list(&[1, 2, 3]), list(&message(20, 1, 1, &[-1]))), (vec![], vec![], vec![]));
        assert_eq!(list(&message(20, 41, 1, &[9])), none, "another level");
    }
}
