/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The kernel's numbers into those of the events (PPM_*). Where the two agree bit for bit, a mask is all.
 * Sources: include/uapi of Linux 6.18 for the kernel's side; values are the same since 6.1.
 */
#pragma once

#include "../maps.h"

/* One bit into another, or either of two; no choice is made, since the verifier would follow each. */
#define BIT_TO(flags, from, to)                                                                                        \
	({                                                                                                             \
		u32 all = (flags);                                                                                     \
                                                                                                                       \
		(BIT_OF(all, LOWEST(from)) | BIT_OF(all, (from) & ~LOWEST(from))) << __builtin_ctz(to);                \
	})
#define LOWEST(bits) ((bits) & -(bits))
#define BIT_OF(flags, bit) ((bit) ? ((flags) & (bit)) >> __builtin_ctz((bit) ? (bit) : 1) : 0)

/* An entry of a table whose size is a power of two; zero beyond it. The verifier wants to see the bound at the very register
 * that the compiler makes the address of. */
#define LOOK_UP(table, index)                                                                                          \
	({                                                                                                             \
		u32 at = (index), size = sizeof(table) / sizeof((table)[0]);                                           \
		bool inside = at < size;                                                                               \
                                                                                                                       \
		barrier_var(at);                                                                                       \
		inside ? (table)[at & (size - 1)] : (typeof((table)[0])){};                                            \
	})

/* asm-generic/fcntl.h; arm64 swaps three of them. */
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

/* Upstream tests O_TMPFILE and O_SYNC, of two bits each, for any of them; so do we, since values are compared. */
static __always_inline u32 open_flags(u32 flags)
{
	/* Read, write, both; the fourth is no access at all, which upstream shows as reading. */
	u32 accesses = PPM_O_RDONLY | PPM_O_WRONLY << 4 | PPM_O_RDWR << 8 | PPM_O_RDONLY << 12;
	u32 access = accesses >> 4 * (flags & 3) & 0xf;

	return access | BIT_TO(flags, O_CREAT, PPM_O_CREAT) | BIT_TO(flags, O_TMPFILE, PPM_O_TMPFILE) |
	       BIT_TO(flags, O_APPEND, PPM_O_APPEND) | BIT_TO(flags, O_DSYNC, PPM_O_DSYNC) |
	       BIT_TO(flags, O_EXCL, PPM_O_EXCL) | BIT_TO(flags, O_NONBLOCK, PPM_O_NONBLOCK) |
	       BIT_TO(flags, O_SYNC, PPM_O_SYNC) | BIT_TO(flags, O_TRUNC, PPM_O_TRUNC) |
	       BIT_TO(flags, O_DIRECT, PPM_O_DIRECT) | BIT_TO(flags, O_DIRECTORY, PPM_O_DIRECTORY) |
	       BIT_TO(flags, O_LARGEFILE, PPM_O_LARGEFILE) | BIT_TO(flags, O_CLOEXEC, PPM_O_CLOEXEC);
}

/* Those of the calls that make a descriptor and know only these two. A negative number has no flags. */
static __always_inline u32 fd_flags(s32 flags)
{
	return flags < 0 ? 0
			 : BIT_TO(flags, O_NONBLOCK, PPM_O_NONBLOCK) | BIT_TO(flags, O_CLOEXEC, PPM_O_CLOEXEC);
}

/* Permission bits are the kernel's own. */
static __always_inline u32 file_mode(u32 mode)
{
	return mode & 07777;
}

/* A mode counts only where a file may be created. */
static __always_inline u32 open_mode(u32 flags, u32 mode)
{
	return file_mode(mode) & -(BIT_TO(flags, O_CREAT, 1) | BIT_TO(flags, O_TMPFILE, 1));
}

/* linux/openat2.h */
static __always_inline u32 resolve_flags(u64 flags)
{
	return BIT_TO(flags, 0x01, PPM_RESOLVE_NO_XDEV) | BIT_TO(flags, 0x02, PPM_RESOLVE_NO_MAGICLINKS) |
	       BIT_TO(flags, 0x04, PPM_RESOLVE_NO_SYMLINKS) | BIT_TO(flags, 0x08, PPM_RESOLVE_BENEATH) |
	       BIT_TO(flags, 0x10, PPM_RESOLVE_IN_ROOT) | BIT_TO(flags, 0x20, PPM_RESOLVE_CACHED);
}

#define AT_FDCWD (-100)

/* A directory's descriptor; the current directory is the same number here and there. */
static __always_inline s64 dir_fd(ulong fd)
{
	return (s32)fd == AT_FDCWD ? PPM_AT_FDCWD : (s32)fd;
}

/* linux/sched.h */
static __always_inline u32 clone_flags(u32 flags)
{
	return BIT_TO(flags, 0x00000100, PPM_CL_CLONE_VM) | BIT_TO(flags, 0x00000200, PPM_CL_CLONE_FS) |
	       BIT_TO(flags, 0x00000400, PPM_CL_CLONE_FILES) | BIT_TO(flags, 0x00000800, PPM_CL_CLONE_SIGHAND) |
	       BIT_TO(flags, 0x00002000, PPM_CL_CLONE_PTRACE) | BIT_TO(flags, 0x00004000, PPM_CL_CLONE_VFORK) |
	       BIT_TO(flags, 0x00008000, PPM_CL_CLONE_PARENT) | BIT_TO(flags, 0x00010000, PPM_CL_CLONE_THREAD) |
	       BIT_TO(flags, 0x00020000, PPM_CL_CLONE_NEWNS) | BIT_TO(flags, 0x00040000, PPM_CL_CLONE_SYSVSEM) |
	       BIT_TO(flags, 0x00080000, PPM_CL_CLONE_SETTLS) |
	       BIT_TO(flags, 0x00100000, PPM_CL_CLONE_PARENT_SETTID) |
	       BIT_TO(flags, 0x00200000, PPM_CL_CLONE_CHILD_CLEARTID) |
	       BIT_TO(flags, 0x00800000, PPM_CL_CLONE_UNTRACED) |
	       BIT_TO(flags, 0x01000000, PPM_CL_CLONE_CHILD_SETTID) |
	       BIT_TO(flags, 0x02000000, PPM_CL_CLONE_NEWCGROUP) | BIT_TO(flags, 0x04000000, PPM_CL_CLONE_NEWUTS) |
	       BIT_TO(flags, 0x08000000, PPM_CL_CLONE_NEWIPC) | BIT_TO(flags, 0x10000000, PPM_CL_CLONE_NEWUSER) |
	       BIT_TO(flags, 0x20000000, PPM_CL_CLONE_NEWPID) | BIT_TO(flags, 0x40000000, PPM_CL_CLONE_NEWNET) |
	       BIT_TO(flags, 0x80000000, PPM_CL_CLONE_IO);
}

/* asm-generic/mman-common.h */
static __always_inline u32 prot_flags(u32 prot)
{
	return (prot & 0xf) | BIT_TO(prot, 0x01000000, PPM_PROT_GROWSDOWN) |
	       BIT_TO(prot, 0x02000000, PPM_PROT_GROWSUP) | BIT_TO(prot, 0x10, PPM_PROT_SAO);
}

/* asm-generic/mman.h; MAP_32BIT is x86's */
static __always_inline u32 mmap_flags(u32 flags)
{
	return BIT_TO(flags, 0x01, PPM_MAP_SHARED) | BIT_TO(flags, 0x02, PPM_MAP_PRIVATE) |
	       BIT_TO(flags, 0x10, PPM_MAP_FIXED) | BIT_TO(flags, 0x20, PPM_MAP_ANONYMOUS) |
#if defined(__TARGET_ARCH_x86)
	       BIT_TO(flags, 0x40, PPM_MAP_32BIT) |
#endif
	       BIT_TO(flags, 0x0100, PPM_MAP_GROWSDOWN) | BIT_TO(flags, 0x0800, PPM_MAP_DENYWRITE) |
	       BIT_TO(flags, 0x1000, PPM_MAP_EXECUTABLE) | BIT_TO(flags, 0x2000, PPM_MAP_LOCKED) |
	       BIT_TO(flags, 0x4000, PPM_MAP_NORESERVE) | BIT_TO(flags, 0x8000, PPM_MAP_POPULATE) |
	       BIT_TO(flags, 0x10000, PPM_MAP_NONBLOCK) | BIT_TO(flags, 0x80, PPM_MAP_INHERIT);
}

/* linux/io_uring.h. Upstream also reads a ring's own flag (SQ_NEED_WAKEUP, bit 0) out of the set-up's flags. */
static __always_inline u32 io_uring_setup_flags(u32 flags)
{
	return BIT_TO(flags, 0x01, PPM_IORING_SETUP_IOPOLL) | BIT_TO(flags, 0x01, PPM_IORING_SQ_NEED_WAKEUP) |
	       BIT_TO(flags, 0x02, PPM_IORING_SETUP_SQPOLL) | BIT_TO(flags, 0x04, PPM_IORING_SETUP_SQ_AFF) |
	       BIT_TO(flags, 0x08, PPM_IORING_SETUP_CQSIZE) | BIT_TO(flags, 0x10, PPM_IORING_SETUP_CLAMP) |
	       BIT_TO(flags, 0x20, PPM_IORING_SETUP_ATTACH_WQ) | BIT_TO(flags, 0x40, PPM_IORING_SETUP_R_DISABLED);
}

/* linux/socket.h: the events know the families up to AF_ALG but two, under the kernel's numbers. */
static __always_inline u8 socket_family(u8 family)
{
	return family > PPM_AF_NFC || family == 27 || family == 28 ? PPM_AF_UNSPEC : family;
}

/* linux/fcntl.h, asm-generic/fcntl.h */
static __always_inline u8 fcntl_command(u32 command)
{
	static const u8 low[17] = {PPM_FCNTL_F_DUPFD,	 PPM_FCNTL_F_GETFD,    PPM_FCNTL_F_SETFD,
				   PPM_FCNTL_F_GETFL,	 PPM_FCNTL_F_SETFL,    PPM_FCNTL_F_GETLK,
				   PPM_FCNTL_F_SETLK,	 PPM_FCNTL_F_SETLKW,   PPM_FCNTL_F_SETOWN,
				   PPM_FCNTL_F_GETOWN,	 PPM_FCNTL_F_SETSIG,   PPM_FCNTL_F_GETSIG,
				   PPM_FCNTL_F_GETLK64,	 PPM_FCNTL_F_SETLK64,  PPM_FCNTL_F_SETLKW64,
				   PPM_FCNTL_F_SETOWN_EX, PPM_FCNTL_F_GETOWN_EX};
	static const u8 high[9] = {
		[0] = PPM_FCNTL_F_SETLEASE, [1] = PPM_FCNTL_F_GETLEASE,	     [2] = PPM_FCNTL_F_NOTIFY,
		[5] = PPM_FCNTL_F_CANCELLK, [6] = PPM_FCNTL_F_DUPFD_CLOEXEC, [7] = PPM_FCNTL_F_SETPIPE_SZ,
		[8] = PPM_FCNTL_F_GETPIPE_SZ,
	};

	if (command < 17)
		return low[command];
	if (command >= 36 && command <= 38)
		return PPM_FCNTL_F_OFD_GETLK + (command - 36);
	if (command >= 1024 && command < 1033)
		return high[command - 1024];
	return PPM_FCNTL_UNKNOWN;
}

/* asm/ptrace-abi.h, linux/ptrace.h */
static __always_inline u16 ptrace_request(u64 request)
{
	static const u8 low[34] = {
		[0] = PPM_PTRACE_TRACEME,	  [1] = PPM_PTRACE_PEEKTEXT,	    [2] = PPM_PTRACE_PEEKDATA,
		[3] = PPM_PTRACE_PEEKUSR,	  [4] = PPM_PTRACE_POKETEXT,	    [5] = PPM_PTRACE_POKEDATA,
		[6] = PPM_PTRACE_POKEUSR,	  [7] = PPM_PTRACE_CONT,	    [8] = PPM_PTRACE_KILL,
		[9] = PPM_PTRACE_SINGLESTEP,	  [16] = PPM_PTRACE_ATTACH,	    [17] = PPM_PTRACE_DETACH,
		[24] = PPM_PTRACE_SYSCALL,
#if defined(__TARGET_ARCH_x86)
		[12] = PPM_PTRACE_GETREGS,	  [13] = PPM_PTRACE_SETREGS,	    [14] = PPM_PTRACE_GETFPREGS,
		[15] = PPM_PTRACE_SETFPREGS,	  [18] = PPM_PTRACE_GETFPXREGS,	    [19] = PPM_PTRACE_SETFPXREGS,
		[21] = PPM_PTRACE_OLDSETOPTIONS,  [25] = PPM_PTRACE_GET_THREAD_AREA, [26] = PPM_PTRACE_SET_THREAD_AREA,
		[30] = PPM_PTRACE_ARCH_PRCTL,	  [31] = PPM_PTRACE_SYSEMU,	    [32] = PPM_PTRACE_SYSEMU_SINGLESTEP,
		[33] = PPM_PTRACE_SINGLEBLOCK,
#else
		[31] = PPM_PTRACE_SYSEMU,	  [32] = PPM_PTRACE_SYSEMU_SINGLESTEP,
#endif
	};

	if (request < 34)
		return low[request];
	if (request >= 0x4200 && request <= 0x420b) /* SETOPTIONS to SETSIGMASK, in the same order */
		return PPM_PTRACE_SETOPTIONS + (request - 0x4200);
	return PPM_PTRACE_UNKNOWN;
}

/* asm-generic/resource.h */
static __always_inline u8 rlimit_resource(u32 resource)
{
	return resource <= PPM_RLIMIT_RTTIME ? resource : PPM_RLIMIT_UNKNOWN;
}
