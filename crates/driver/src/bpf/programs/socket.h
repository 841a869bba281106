/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Sockets are made, bound, connected, accepted. The addresses come from the kernel's socket after the call. */
#pragma once

#include "../store/socket.h"
#include "form.h"

#define EINPROGRESS 115

/* Addresses that no parameter of the call has. */
static __always_inline void record_socktuple(struct event *e, s32 fd)
{
	struct sock *sk = sock_of_fd(e->task, fd);
	u32 at;

	if (!sk)
		return;
	record_begin(e, RECORD_SOCKTUPLE, 0);
	at = e->pos;
	push_tuple(e, sk, OUTBOUND, 0);
	PUT(u16, e->data + ((at - 2) & EVENT_MASK), e->pos - at);
}

/* int socket(int family, int type, int protocol) */
CALL(socket, SOCKET_SOCKET_X)
{
	u32 type = arg(c, 1);

	store_s64(e, c->ret);			 /* fd */
	store_u32(e, socket_family(arg(c, 0)));	 /* domain */
	store_u32(e, type);			 /* type */
	store_u32(e, arg(c, 2));		 /* proto */
	store_u32(e, BIT_TO(type, O_NONBLOCK, PPM_O_NONBLOCK) | BIT_TO(type, O_CLOEXEC, PPM_O_CLOEXEC)); /* flags */
}

/* int socketpair(int family, int type, int protocol, int *usockvec) */
CALL(socketpair, SOCKET_SOCKETPAIR_X)
{
	s32 fds[2] = {-1, -1};
	struct sock *source = NULL, *peer = NULL;

	if (c->ret == 0) {
		struct unix_sock *own;

		bpf_probe_read_user(fds, sizeof(fds), (void *)arg(c, 3));
		source = sock_of_fd(e->task, fds[0]);
		own = (struct unix_sock *)source;
		peer = source ? BPF_CORE_READ(own, peer) : NULL;
	}
	store_s64(e, c->ret);			/* res */
	store_s64(e, fds[0]);			/* fd1 */
	store_s64(e, fds[1]);			/* fd2 */
	store_u64(e, (u64)source);		/* source */
	store_u64(e, (u64)peer);		/* peer */
	store_u32(e, socket_family(arg(c, 0))); /* domain */
	store_u32(e, arg(c, 1));		/* type */
	store_u32(e, arg(c, 2));		/* proto */
}

/* int bind(int fd, struct sockaddr *umyaddr, int addrlen) */
CALL(bind, SOCKET_BIND_X)
{
	s32 fd = arg(c, 0);

	store_s64(e, c->ret);			  /* res */
	store_sockaddr(e, arg(c, 1), arg(c, 2)); /* addr */
	store_s64(e, fd);			  /* fd */
	if (c->ret == 0)
		record_socktuple(e, fd);
}

/* int listen(int fd, int backlog) */
CALL(listen, SOCKET_LISTEN_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, arg(c, 1));      /* backlog */
}

/* int connect(int fd, struct sockaddr *uservaddr, int addrlen) */
CALL(connect, SOCKET_CONNECT_X)
{
	s32 fd = arg(c, 0);
	u64 address = arg(c, 1);

	store_s64(e, c->ret); /* res */
	if (c->ret == 0 || c->ret == -EINPROGRESS)
		store_socktuple(e, fd, OUTBOUND, address); /* tuple */
	else
		store_empty(e);
	store_s64(e, fd);			/* fd */
	store_sockaddr(e, address, arg(c, 2)); /* addr */
}

static __always_inline void store_accept(struct event *e, struct call *c)
{
	u32 length = 0, max = 0;

	store_s64(e, c->ret); /* fd */
	if (c->ret >= 0) {
		struct sock *listener = sock_of_fd(e->task, arg(c, 0));

		store_socktuple(e, c->ret, INBOUND, 0); /* tuple */
		if (listener) {
			length = BPF_CORE_READ(listener, sk_ack_backlog);
			max = BPF_CORE_READ(listener, sk_max_ack_backlog);
		}
	} else {
		store_empty(e);
	}
	store_u8(e, length && max ? (u64)length * 100 / max : 0); /* queuepct */
	store_u32(e, length);					   /* queuelen */
	store_u32(e, max);					   /* queuemax */
}

/* int accept(int fd, struct sockaddr *upeer_sockaddr, int *upeer_addrlen) */
CALL(accept, SOCKET_ACCEPT_5_X)
{
	store_accept(e, c);
}

/* int accept4(int fd, struct sockaddr *upeer_sockaddr, int *upeer_addrlen, int flags) */
CALL(accept4, SOCKET_ACCEPT4_6_X)
{
	u32 flags = arg(c, 3);

	store_accept(e, c);
	store_u32(e, BIT_TO(flags, O_NONBLOCK, PPM_O_NONBLOCK) | BIT_TO(flags, O_CLOEXEC, PPM_O_CLOEXEC)); /* flags */
}

/* int shutdown(int fd, int how) */
CALL(shutdown, SOCKET_SHUTDOWN_X)
{
	u32 how = arg(c, 1);

	store_s64(e, c->ret);						/* res */
	store_s64(e, (s32)arg(c, 0));					/* fd */
	store_u8(e, how <= PPM_SHUT_RDWR ? how : (u8)PPM_SHUT_UNKNOWN); /* how */
}

/* int getsockname(int fd, struct sockaddr *usockaddr, int *usockaddr_len): its event has no parameters */
CALL(getsockname, SOCKET_GETSOCKNAME_X)
{
}

/* int getpeername(int fd, struct sockaddr *usockaddr, int *usockaddr_len): its event has no parameters */
CALL(getpeername, SOCKET_GETPEERNAME_X)
{
}
