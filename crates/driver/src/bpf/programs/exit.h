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
#define NO_SUBREAPER (-2)

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

/* From a task up to the nearest ancestor that asked for orphans, no further than its namespace's init. */
struct ancestor_walk {
	u64 ancestor, init;
	u32 level;
	int found; /* a thread of it; NO_SUBREAPER, or REAPER_UNKNOWN as long as nothing was found */
};

static long ancestor_step(u32 index, void *ctx)
{
	struct ancestor_walk *w = ctx;
	struct task_struct *ancestor = (void *)w->ancestor;
	struct signal_struct *signal = BPF_CORE_READ(ancestor, signal);
	int alive;

	if (BPF_CORE_READ(ancestor, thread_pid, level) != w->level || w->ancestor == w->init) {
		w->found = NO_SUBREAPER;
		return 1;
	}
	if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper)) {
		alive = living_thread((u64)signal);
		if (alive) {
			w->found = alive;
			return 1;
		}
	}
	w->ancestor = (u64)BPF_CORE_READ(ancestor, real_parent);
	return 0;
}

/* Who gets the children: another thread, the nearest ancestor that asked for them, the namespace's init.
 * find_new_reaper() of kernel/exit.c. */
static __always_inline int new_reaper(struct task_struct *task)
{
	struct pid_namespace *ns = pid_ns(BPF_CORE_READ(task, thread_pid));
	struct ancestor_walk w = {.found = REAPER_UNKNOWN};
	struct task_struct *init;
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
	w.ancestor = (u64)BPF_CORE_READ(task, real_parent);
	w.init = (u64)init;
	w.level = level;
	bpf_loop(MAX_ANCESTORS, ancestor_step, &w, 0);
	return w.found == NO_SUBREAPER ? init_pid : w.found;
}

static __always_inline bool has_children(struct task_struct *task)
{
	return (u64)BPF_CORE_READ(task, children.next) !=
	       (u64)task + bpf_core_field_offset(struct task_struct, children);
}

static __always_inline void exit_event(struct task_struct *task)
{
		int code = task->exit_code;
	struct event e;

	if (!event_begin(&e, PROCEXIT_1_E, task))
		return;
	store_s64(&e, code);				/* status */
	store_s64(&e, (code >> 8) & 0xff);		/* ret: WEXITSTATUS */
	store_u8(&e, (s8)((code & 0x7f) + 1) >> 1 > 0 ? code & 0x7f : 0); /* sig: WTERMSIG */
	store_u8(&e, (code & 0x80) != 0);		/* core: WCOREDUMP */
	store_s64(&e, has_children(task) ? new_reaper(task) : 0); /* reaper_tid */
	event_end(&e);
}

SEC("tp_btf/sched_process_exit") int process_exit(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	u32 tgid = task->tgid;
	u8 *mark;

	if (!tgid_in_scope(tgid))
		return 0;
	if (event_wanted(PPME_PROCEXIT_1_E))
		exit_event(task);
	if (scope_mode == SCOPE_TREE && !BPF_CORE_READ(task, signal, live.counter)) {
		mark = scope_mark(tgid);
		if (mark)
			*mark = 0;
	}
	return 0;
}
