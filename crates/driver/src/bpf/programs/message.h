/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Data through sockets, with the addresses it goes between. */
#pragma once

#include "../store/iovec.h"
#include "../store/socket.h"
#include "form.h"

/* Bytes kept of `len`. */
static __always_inline u32 kept_of(u64 len)
{
	return len < snaplen ? len : snaplen;
}

/* ssize_t sendto(int fd, void *buff, size_t len, unsigned int flags, struct sockaddr *addr, int addr_len) */
CALL(sendto, SOCKET_SENDTO_X)
{
	s32 fd = arg(c, 0);
	u32 size = arg(c, 2);

	store_s64(e, c->ret);					     /* res */
	store_bytes(e, arg(c, 1), kept_of(c->ret > 0 ? c->ret : size)); /* data */
	store_s64(e, fd);					     /* fd */
	store_u32(e, size);					     /* size */
	if (c->ret >= 0)
		store_socktuple(e, fd, OUTBOUND, arg(c, 4)); /* tuple */
	else
		store_empty(e);
}

/* ssize_t recvfrom(int fd, void *ubuf, size_t size, unsigned int flags, struct sockaddr *addr, int *addr_len) */
CALL(recvfrom, SOCKET_RECVFROM_X)
{
	s32 fd = arg(c, 0);

	store_s64(e, c->ret); /* res */
	if (c->ret >= 0) {
		store_bytes(e, arg(c, 1), kept_of(c->ret));  /* data */
		store_socktuple(e, fd, INBOUND, arg(c, 4)); /* tuple */
	} else {
		store_empty(e);
		store_empty(e);
	}
	store_s64(e, fd);	 /* fd */
	store_u32(e, arg(c, 2)); /* size */
}

/* ssize_t sendmsg(int fd, struct user_msghdr *msg, unsigned int flags) */
CALL(sendmsg, SOCKET_SENDMSG_X)
{
	struct message m = {};
	struct vector v = {};
	s32 fd = arg(c, 0);
	bool readable = read_message(c, arg(c, 1), &m);

	store_s64(e, c->ret); /* res */
	if (readable)
		read_vector(e, c, &v, m.iov, m.iovlen);
	store_vector(e, &v, c->ret > 0 ? c->ret : snaplen); /* data */
	store_s64(e, fd);				     /* fd */
	if (readable)
		store_u32(e, vector_size(&v)); /* size */
	else
		store_empty(e);
	if (readable && c->ret >= 0)
		store_socktuple(e, fd, OUTBOUND, m.name); /* tuple */
	else
		store_empty(e);
}

/* ssize_t recvmsg(int fd, struct user_msghdr *msg, unsigned int flags) */
CALL(recvmsg, SOCKET_RECVMSG_X)
{
	struct message m = {};
	s32 fd = arg(c, 0);

	store_s64(e, c->ret); /* res */
	if (c->ret >= 0) {
		struct vector v = {};

		store_u32(e, c->ret); /* size */
		if (read_message(c, arg(c, 1), &m))
			read_vector(e, c, &v, m.iov, m.iovlen);
		store_vector(e, &v, c->ret);		  /* data */
		store_socktuple(e, fd, INBOUND, m.name); /* tuple */
		store_bytes(e, m.control, m.controllen < MAX_BYTES ? m.controllen : MAX_BYTES); /* msgcontrol */
	} else {
		store_u32(e, 0);
		store_empty(e);
		store_empty(e);
		store_empty(e);
	}
	store_s64(e, fd); /* fd */
}
