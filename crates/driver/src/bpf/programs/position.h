/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Where in an open file a program is, and whose the file is for now. */
#pragma once

#include "form.h"

/* off_t lseek(unsigned int fd, off_t offset, unsigned int whence). A 32-bit _llseek has its offset in two registers, the
 * higher half first, and one more argument before the last. */
CALL(lseek, SYSCALL_LSEEK_X)
{
	u64 offset = arg(c, 1);
	u32 whence = arg(c, 2);

	if (is_i386(c, I386_LLSEEK)) {
		offset = offset << 32 | whence;
		whence = arg(c, 4);
	} else if (compat(c)) {
		offset = (s32)offset;
	}
	store_s64(e, c->ret);			       /* res */
	store_s64(e, (s32)arg(c, 0));		       /* fd */
	store_u64(e, offset);			       /* offset */
	store_u8(e, whence <= PPM_SEEK_END ? whence : 0); /* whence */
}

/* int flock(unsigned int fd, unsigned int cmd) */
CALL(flock, SYSCALL_FLOCK_X)
{
	store_s64(e, c->ret);						      /* res */
	store_s64(e, (s32)arg(c, 0));					      /* fd */
	store_u32(e, arg(c, 1) & (PPM_LOCK_SH | PPM_LOCK_EX | PPM_LOCK_NB | PPM_LOCK_UN)); /* operation */
}
