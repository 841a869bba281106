/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A descriptor gets another number. */
#pragma once

#include "form.h"

/* int dup(unsigned int fildes) */
CALL(dup, SYSCALL_DUP_1_X)
{
	store_s64(e, (s32)c->ret);    /* res */
	store_s64(e, (s32)arg(c, 0)); /* oldfd */
}

/* int dup2(unsigned int oldfd, unsigned int newfd) */
CALL(dup2, SYSCALL_DUP2_X)
{
	store_s64(e, (s32)c->ret);    /* res */
	store_s64(e, (s32)arg(c, 0)); /* oldfd */
	store_s64(e, (s32)arg(c, 1)); /* newfd */
}

/* int dup3(unsigned int oldfd, unsigned int newfd, int flags) */
CALL(dup3, SYSCALL_DUP3_X)
{
	store_s64(e, (s32)c->ret);				  /* res */
	store_s64(e, (s32)arg(c, 0));				  /* oldfd */
	store_s64(e, (s32)arg(c, 1));				  /* newfd */
	store_u32(e, BIT_TO(arg(c, 2), O_CLOEXEC, PPM_O_CLOEXEC)); /* flags */
}

/* int fcntl(unsigned int fd, unsigned int cmd, unsigned long arg) */
CALL(fcntl, SYSCALL_FCNTL_X)
{
	store_s64(e, c->ret);		      /* res */
	store_s64(e, (s32)arg(c, 0));	      /* fd */
	store_u8(e, fcntl_command(arg(c, 1))); /* cmd */
	store_u64(e, arg(c, 2));	      /* arg */
}
