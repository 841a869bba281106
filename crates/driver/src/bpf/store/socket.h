/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Addresses of sockets: of the program's own words (SOCKADDR) and of the kernel's socket (SOCKTUPLE).
 *
 * SOCKADDR  u8 family, then IPv4 u32 + port u16, IPv6 16 bytes + port u16, or a unix path with its NUL
 * SOCKTUPLE u8 family, then source and destination as above; unix: peer's and own kernel address, path
 * Ports are in host order, addresses in network order. Outbound: own side is the source; inbound: the peer's is.
 */
#pragma once

#include "../extract/file.h"
#include "../extract/flags.h"
#include "params.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define UNIX_PATH_MAX (108 + 1)
#define SOCKADDR_BASE 0x1d000 /* where an address of the program's is read to, in the scratch's second half */

enum direction { OUTBOUND, INBOUND };

/* Two words: of bytes the compiler would copy one at a time. */
struct inet6 {
	u64 halves[2];
};

static __always_inline void push_inet6(struct event *e, const struct inet6 *address)
{
	push_u64(e, address->halves[0]);
	push_u64(e, address->halves[1]);
}

/* A unix path; the NUL that opens an abstract name is left out. */
static __always_inline u32 push_unix_path(struct event *e, const u8 *path, bool abstract)
{
	return push_string(e, abstract ? path + 1 : path, UNIX_PATH_MAX, KERNEL);
}

/* Writes the address that the program passed at `pos` of the scratch; returns where it ends. Not static: the verifier
 * looks at it once, whoever calls and wherever it came from. */
__noinline u32 put_sockaddr(u64 from, u32 len, u32 pos)
{
	struct scratch *s = my_scratch();
	struct event started = {}, *e = &started;
	u16 family;
	u8 *at;

	len &= 0xffff;
	if (!s)
		return pos;
	e->data = s->data;
	event_at(e, pos);
	at = e->data + SOCKADDR_BASE;
	if (len > 0x7ff) /* the kernel refuses all beyond 128; upstream shows them none the less */
		len = 0x7ff;
	barrier_var(len); /* the mask below is for the verifier, the bound above for what is told */
	for (u32 i = 0; i < 32; i += 8)
		PUT(u64, at + i, 0); /* a short address has zeros for the rest */
	if (!len || bpf_probe_read_user(at, len & 0x7ff, (void *)from))
		return pos;
	family = *(u16 *)at;
	if (family == AF_INET) {
		push_u8(e, family);
		push_u32(e, *(u32 *)(at + 4));
		push_u16(e, __builtin_bswap16(*(u16 *)(at + 2)));
	} else if (family == AF_INET6) {
		push_u8(e, family);
		push_inet6(e, (struct inet6 *)(at + 8));
		push_u16(e, __builtin_bswap16(*(u16 *)(at + 2)));
	} else if (family == AF_UNIX) {
		at[len & 0x7ff] = 0; /* a path may come without its NUL */
		at[(len + 1) & 0x7ff] = 0; /* nor may an abstract name of no length show what lay here before */
		push_u8(e, family);
		push_unix_path(e, at + 2, at[2] == 0);
	}
	return e->pos;
}

static __always_inline void store_sockaddr(struct event *e, u64 from, u32 len)
{
	u32 put = (put_sockaddr(from, len, e->pos) - e->pos) & EVENT_MASK;

	advance(e, put);
	param_len(e, put);
}

static __always_inline void push_inet_tuple(struct event *e, struct sock *sk, enum direction direction, u64 named)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u32 local = BPF_CORE_READ(inet, inet_saddr), remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	u16 local_port = BPF_CORE_READ(inet, inet_sport), remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);

	if (!remote_port && named) { /* not connected: the peer is the one that this call names */
		u8 *at = e->data + SOCKADDR_BASE;

		if (!bpf_probe_read_user(at, 16, (void *)named)) {
			remote_port = *(u16 *)(at + 2);
			remote = *(u32 *)(at + 4);
		}
	}
	push_u8(e, AF_INET);
	push_u32(e, direction == OUTBOUND ? local : remote);
	push_u16(e, __builtin_bswap16(direction == OUTBOUND ? local_port : remote_port));
	push_u32(e, direction == OUTBOUND ? remote : local);
	push_u16(e, __builtin_bswap16(direction == OUTBOUND ? remote_port : local_port));
}

static __always_inline void push_inet6_tuple(struct event *e, struct sock *sk, enum direction direction, u64 named)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	struct ipv6_pinfo *info = BPF_CORE_READ(inet, pinet6);
	u16 local_port = BPF_CORE_READ(inet, inet_sport), remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	struct inet6 local = {}, remote = {};

	bpf_core_read(&local, sizeof(local), &info->saddr);
	bpf_core_read(&remote, sizeof(remote), &sk->__sk_common.skc_v6_daddr);
	if (!remote_port && named) {
		u8 *at = e->data + SOCKADDR_BASE;

		if (!bpf_probe_read_user(at, 28, (void *)named)) {
			remote_port = *(u16 *)(at + 2);
			remote = *(struct inet6 *)(at + 8);
		}
	}
	push_u8(e, AF_INET6);
	push_inet6(e, direction == OUTBOUND ? &local : &remote);
	push_u16(e, __builtin_bswap16(direction == OUTBOUND ? local_port : remote_port));
	push_inet6(e, direction == OUTBOUND ? &remote : &local);
	push_u16(e, __builtin_bswap16(direction == OUTBOUND ? remote_port : local_port));
}

/* The path is the listening side's: the peer's when we call, our own when we are called. */
static __always_inline void push_unix_tuple(struct event *e, struct sock *sk, enum direction direction, u64 named)
{
	struct unix_sock *own = (struct unix_sock *)sk;
	struct sock *peer = BPF_CORE_READ(own, peer);
	struct unix_sock *listener = direction == OUTBOUND ? (struct unix_sock *)peer : own;
	struct unix_address *address = listener ? BPF_CORE_READ(listener, addr) : NULL;
	u8 *at = e->data + SOCKADDR_BASE;

	PUT(u64, at, 0);
	if (direction == OUTBOUND && !peer && named)
		bpf_probe_read_user(at, sizeof(struct sockaddr_un), (void *)named);
	else if (address)
		bpf_probe_read_kernel(at, sizeof(struct sockaddr_un), &address->name[0]);
	at[sizeof(struct sockaddr_un)] = 0;
	push_u8(e, AF_UNIX);
	push_u64(e, direction == OUTBOUND ? (u64)peer : (u64)sk);
	push_u64(e, direction == OUTBOUND ? (u64)sk : (u64)peer);
	push_unix_path(e, at + 2, at[2] == 0);
}

/* Writes the tuple of a socket at `pos` of the scratch, nothing for families without one; returns where it ends. Not
 * static, as put_sockaddr(). */
__noinline u32 put_tuple(u64 sk_address, u32 pos, u32 direction, u64 named)
{
	struct sock *sk = (void *)sk_address;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct scratch *s = my_scratch();
	struct event e = {};

	if (!s)
		return pos;
	e.data = s->data;
	event_at(&e, pos);
	if (family == AF_INET)
		push_inet_tuple(&e, sk, direction, named);
	else if (family == AF_INET6)
		push_inet6_tuple(&e, sk, direction, named);
	else if (family == AF_UNIX)
		push_unix_tuple(&e, sk, direction, named);
	return e.pos;
}

static __always_inline void push_tuple(struct event *e, struct sock *sk, enum direction direction, u64 named)
{
	u32 end = put_tuple((u64)sk, e->pos, direction, named);

	advance(e, (end - e->pos) & EVENT_MASK);
}

/* The addresses behind a descriptor; `named` is an address that the program passed with the call, or 0. */
static __always_inline void store_socktuple(struct event *e, s32 fd, enum direction direction, u64 named)
{
	struct sock *sk = sock_of_fd(e->task, fd);
	u32 start = e->pos;

	if (sk)
		push_tuple(e, sk, direction, named);
	param_len(e, e->pos - start);
}
