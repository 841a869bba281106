/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A program is executed. Success is told by the scheduler's tracepoint, on all architectures and for execveat as well
 * (as an execve, with the path that the kernel took); the system calls' ends tell of failures.
 *
 * include/trace/events/sched.h: sched_process_exec,
 *	TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
 */
#pragma once

#include "../extract/exe.h"
#include "../store/process.h"
#include "form.h"

/* Parameters 17 to 30: terminal, ids, and the executed file. */
static __always_inline void store_executed(struct event *e, struct task_struct *task, struct opened *exe)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
	const struct cred *cred = BPF_CORE_READ(task, cred);

	look_at_file(exe, (u64)file);
	store_u32(e, task_tty(task));				   /* tty */
	store_s64(e, pid_inner(group));				   /* vpgid */
	store_u32(e, task_loginuid(task));			   /* loginuid */
	store_u32(e, exe_flags((u64)exe->inode, (u64)exe->dentry, exe->layer)); /* flags */
	store_u64(e, task_caps(task, CAPS_INHERITABLE));	   /* cap_inheritable */
	store_u64(e, task_caps(task, CAPS_PERMITTED));		   /* cap_permitted */
	store_u64(e, task_caps(task, CAPS_EFFECTIVE));		   /* cap_effective */
	store_u64(e, exe->ino);					   /* exe_ino */
	store_u64(e, inode_ctime(exe->inode));			   /* exe_ino_ctime */
	store_u64(e, inode_mtime(exe->inode));			   /* exe_ino_mtime */
	store_u32(e, BPF_CORE_READ(cred, euid.val));		   /* uid */
	e->marks |= store_path(e, exe->mnt, exe->dentry);	   /* trusted_exepath */
	store_s64(e, pid_number(group, 0));			   /* pgid */
	store_u32(e, BPF_CORE_READ(cred, egid.val));		   /* gid */
}

SEC("tp_btf/sched_process_exec") int process_exec(u64 *ctx)
{
	struct linux_binprm *bprm = (void *)ctx[2];
	struct task_struct *task = current_task();
	struct opened exe = {};
	struct event e;

	if (task->flags & PF_KTHREAD || !event_wanted(PPME_SYSCALL_EXECVE_19_X) || !tgid_in_scope(task->tgid))
		return 0;
	if (!event_begin(&e, SYSCALL_EXECVE_19_X, task))
		return 0;
	store_s64(&e, 0);						/* res */
	store_exe_args(&e, BPF_CORE_READ(task, mm));			/* exe, args */
	store_process(&e, task, task);					/* tid to comm */
	store_cgroups(&e, task);					/* cgroups */
	store_env(&e, BPF_CORE_READ(task, mm));				/* env */
	store_executed(&e, task, &exe);					/* tty to gid */
	store_string_of(&e, bprm->filename, MAX_PATH, KERNEL); /* filename */
	record_file(&e, exe.dev, exe.ino);
	event_end(&e);
	return 0;
}

_Static_assert(PPME_SYSCALL_EXECVEAT_X_PARAMS + 1 == PPME_SYSCALL_EXECVE_19_X_PARAMS, "one program tells of both");

/*
 * int execve(const char *filename, const char *const *argv, const char *const *envp)
 * int execveat(int fd, const char *filename, const char *const *argv, const char *const *envp, int flags)
 */
CALLS_IF(execve, SYSCALL_EXECVEAT_X,
	 native_number(&c) == NR_execveat ? PPME_SYSCALL_EXECVEAT_X : PPME_SYSCALL_EXECVE_19_X, c.ret != 0)
{
	bool at = event_code(e) == PPME_SYSCALL_EXECVEAT_X;
	u64 argv = at ? arg(c, 2) : arg(c, 1), envp = at ? arg(c, 3) : arg(c, 2);
	struct task_struct *task = e->task;
	struct opened exe = {};

	if (!at)
		event_widen(e);
	advance(e, 0); /* forgets by how much */
	store_s64(e, c->ret);			    /* res */
	store_failed_exe_args(e, argv, compat(c));  /* exe, args */
	store_process(e, task, task);		    /* tid to comm */
	store_cgroups(e, task);			    /* cgroups */
	store_pointers(e, envp, 0, MAX_ARGS, compat(c)); /* env */
	store_executed(e, task, &exe);		    /* tty to gid */
	if (event_code(e) != PPME_SYSCALL_EXECVEAT_X)
		store_string(e, arg(c, 0)); /* filename */
}
