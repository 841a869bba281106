/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The kernel's numbers into those of the events (PPM_*). Each function names the kernel's header. */
#pragma once

#include "../maps.h"

/* One bit into another. */
#define BIT_TO(flags, from, to) (((flags) & (from)) ? (to) : 0)

/* include/uapi/asm-generic/fcntl.h; arm64 swaps four of them. */
#define O_CREAT 0100
#define O_EXCL 0200
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_DSYNC 010000
#define O_CLOEXEC 02000000
#define O_SYNC 04010000
#if defined(__TARGET_ARCH_arm64)
#define O_DIRECTORY 040000
#define O_DIRECT 0200000
#define O_LARGEFILE 0400000
#else
#define O_DIRECT 040000
#define O_LARGEFILE 0100000
#define O_DIRECTORY 0200000
#endif
#define O_TMPFILE (020000000 | O_DIRECTORY)

/* Upstream tests O_TMPFILE and O_SYNC, each two bits, for any of them; so do we, since values are compared. */
static __always_inline u32 open_flags(u32 flags)
{
	u32 access = (flags & 3) == 1 ? PPM_O_WRONLY : (flags & 3) == 2 ? PPM_O_RDWR : PPM_O_RDONLY;

	return access | BIT_TO(flags, O_CREAT, PPM_O_CREAT) | BIT_TO(flags, O_TMPFILE, PPM_O_TMPFILE) |
	       BIT_TO(flags, O_APPEND, PPM_O_APPEND) | BIT_TO(flags, O_DSYNC, PPM_O_DSYNC) |
	       BIT_TO(flags, O_EXCL, PPM_O_EXCL) | BIT_TO(flags, O_NONBLOCK, PPM_O_NONBLOCK) |
	       BIT_TO(flags, O_SYNC, PPM_O_SYNC) | BIT_TO(flags, O_TRUNC, PPM_O_TRUNC) |
	       BIT_TO(flags, O_DIRECT, PPM_O_DIRECT) | BIT_TO(flags, O_DIRECTORY, PPM_O_DIRECTORY) |
	       BIT_TO(flags, O_LARGEFILE, PPM_O_LARGEFILE) | BIT_TO(flags, O_CLOEXEC, PPM_O_CLOEXEC);
}

/* Permission bits are the kernel's own. */
static __always_inline u32 file_mode(u32 mode)
{
	return mode & 07777;
}

/* A mode counts only where a file may be created. */
static __always_inline u32 open_mode(u32 flags, u32 mode)
{
	return flags & (O_CREAT | O_TMPFILE) ? file_mode(mode) : 0;
}

#define AT_FDCWD (-100)

/* A directory's descriptor; the current directory is the same number here and there. */
static __always_inline s64 dir_fd(ulong fd)
{
	return (s32)fd == AT_FDCWD ? PPM_AT_FDCWD : (s32)fd;
}
