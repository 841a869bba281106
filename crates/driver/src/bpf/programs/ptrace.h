/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* One task looks into another: ptrace and the calls that read and write another's memory. */
#pragma once

#include "../store/iovec.h"
#include "form.h"

/* A parameter whose first byte says that a number of 64 bits follows. */
static __always_inline void store_dynamic_u64(struct event *e, u64 value)
{
	push_u8(e, PPM_PTRACE_IDX_UINT64);
	push_u64(e, value);
	param_len(e, 9);
}

static __always_inline void store_ptrace_data(struct event *e, struct call *c, u16 request, u64 data)
{
	u64 word = 0;

	if (c->ret < 0) {
		store_dynamic_u64(e, 0);
		return;
	}
	switch (request) {
	case PPM_PTRACE_PEEKTEXT:
	case PPM_PTRACE_PEEKDATA:
	case PPM_PTRACE_PEEKUSR:
		bpf_probe_read_user(&word, compat(c) ? 4 : 8, (void *)data);
		store_dynamic_u64(e, word);
		break;
	case PPM_PTRACE_CONT:
	case PPM_PTRACE_SINGLESTEP:
	case PPM_PTRACE_DETACH:
	case PPM_PTRACE_SYSCALL:
		push_u8(e, PPM_PTRACE_IDX_SIGTYPE);
		push_u8(e, data);
		param_len(e, 2);
		break;
	default:
		store_dynamic_u64(e, data);
	}
}

/* long ptrace(long request, long pid, unsigned long addr, unsigned long data) */
CALL(ptrace, SYSCALL_PTRACE_X)
{
	u16 request = ptrace_request(arg(c, 0));

	store_s64(e, c->ret);				 /* res */
	store_dynamic_u64(e, c->ret < 0 ? 0 : arg(c, 2)); /* addr */
	store_ptrace_data(e, c, request, arg(c, 3));	 /* data */
	store_u16(e, request);				 /* request */
	store_s64(e, (s32)arg(c, 1));			 /* pid */
}

static __always_inline void store_process_vm(struct event *e, struct call *c)
{
	store_s64(e, c->ret);	 /* res */
	store_s64(e, (s32)arg(c, 0)); /* pid */
	if (c->ret > 0)
		store_iovec_data(e, c, arg(c, 1), arg(c, 2), c->ret); /* data */
	else
		store_empty(e);
}

/* ssize_t process_vm_readv(pid_t pid, const struct iovec *lvec, unsigned long liovcnt, ...) */
CALL(process_vm_readv, SYSCALL_PROCESS_VM_READV_X)
{
	store_process_vm(e, c);
}

/* ssize_t process_vm_writev(pid_t pid, const struct iovec *lvec, unsigned long liovcnt, ...) */
CALL(process_vm_writev, SYSCALL_PROCESS_VM_WRITEV_X)
{
	store_process_vm(e, c);
}
