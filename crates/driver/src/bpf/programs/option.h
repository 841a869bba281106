/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Options of sockets. Kernel side: asm-generic/socket.h. */
#pragma once

#include "form.h"

#define SOL_SOCKET 1
#define SOL_TCP 6
#define SO_ERROR 4
#define SO_RCVTIMEO_OLD 20
#define SO_SNDTIMEO_OLD 21
#define SO_MEMINFO 55
#define SO_COOKIE 57
#define SO_PEERGROUPS 59
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67
#define SO_LAST_ALIKE 50 /* up to here the events have the kernel's numbers */

/* Options below SO_LAST_ALIKE whose value is no number: linger, credentials, times, filters, names. */
#define SO_NO_NUMBER (1ull << 0 | 1ull << 13 | 1ull << 17 | 1ull << 26 | 1ull << 28)

static __always_inline u8 option_level(u32 level)
{
	return level == SOL_SOCKET ? PPM_SOCKOPT_LEVEL_SOL_SOCKET
	       : level == SOL_TCP  ? PPM_SOCKOPT_LEVEL_SOL_TCP
				   : PPM_SOCKOPT_LEVEL_UNKNOWN;
}

/* Names are known of the socket's own level. */
static __always_inline u8 option_name(u32 level, u32 name)
{
	if (level != SOL_SOCKET)
		return 0;
	switch (name) {
	case SO_MEMINFO:
		return PPM_SOCKOPT_SO_MEMINFO;
	case SO_COOKIE:
		return PPM_SOCKOPT_SO_COOKIE;
	case SO_PEERGROUPS:
		return PPM_SOCKOPT_SO_PEERGROUPS;
	case SO_RCVTIMEO_NEW:
		return PPM_SOCKOPT_SO_RCVTIMEO;
	case SO_SNDTIMEO_NEW:
		return PPM_SOCKOPT_SO_SNDTIMEO;
	}
	return name <= SO_LAST_ALIKE ? name : PPM_SOCKOPT_UNKNOWN;
}

static __always_inline bool is_timeout(u32 name)
{
	return name == SO_RCVTIMEO_OLD || name == SO_SNDTIMEO_OLD || name == SO_RCVTIMEO_NEW || name == SO_SNDTIMEO_NEW;
}

/* A value of the type that the option has; its first byte says which. */
static __always_inline void store_option(struct event *e, struct call *c, u32 name, u64 from, u32 len)
{
	u32 start = e->pos;
	u64 time[2] = {};
	s32 number = 0;

	if ((u32)arg(c, 1) != SOL_SOCKET)
		name = 0; /* none of those below */
	if (name == SO_ERROR) {
		bpf_probe_read_user(&number, sizeof(number), (void *)from);
		push_u8(e, PPM_SOCKOPT_IDX_ERRNO);
		push_u64(e, -(s64)number);
	} else if (is_timeout(name)) {
		if (name >= SO_RCVTIMEO_NEW)
			bpf_probe_read_user(time, sizeof(time), (void *)from);
		else
			read_words(c, time, 2, from);
		push_u8(e, PPM_SOCKOPT_IDX_TIMEVAL);
		push_u64(e, time[0] * 1000000000 + time[1] * 1000);
	} else if (name == SO_COOKIE) {
		bpf_probe_read_user(time, sizeof(time[0]), (void *)from);
		push_u8(e, PPM_SOCKOPT_IDX_UINT64);
		push_u64(e, time[0]);
	} else if (name < SO_LAST_ALIKE && !(SO_NO_NUMBER >> name & 1)) {
		bpf_probe_read_user(&number, sizeof(number), (void *)from);
		push_u8(e, PPM_SOCKOPT_IDX_UINT32);
		push_u32(e, number);
	} else {
		push_u8(e, PPM_SOCKOPT_IDX_UNKNOWN);
		push_bytes(e, (void *)from, len < MAX_BYTES ? len : MAX_BYTES, USER);
	}
	param_len(e, e->pos - start);
}

static __always_inline void store_sockopt(struct event *e, struct call *c, u32 len)
{
	u32 level = arg(c, 1), name = arg(c, 2);

	store_s64(e, c->ret);			   /* res */
	store_s64(e, (s32)arg(c, 0));		   /* fd */
	store_u8(e, option_level(level));	   /* level */
	store_u8(e, option_name(level, name));	   /* optname */
	store_option(e, c, name, arg(c, 3), len); /* val */
	store_u32(e, len);			   /* optlen */
}

/* int setsockopt(int fd, int level, int optname, char *optval, int optlen) */
CALL(setsockopt, SOCKET_SETSOCKOPT_X)
{
	store_sockopt(e, c, arg(c, 4));
}

/* int getsockopt(int fd, int level, int optname, char *optval, int *optlen) */
CALL(getsockopt, SOCKET_GETSOCKOPT_X)
{
	u32 len = 0;

	bpf_probe_read_user(&len, sizeof(len), (void *)arg(c, 4));
	store_sockopt(e, c, len);
}
