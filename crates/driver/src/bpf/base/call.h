/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A system call at its end: number, arguments, result, on x86-64, aarch64 and for 32-bit x86 programs.
 *
 * include/trace/events/syscalls.h (6.1 to 6.18): TP_PROTO(struct pt_regs *regs, long ret)
 */
#pragma once

#include "event.h"

struct call {
	u64 *ctx;
	struct pt_regs *regs;
	long ret;
	struct task_struct *task;
};

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 0x0002
#define COMPAT_EXECVE 59
#define COMPAT_EXECVEAT 322

static __always_inline u32 call_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline bool is_compat(struct task_struct *task)
{
	barrier_var(task); /* see compat() */
	return (task->thread_info.status & TS_COMPAT) != 0;
}

static __always_inline ulong native_arg(struct pt_regs *regs, int n)
{
	switch (n) {
	case 0:
		return regs->di;
	case 1:
		return regs->si;
	case 2:
		return regs->dx;
	case 3:
		return regs->r10;
	case 4:
		return regs->r8;
	default:
		return regs->r9;
	}
}

#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT (1 << 22)

static __always_inline u32 call_number(struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline bool is_compat(struct task_struct *task)
{
	barrier_var(task); /* see compat() */
	return (task->thread_info.flags & TIF_32BIT) != 0;
}

static __always_inline ulong native_arg(struct pt_regs *regs, int n)
{
	return n == 0 ? regs->orig_x0 : regs->regs[n];
}

#endif

/* 32-bit socketcall: one call for all of the socket's, with the arguments in memory. net/socket.c. */
#define COMPAT_SOCKETCALL 102

static __always_inline u32 socketcall_number(u32 which)
{
	switch (which) {
	case 1:
		return NR_socket;
	case 2:
		return NR_bind;
	case 3:
		return NR_connect;
	case 4:
		return NR_listen;
	case 5:
		return NR_accept;
	case 6:
		return NR_getsockname;
	case 7:
		return NR_getpeername;
	case 8:
		return NR_socketpair;
	case 9: /* send: a sendto without an address */
	case 11:
		return NR_sendto;
	case 10: /* recv */
	case 12:
		return NR_recvfrom;
	case 13:
		return NR_shutdown;
	case 14:
		return NR_setsockopt;
	case 15:
		return NR_getsockopt;
	case 16:
		return NR_sendmsg;
	case 17:
		return NR_recvmsg;
	case 18:
		return NR_accept4;
	case 19:
		return NR_recvmmsg;
	case 20:
		return NR_sendmmsg;
	default:
		return MAX_CALLS;
	}
}

/* Arguments that each socketcall takes from memory, by its number. */
static const u8 socketcall_args[32] = {0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4};

/* 32-bit ipc: one call for all of System V's, with its number first. ipc/syscall.c. */
#define COMPAT_IPC 117

static __always_inline u32 ipc_number(u32 which)
{
	switch (which & 0xffff) { /* the upper half is a version */
	case 1:
		return NR_semop;
	case 2:
		return NR_semget;
	case 3:
		return NR_semctl;
	case 4:
		return NR_semtimedop;
	case 11:
		return NR_msgsnd;
	case 12:
		return NR_msgrcv;
	case 13:
		return NR_msgget;
	case 14:
		return NR_msgctl;
	case 21:
		return NR_shmat;
	case 22:
		return NR_shmdt;
	case 23:
		return NR_shmget;
	case 24:
		return NR_shmctl;
	default:
		return MAX_CALLS;
	}
}

#if defined(__TARGET_ARCH_x86)
#define REGS_BASE 0x1d280 /* where a 32-bit program's registers are copied to, in the scratch's second half */

/* The n-th register that holds an argument, from 0, out of a copy: where it lies there, in words. */
static __always_inline u32 copied_reg(u8 *copy, u32 n)
{
	u64 places = 5 | 11 << 8 | 12 << 16 | 13 << 24 | 14ull << 32 | 4ull << 40; /* bx, cx, dx, si, di, bp */

	return *(u32 *)(copy + 8 * (places >> 8 * (n & 7) & 31));
}

/* ipc(call, first, second, third, ptr): semget takes the first three, semop(first, ptr, second), semctl the first three
 * and what lies behind the pointer. The others' events have no arguments. */
static __always_inline u32 ipc_arg(u8 *copy, u32 n)
{
	u32 value = 0;

	if ((copied_reg(copy, 0) & 0xffff) == 1 && n > 0)
		return copied_reg(copy, n == 1 ? 4 : 2);
	if (n < 3)
		return copied_reg(copy, n + 1);
	bpf_probe_read_user(&value, sizeof(value), (void *)(ulong)copied_reg(copy, 4));
	return value;
}

/* Not static: the verifier looks at it once, whoever calls. */
__noinline ulong compat_arg(u64 regs, u32 n)
{
	struct scratch *s = my_scratch();
	u8 *copy;
	u32 number, value = 0;

	if (!s)
		return 0;
	copy = s->data + REGS_BASE;
	bpf_probe_read_kernel(copy, sizeof(struct pt_regs), (void *)regs);
	number = ((struct pt_regs *)copy)->orig_ax;
	if (number == COMPAT_IPC)
		return ipc_arg(copy, n);
	if (number != COMPAT_SOCKETCALL)
		return copied_reg(copy, n);
	number = copied_reg(copy, 0);
	if (n < socketcall_args[number & 31]) /* larger numbers have no program */
		bpf_probe_read_user(&value, sizeof(value), (void *)(ulong)(copied_reg(copy, 1) + 4 * n));
	return value;
}
#else
static __always_inline ulong compat_arg(u64 regs, u32 n)
{
	return 0; /* 32-bit Arm programs are not told of */
}
#endif

/* Whether a 32-bit program makes the call. Asked of the task each time: were it kept, the verifier would look at
 * everything that follows once for either answer. */
static __always_inline bool compat(const struct call *c)
{
	return is_compat(c->task);
}

/* The registers' address as a number: functions that are verified apart take no typed pointers. */
static __always_inline u64 regs_address(const struct call *c)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), c->ctx);
	return address;
}

/* The n-th argument, from 0. Numbers that a 32-bit program passed come zero-extended: cast where they have a sign. */
static __always_inline ulong arg(const struct call *c, int n)
{
	return compat(c) ? compat_arg(regs_address(c), n) : native_arg(c->regs, n);
}

#if defined(__TARGET_ARCH_x86)
/* The native number of a 32-bit program's call. Not static: the verifier looks at it once, whoever calls. */
__noinline u32 compat_number(u64 regs)
{
	struct scratch *s = my_scratch();
	u8 *copy;
	u32 number;

	if (!s)
		return MAX_CALLS;
	copy = s->data + REGS_BASE;
	bpf_probe_read_kernel(copy, sizeof(struct pt_regs), (void *)regs);
	number = ((struct pt_regs *)copy)->orig_ax;
	/* A 64-bit execve of a 32-bit program ends as a 32-bit one, under its 64-bit number. */
	if (number == COMPAT_EXECVE || number == COMPAT_EXECVEAT)
		return number;
	if (number == COMPAT_SOCKETCALL)
		return socketcall_number(copied_reg(copy, 0));
	if (number == COMPAT_IPC)
		return ipc_number(copied_reg(copy, 0));
	return number < MAX_CALLS ? (u32)compat_calls[number] - 1 : MAX_CALLS;
}
#else
static __always_inline u32 compat_number(u64 regs)
{
	return MAX_CALLS; /* 32-bit Arm numbers are another table, which upstream does not know either */
}
#endif

/* The native number of a call, or MAX_CALLS and more. */
static __always_inline u32 native_number(struct call *c)
{
	return compat(c) ? compat_number(regs_address(c)) : call_number(c->regs);
}
