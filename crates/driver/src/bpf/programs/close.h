/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Descriptors are closed. */
#pragma once

#include "form.h"

/* int close(unsigned int fd) */
CALL(close, SYSCALL_CLOSE_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
}

/* int close_range(unsigned int fd, unsigned int max_fd, unsigned int flags) */
CALL(close_range, SYSCALL_CLOSE_RANGE_X)
{
	store_s64(e, c->ret);	      /* res */
	store_u32(e, arg(c, 0));      /* first */
	store_u32(e, arg(c, 1));      /* last */
	store_u32(e, arg(c, 2) & (PPM_CLOSE_RANGE_UNSHARE | PPM_CLOSE_RANGE_CLOEXEC)); /* flags */
}
