/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A task enters another namespace. */
#pragma once

#include "form.h"

/* int setns(int fd, int flags) */
CALL(setns, SYSCALL_SETNS_X)
{
	store_s64(e, c->ret);		      /* res */
	store_s64(e, (s32)arg(c, 0));	      /* fd */
	store_u32(e, clone_flags(arg(c, 1))); /* nstype */
}

/* int unshare(unsigned long unshare_flags) */
CALL(unshare, SYSCALL_UNSHARE_X)
{
	store_s64(e, c->ret);		      /* res */
	store_u32(e, clone_flags(arg(c, 0))); /* flags */
}
