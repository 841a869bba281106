/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A program waits: for descriptors, for another thread, for time to pass. */
#pragma once

#include "form.h"

#define MAX_POLLED 16 /* descriptors told of one call */
#define POLLED_BASE 0x1c000 /* where they are read to, in the scratch's second half */

struct user_pollfd {
	s32 fd;
	u16 events, revents;
};

/* asm-generic/poll.h: the events know one bit that the kernel has much higher */
static __always_inline u16 poll_events(u16 events)
{
	return (events & 7) | (events & 0x3f8) << 1 | BIT_TO(events, 0x2000, PPM_POLLRDHUP);
}

/* How many pairs follow, and for each the descriptor and what happened to it. */
static __always_inline void store_polled(struct event *e, u64 from, u32 count)
{
	struct user_pollfd *polled = (void *)(e->data + POLLED_BASE);
	u32 start = e->pos, size;

	if (count > MAX_POLLED)
		count = MAX_POLLED;
	size = count * sizeof(*polled);
	barrier_var(size);
	if (bpf_probe_read_user(polled, size & 0xff, (void *)from))
		count = 0;
	push_u16(e, count);
	for (u32 i = 0; i < MAX_POLLED; i++) { /* all of them: what is too much, the next parameter overwrites */
		push_u64(e, polled[i].fd);
		push_u16(e, poll_events(polled[i].revents));
	}
	e->pos = start + 2;
	advance(e, 10 * count);
	param_len(e, 2 + 10 * count);
}

/* Nanoseconds of a timespec; those of a 32-bit program have 32 bits but for the calls that came in time for 2038. */
static __always_inline u64 read_time(const struct call *c, u64 from, bool wide)
{
	u64 time[2] = {};

	if (wide)
		bpf_probe_read_user(time, sizeof(time), (void *)from);
	else
		read_words(c, time, 2, from);
	return time[0] * 1000000000 + time[1];
}

/* int poll(struct pollfd *ufds, unsigned int nfds, int timeout) */
CALL(poll, SYSCALL_POLL_X)
{
	store_s64(e, c->ret);		       /* res */
	store_polled(e, arg(c, 0), arg(c, 1)); /* fds */
	store_s64(e, (s32)arg(c, 2));	       /* timeout */
}

/* int ppoll(struct pollfd *ufds, unsigned int nfds, struct timespec *tsp, const sigset_t *sigmask, size_t sigsetsize) */
CALL(ppoll, SYSCALL_PPOLL_X)
{
	u32 mask = 0;

	bpf_probe_read_user(&mask, sizeof(mask), (void *)arg(c, 3));
	store_s64(e, c->ret);							   /* res */
	store_polled(e, arg(c, 0), arg(c, 1));					   /* fds */
	store_u64(e, read_time(c, arg(c, 2), is_i386(c, I386_PPOLL_TIME64))); /* timeout */
	store_u32(e, mask);							   /* sigmask */
}

/* int select(int n, fd_set *inp, fd_set *outp, fd_set *exp, struct timeval *tvp) */
CALL(select, SYSCALL_SELECT_X)
{
	store_s64(e, c->ret); /* res */
}

/* int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout) */
CALL(epoll_wait, SYSCALL_EPOLLWAIT_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 2)); /* maxevents */
}

/* int futex(u32 *uaddr, int op, u32 val, ...): the operations have the kernel's numbers, the flags its bits */
CALL(futex, SYSCALL_FUTEX_X)
{
	u32 op = arg(c, 1), command = op & 0x7f;

	store_s64(e, c->ret);	 /* res */
	store_u64(e, arg(c, 0)); /* addr */
	store_u16(e, (command <= PPM_FU_FUTEX_CMP_REQUEUE_PI ? command : 0) |
			     (op & (PPM_FU_FUTEX_PRIVATE_FLAG | PPM_FU_FUTEX_CLOCK_REALTIME))); /* op */
	store_u64(e, arg(c, 2)); /* val */
}

/* int nanosleep(struct timespec *rqtp, struct timespec *rmtp) */
CALL(nanosleep, SYSCALL_NANOSLEEP_X)
{
	store_s64(e, c->ret);				/* res */
	store_u64(e, read_time(c, arg(c, 0), false)); /* interval */
}
