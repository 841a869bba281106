/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Data in pieces: the vectors of readv and its kin, and the message headers that hold such. */
#pragma once

#include "../base/call.h"
#include "params.h"

#define MAX_IOVECS 32	 /* looked at */
#define UIO_MAXIOV 1024 /* taken by the kernel, which does not look at longer ones */
#define VECTOR_BASE 0x1c000 /* where a vector is read to, in the scratch's second half */

/* As a 64-bit program lays it out. */
struct user_iovec {
	u64 base, len;
};

/* struct user_msghdr, widened for a 32-bit program. */
struct message {
	u64 name, iov, iovlen, control, controllen;
};

/* A vector copied to the scratch once, for its data and its size. */
struct vector {
	u32 count;
	u8 ok;
	u8 compat;
};

static __always_inline void read_vector(struct event *e, struct call *c, struct vector *v, u64 at, u64 count)
{
	u32 size;

	v->compat = compat(c);
	v->count = count < MAX_IOVECS ? count : MAX_IOVECS;
	size = v->count * (compat(c) ? 8 : 16);
	v->ok = count <= UIO_MAXIOV &&
		!bpf_probe_read_user(e->data + VECTOR_BASE, size & 0x3ff, (void *)at);
}

static __always_inline void vector_piece(struct scratch *s, u32 compat, u32 i, struct user_iovec *to)
{
	u8 *base = s->data + VECTOR_BASE;

	i &= MAX_IOVECS - 1;
	if (compat) {
		to->base = *(u32 *)(base + 8 * i);
		to->len = *(u32 *)(base + 8 * i + 4);
	} else {
		to->base = *(u64 *)(base + 16 * i);
		to->len = *(u64 *)(base + 16 * i + 8);
	}
}

/* What is left to do of a vector, for the loops over its pieces. */
struct pieces {
	u32 compat, pos, left, sum;
};

static long add_piece(u32 i, void *ctx)
{
	struct pieces *p = ctx;
	struct scratch *s = my_scratch();
	struct user_iovec piece;

	if (!s)
		return 1;
	vector_piece(s, p->compat, i, &piece);
	p->sum += piece.len;
	return 0;
}

static long copy_piece(u32 i, void *ctx)
{
	struct pieces *p = ctx;
	struct scratch *s = my_scratch();
	struct user_iovec piece;
	u32 n;

	if (!s || !p->left)
		return 1;
	vector_piece(s, p->compat, i, &piece);
	n = (piece.len < p->left ? piece.len : p->left) & EVENT_MASK;
	if (bpf_probe_read_user(s->data + (p->pos & EVENT_MASK), n, (void *)piece.base))
		return 1;
	p->pos += n;
	p->sum += n;
	p->left -= n;
	return 0;
}

/* Bytes that the pieces hold. Not static, as the next: the verifier looks at them once, whoever calls. */
__noinline u32 sum_pieces(u32 count, u32 compat)
{
	struct pieces p = {.compat = compat};

	bpf_loop(count, add_piece, &p, 0);
	return p.sum;
}

/* Copies at most `limit` bytes of the pieces to `pos` of the scratch; returns how many. */
__noinline u32 copy_pieces(u32 count, u32 compat, u32 pos, u32 limit)
{
	struct pieces p = {.compat = compat, .pos = pos, .left = limit};

	bpf_loop(count, copy_piece, &p, 0);
	return p.sum;
}

/* Bytes that the vector holds room for, as far as it was read. */
static __always_inline u32 vector_size(const struct vector *v)
{
	return v->ok ? sum_pieces(v->count, v->compat) : 0;
}

/* The first bytes of the pieces, one after the other: at most `limit` and at most what is kept of any data. */
static __always_inline void store_vector(struct event *e, const struct vector *v, u64 limit)
{
	u32 kept = 0;

	if (v->ok)
		kept = copy_pieces(v->count, v->compat, e->pos, limit < snaplen ? limit : snaplen) & EVENT_MASK;
	advance(e, kept);
	param_len(e, kept);
}

static __always_inline void store_iovec_data(struct event *e, struct call *c, u64 at, u64 count, u64 limit)
{
	struct vector v;

	read_vector(e, c, &v, at, count);
	store_vector(e, &v, limit);
}

/* Reads a message header of the program's; false if it cannot be read. */
static __always_inline bool read_message(struct call *c, u64 at, struct message *m)
{
	if (compat(c)) {
		u32 words[7];

		if (bpf_probe_read_user(words, sizeof(words), (void *)at))
			return false;
		m->name = words[0];
		m->iov = words[2];
		m->iovlen = words[3];
		m->control = words[4];
		m->controllen = words[5];
	} else {
		u64 words[7];

		if (bpf_probe_read_user(words, sizeof(words), (void *)at))
			return false;
		m->name = words[0];
		m->iov = words[2];
		m->iovlen = words[3];
		m->control = words[4];
		m->controllen = words[5];
	}
	return true;
}
