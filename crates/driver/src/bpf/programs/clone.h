/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A task is born: clone, clone3, fork, vfork. The parent's call and the child's (result 0) are two events. On x86-64
 * the child's first act is to leave the same call; on arm64 it is not, so that the fork tracepoint tells of it.
 *
 * include/trace/events/sched.h: sched_process_fork, TP_PROTO(struct task_struct *parent, struct task_struct *child)
 */
#pragma once

#include "../store/process.h"
#include "form.h"

static __always_inline void store_clone(struct event *e, struct call *c, u32 flags)
{
	struct task_struct *task = e->task;
	const struct cred *cred = BPF_CORE_READ(task, cred);

	store_s64(e, c->ret); /* res */
	if (c->ret >= 0) {
		store_exe_args(e, BPF_CORE_READ(task, mm)); /* exe, args */
	} else {
		store_empty(e);
		store_empty(e);
	}
	store_process(e, task, task);						  /* tid to comm */
	store_cgroups(e, task);							  /* cgroups */
	store_u32(e, clone_flags(flags) | (in_pid_ns(task) ? PPM_CL_CHILD_IN_PIDNS : 0)); /* flags */
	store_u32(e, BPF_CORE_READ(cred, euid.val));				  /* uid */
	store_u32(e, BPF_CORE_READ(cred, egid.val));				  /* gid */
	store_s64(e, pid_inner(BPF_CORE_READ(task, thread_pid)));		  /* vtid */
	store_s64(e, pid_inner(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]))); /* vpid */
	store_u64(e, c->ret == 0 ? pid_ns_start(task) : 0);			  /* pidns_init_start_ts */
}

static __always_inline u16 clone_code(struct call *c)
{
	switch (native_number(c)) {
	case NR_clone3:
		return PPME_SYSCALL_CLONE3_X;
#if defined(NR_fork)
	case NR_fork:
		return PPME_SYSCALL_FORK_20_X;
	case NR_vfork:
		return PPME_SYSCALL_VFORK_20_X;
#endif
	default:
		return PPME_SYSCALL_CLONE_20_X;
	}
}

_Static_assert(PPME_SYSCALL_CLONE3_X_PARAMS == PPME_SYSCALL_CLONE_20_X_PARAMS &&
		       PPME_SYSCALL_FORK_20_X_PARAMS == PPME_SYSCALL_CLONE_20_X_PARAMS &&
		       PPME_SYSCALL_VFORK_20_X_PARAMS == PPME_SYSCALL_CLONE_20_X_PARAMS,
	       "one program tells of all four");

/*
 * long clone(unsigned long flags, unsigned long newsp, int *parent_tid, ...)
 * long clone3(struct clone_args *uargs, size_t size): the flags come first
 * long fork(void)
 * long vfork(void)
 */
CALLS_IF(clone, SYSCALL_CLONE_20_X, clone_code(&c), true)
{
	u64 flags = 0;

	if (event_code(e) == PPME_SYSCALL_CLONE_20_X)
		flags = arg(c, 0);
	else if (event_code(e) == PPME_SYSCALL_CLONE3_X)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)arg(c, 0));
	store_clone(e, c, flags);
}

#if !defined(__TARGET_ARCH_x86)
/* The child's event, told by its parent before the child runs. */
static __always_inline void child_event(struct task_struct *parent, struct task_struct *child)
{
	/* Not by the child's trusted pointers: verifiers before 6.12 let nobody count from them. */
	struct pid *own = BPF_CORE_READ(child, thread_pid);
	struct pid_namespace *ns = pid_ns(own);
	struct event e;
	u32 flags = 0;

	if (!event_begin(&e, SYSCALL_CLONE_20_X, child))
		return;
	if (child->pid != child->tgid)
		flags |= PPM_CL_CLONE_THREAD | PPM_CL_CLONE_SIGHAND | PPM_CL_CLONE_VM;
	if (child->files == parent->files)
		flags |= PPM_CL_CLONE_FILES;
	if (ns && BPF_CORE_READ(ns, level))
		flags |= PPM_CL_CHILD_IN_PIDNS;
	store_s64(&e, 0);			       /* res */
	store_exe_args(&e, BPF_CORE_READ(child, mm));	       /* exe, args */
	store_process(&e, child, parent);	       /* tid to comm */
	store_cgroups(&e, child);		       /* cgroups */
	store_u32(&e, flags);			       /* flags */
	store_u32(&e, child->cred->euid.val);	       /* uid */
	store_u32(&e, child->cred->egid.val);	       /* gid */
	store_s64(&e, pid_inner(own));		       /* vtid */
	store_s64(&e, pid_inner(BPF_CORE_READ(child, signal, pids[PIDTYPE_TGID]))); /* vpid */
	store_u64(&e, pid_ns_start(child));	       /* pidns_init_start_ts */
	event_end(&e);
}
#endif

SEC("tp_btf/sched_process_fork") int process_fork(u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	u32 tgid = child->tgid;

	if (!tgid_in_scope(parent->tgid))
		return 0;
	if (scope_mode == SCOPE_TREE && tgid != parent->tgid) {
		u8 *mark = scope_mark(tgid);

		if (mark)
			*mark = 1;
		else
			count(COUNTER_SCOPE_FULL);
	}
#if !defined(__TARGET_ARCH_x86)
	if (!(parent->flags & PF_KTHREAD) && event_wanted(PPME_SYSCALL_CLONE_20_X))
		child_event(parent, child);
#endif
	return 0;
}
