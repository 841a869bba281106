/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * 32-bit x86 calls whose arguments lie otherwise than those of the native call that they are told as.
 *
 * arch/x86/entry/syscalls/syscall_32.tbl: numbers; there is no 32-bit call on arm64 that gets this far.
 */
#pragma once

#include "call.h"

#define I386_UMOUNT 22
#define I386_OLD_MMAP 90
#define I386_LLSEEK 140
#define I386_GETRESUID16 165
#define I386_GETRESGID16 171
#define I386_SENDFILE32 187
#define I386_MMAP2 192
#define I386_FIRST_ID32 198 /* the calls with ids of 32 bits came here and later; before it ids have 16 */
#define I386_PPOLL_TIME64 414

static __always_inline bool is_i386(const struct call *c, u32 number)
{
#if defined(__TARGET_ARCH_x86)
	return compat(c) && call_number(c->regs) == number;
#else
	return false;
#endif
}

/* An argument of 64 bits: a 32-bit program passes it as two, the lower half first. */
static __always_inline u64 wide_arg(const struct call *c, int n)
{
	return compat(c) ? arg(c, n) | arg(c, n + 1) << 32 : arg(c, n);
}

/* A user or group id; -1, in 16 bits as in 32, leaves an id as it is. */
static __always_inline u32 id_arg(const struct call *c, int n)
{
	u32 id = arg(c, n);

#if defined(__TARGET_ARCH_x86)
	if (compat(c) && call_number(c->regs) < I386_FIRST_ID32)
		id = (u16)id == 0xffff ? (u32)-1 : (u16)id;
#endif
	return id;
}

/* Several words of the program's memory, 32 bits each for a 32-bit program; zero when they cannot be read. */
static __always_inline void read_words(const struct call *c, u64 *to, u32 n, u64 from)
{
	u32 narrow[6] = {};

	if (!compat(c)) {
		bpf_probe_read_user(to, 8 * n, (void *)from);
		return;
	}
	bpf_probe_read_user(narrow, 4 * n, (void *)from);
	for (u32 i = 0; i < n; i++)
		to[i] = narrow[i];
}
