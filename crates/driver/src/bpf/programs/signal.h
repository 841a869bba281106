/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Signals are sent and delivered.
 *
 * include/trace/events/signal.h: signal_deliver,
 *	TP_PROTO(int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
 */
#pragma once

#include "form.h"

/* int kill(pid_t pid, int sig) */
CALL(kill, SYSCALL_KILL_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* pid */
	store_u8(e, arg(c, 1));	      /* sig */
}

/* int tkill(pid_t pid, int sig) */
CALL(tkill, SYSCALL_TKILL_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* tid */
	store_u8(e, arg(c, 1));	      /* sig */
}

/* int tgkill(pid_t tgid, pid_t pid, int sig) */
CALL(tgkill, SYSCALL_TGKILL_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* pid */
	store_s64(e, (s32)arg(c, 1)); /* tid */
	store_u8(e, arg(c, 2));	      /* sig */
}

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGKILL 9
#define SIGTERM 15
#define SIGCHLD 17
#define SIGTSTP 20
#define SIGRTMIN 32
#define SIGRTMAX 64

/* Who sent it, where the signal says so. The kernel's placeholders (SEND_SIG_NOINFO is 0, SEND_SIG_PRIV 1) say not. */
static __always_inline int signal_sender(int sig, struct kernel_siginfo *info)
{
	int code;

	if ((u64)info <= 1)
		return 0;
	code = BPF_CORE_READ(info, si_code);
	switch (sig) {
	case SIGKILL:
		return BPF_CORE_READ(info, _sifields._kill._pid);
	case SIGTERM:
	case SIGHUP:
	case SIGINT:
	case SIGTSTP:
	case SIGQUIT:
		return code <= 0 ? BPF_CORE_READ(info, _sifields._kill._pid) : 0;
	case SIGCHLD:
		return BPF_CORE_READ(info, _sifields._sigchld._pid);
	}
	return sig >= SIGRTMIN && sig <= SIGRTMAX ? BPF_CORE_READ(info, _sifields._rt._pid) : 0;
}

SEC("tp_btf/signal_deliver") int signal_deliver(u64 *ctx)
{
	struct task_struct *task = current_task();
	struct event e;
	int sig = ctx[0];

	if (!event_wanted(PPME_SIGNALDELIVER_E) || !tgid_in_scope(task->tgid) || !event_begin(&e, SIGNALDELIVER_E, task))
		return 0;
	store_s64(&e, signal_sender(sig, (void *)ctx[1])); /* spid */
	store_s64(&e, task->pid);			   /* dpid */
	store_u8(&e, sig);				   /* sig */
	event_end(&e);
	return 0;
}
