/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Many messages in one call: one event each; one for the call when none went. */
#pragma once

#include "message.h"

#define MAX_MESSAGES 1024 /* the kernel's own bound */

struct messages {
	u64 at; /* of struct mmsghdr: a message header, then the bytes that went */
	s32 fd;
	bool compat;
};

/* Bytes of a message header, and from one to the next. */
#define HEADER_BYTES(compat) ((compat) ? 28 : 56)
#define MESSAGE_BYTES(compat) ((compat) ? 32 : 64)

/* The n-th message and how much of it went. */
static __always_inline u32 nth_message(const struct messages *m, u32 n, struct call *c, struct message *to)
{
	u64 at = m->at + (u64)n * MESSAGE_BYTES(m->compat);
	u32 len = 0;

	c->task = current_task();
	read_message(c, at, to);
	bpf_probe_read_user(&len, sizeof(len), (void *)(at + HEADER_BYTES(m->compat)));
	return len;
}

/* Tells of each message that went; false if none did. */
static __always_inline bool each_message(struct call *c, long (*tell)(u32, void *))
{
	struct messages m = {.at = arg(c, 1), .fd = arg(c, 0), .compat = compat(c)};

	if (c->ret <= 0)
		return false;
	bpf_loop(c->ret < MAX_MESSAGES ? c->ret : MAX_MESSAGES, tell, &m, 0);
	return true;
}

static long sent_message(u32 n, void *ctx)
{
	struct messages *m = ctx;
	struct message one = {};
	struct call c = {};
	struct vector v;
	struct event e;
	u32 len = nth_message(m, n, &c, &one);

	if (!event_begin(&e, SOCKET_SENDMMSG_X, current_task()))
		return 1;
	e.marks = m->compat ? MARK_COMPAT : 0;
	read_vector(&e, &c, &v, one.iov, one.iovlen);
	store_s64(&e, len);			       /* res */
	store_s64(&e, m->fd);			       /* fd */
	store_u32(&e, vector_size(&v));		       /* size */
	store_vector(&e, &v, len ? len : snaplen);     /* data */
	store_socktuple(&e, m->fd, OUTBOUND, one.name); /* tuple */
	event_end(&e);
	return 0;
}

/* int sendmmsg(int fd, struct mmsghdr *mmsg, unsigned int vlen, unsigned int flags) */
CALL_IF(sendmmsg, SOCKET_SENDMMSG_X, !each_message(&c, sent_message))
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, 0);	      /* size */
	store_empty(e);		      /* data */
	store_empty(e);		      /* tuple */
}

static long received_message(u32 n, void *ctx)
{
	struct messages *m = ctx;
	struct message one = {};
	struct call c = {};
	struct vector v;
	struct event e;
	u32 len = nth_message(m, n, &c, &one);

	if (!event_begin(&e, SOCKET_RECVMMSG_X, current_task()))
		return 1;
	e.marks = m->compat ? MARK_COMPAT : 0;
	read_vector(&e, &c, &v, one.iov, one.iovlen);
	store_s64(&e, len);			      /* res */
	store_s64(&e, m->fd);			      /* fd */
	store_u32(&e, len);			      /* size */
	store_vector(&e, &v, len);		      /* data */
	store_socktuple(&e, m->fd, INBOUND, one.name); /* tuple */
	store_bytes(&e, one.control, one.controllen < MAX_BYTES ? one.controllen : MAX_BYTES); /* msgcontrol */
	event_end(&e);
	return 0;
}

/* int recvmmsg(int fd, struct mmsghdr *mmsg, unsigned int vlen, unsigned int flags, struct timespec *timeout) */
CALL_IF(recvmmsg, SOCKET_RECVMMSG_X, !each_message(&c, received_message))
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, 0);	      /* size */
	store_empty(e);		      /* data */
	store_empty(e);		      /* tuple */
	store_empty(e);		      /* msgcontrol */
}
