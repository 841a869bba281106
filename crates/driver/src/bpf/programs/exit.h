/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A task ends.
 *
 * include/trace/events/sched.h: sched_process_exit, TP_PROTO(struct task_struct *p), since 6.16 with a second
 * argument, whether the whole group is gone
 */
#pragma once

#include "../extract/task.h"
#include "form.h"

#define MAX_THREADS 30
#define MAX_ANCESTORS 60
#define REAPER_UNKNOWN (-1)

/* The first thread of the group that is not ending; 0 for none, REAPER_UNKNOWN if it has more than we look at.
 * find_alive_thread() of kernel/exit.c. */
__noinline int living_thread(u64 signal_address)
{
	struct signal_struct *signal = (void *)signal_address;
	u64 head = signal_address + bpf_core_field_offset(struct signal_struct, thread_head);
	u64 node = (u64)BPF_CORE_READ(signal, thread_head.next);

	for (u32 i = 0; i < MAX_THREADS; i++) {
		struct task_struct *task;

		if (node == head || !node)
			return 0;
		task = (void *)(node - bpf_core_field_offset(struct task_struct, thread_node));
		if (!(BPF_CORE_READ(task, flags) & PF_EXITING))
			return BPF_CORE_READ(task, pid);
		node = (u64)BPF_CORE_READ(task, thread_node.next);
	}
	return REAPER_UNKNOWN;
}

/* Who gets the children: another thread, the nearest ancestor that asked for them, the namespace's init.
 * find_new_reaper() of kernel/exit.c. */
static __always_inline int new_reaper(struct task_struct *task)
{
	struct pid_namespace *ns = pid_ns(task->thread_pid);
	struct task_struct *init, *ancestor;
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	u32 level = BPF_CORE_READ(task, thread_pid, level);
	int alive = living_thread((u64)signal), init_pid;

	if (alive)
		return alive;
	init = ns ? BPF_CORE_READ(ns, child_reaper) : NULL;
	if (!init || init == task)
		return 0;
	init_pid = BPF_CORE_READ(init, pid);
	if (!BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper))
		return init_pid;
	ancestor = task->real_parent;
	for (u32 i = 0; i < MAX_ANCESTORS; i++) {
		if (BPF_CORE_READ(ancestor, thread_pid, level) != level || ancestor == init)
			return init_pid;
		signal = BPF_CORE_READ(ancestor, signal);
		if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper)) {
			alive = living_thread((u64)signal);
			if (alive)
				return alive;
		}
		ancestor = BPF_CORE_READ(ancestor, real_parent);
	}
	return REAPER_UNKNOWN;
}

static __always_inline void exit_event(struct task_struct *task)
{
	struct list_head *children = &task->children;
	int code = task->exit_code;
	struct event e;

	if (!event_begin(&e, PROCEXIT_1_E, task))
		return;
	store_s64(&e, code);				/* status */
	store_s64(&e, (code >> 8) & 0xff);		/* ret: WEXITSTATUS */
	store_u8(&e, (s8)((code & 0x7f) + 1) >> 1 > 0 ? code & 0x7f : 0); /* sig: WTERMSIG */
	store_u8(&e, (code & 0x80) != 0);		/* core: WCOREDUMP */
	store_s64(&e, children->next != children ? new_reaper(task) : 0); /* reaper_tid */
	event_end(&e);
}

SEC("tp_btf/sched_process_exit") int process_exit(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	u32 tgid = task->tgid;

	if (!tgid_in_scope(tgid))
		return 0;
	if (event_wanted(PPME_PROCEXIT_1_E))
		exit_event(task);
	if (scope_mode == SCOPE_TREE && !task->signal->live.counter)
		bpf_map_delete_elem(&scope_tgids, &tgid);
	return 0;
}
