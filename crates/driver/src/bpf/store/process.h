/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the events of clone and exec say of a process: arguments, environment, control groups, ids, memory. */
#pragma once

#include "../base/call.h"
#include "../extract/task.h"
#include "params.h"

#define MAX_ARGS 4096
#define MAX_ARG_POINTERS 256

/* Strings that lie one after the other in the program's memory, cut at `max` bytes with a NUL at the end. */
static __always_inline void store_strings(struct event *e, ulong from, ulong len, u32 max)
{
	u32 kept = 0;

	if (from && len)
		kept = push_bytes(e, (void *)from, len < max ? len : max, USER);
	if (kept)
		e->data[(e->pos - 1) & EVENT_MASK] = 0;
	param_len(e, kept);
}

/* exe and args: the area of the arguments, split behind the first. Both share MAX_ARGS bytes. */
static __always_inline void store_exe_args(struct event *e, struct mm_struct *mm)
{
	ulong start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	u32 exe = store_string_of(e, (void *)start, MAX_ARGS, USER) & 0x1fff;

	store_strings(e, start + exe, end > start + exe ? end - start - exe : 0, exe < MAX_ARGS ? MAX_ARGS - exe : 0);
}

static __always_inline void store_env(struct event *e, struct mm_struct *mm)
{
	ulong start = BPF_CORE_READ(mm, env_start), end = BPF_CORE_READ(mm, env_end);

	store_strings(e, start, end > start ? end - start : 0, MAX_ARGS);
}

/* Strings behind an array of pointers, as execve takes them. */
struct pointers {
	u64 array;
	u32 pos, kept, max;
	u32 next;
	u32 compat;
};

static long next_pointer(u32 index, void *ctx)
{
	struct pointers *p = ctx;
	struct scratch *s = my_scratch();
	u64 at = 0;
	long n;

	bpf_probe_read_user(&at, p->compat ? 4 : 8, (void *)(p->array + (u64)p->next * (p->compat ? 4 : 8)));
	if (!at || !s)
		return 1;
	n = bpf_probe_read_user_str(s->data + (p->pos & EVENT_MASK), MAX_ARGS, (void *)at);
	p->next++;
	if (n > 0) { /* a string that cannot be read is passed over */
		p->pos += (u32)n;
		p->kept += (u32)n;
	}
	return p->kept >= p->max;
}

/* Returns the bytes that it wrote at `pos` of the scratch, at most `max` of them. */
__noinline u32 push_pointers(u64 array, u32 first, u32 pos, u32 max, u32 compat)
{
	struct pointers p = {.array = array, .next = first, .pos = pos, .max = max, .compat = compat};
	struct scratch *s = my_scratch();
	u32 end;

	if (!array || !max || !s)
		return 0;
	bpf_loop(MAX_ARG_POINTERS, next_pointer, &p, 0);
	if (!p.kept)
		return 0;
	if (p.kept > max)
		p.kept = max;
	end = pos + p.kept - 1;
	s->data[end & EVENT_MASK] = 0;
	return p.kept;
}

static __always_inline void store_pointers(struct event *e, u64 array, u32 first, u32 max, bool compat)
{
	u32 kept = push_pointers(array, first, e->pos, max, compat) & 0x1fff;

	advance(e, kept);
	param_len(e, kept);
}

/* exe and args of a failed execve; without an array, an empty exe. */
static __always_inline void store_failed_exe_args(struct event *e, u64 argv, bool compat)
{
	u64 first = 0;
	u32 exe;

	if (!argv) {
		store_u8(e, 0);
		store_empty(e);
		return;
	}
	bpf_probe_read_user(&first, compat ? 4 : 8, (void *)argv);
	exe = store_string_of(e, (void *)first, MAX_ARGS, USER) & 0x1fff;
	store_pointers(e, first ? argv : 0, 1, exe < MAX_ARGS ? MAX_ARGS - exe : 0, compat);
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node___v6_15 *kn615 = (void *)kn;

	if (bpf_core_field_exists(kn->parent))
		return BPF_CORE_READ(kn, parent);
	return (struct kernfs_node *)BPF_CORE_READ(kn615, __parent);
}

/* From a control group up to the root, and back down: the names wait in the scratch's second half. Loops of the
 * kernel's, whose body the verifier looks at once. */
#define NAMES_BASE 0x1d000
#define CGROUP_DEPTH 16
#define MAX_CGROUP 0xfff /* bytes told of one control group; what is longer loses its end */

struct cgroup_walk {
	struct kernfs_node *node;
	u32 depth;
	u32 pos;
};

static __always_inline u64 *name_slot(struct scratch *s, u32 i)
{
	return (u64 *)(s->data + NAMES_BASE + 8 * (i & (CGROUP_DEPTH - 1)));
}

static long collect_name(u32 i, void *ctx)
{
	struct cgroup_walk *w = ctx;
	struct scratch *s = my_scratch();
	struct kernfs_node *node = w->node;

	if (!s || !node)
		return 1;
	*name_slot(s, i) = (u64)BPF_CORE_READ(node, name);
	w->node = kernfs_parent(node);
	w->depth = i + 1;
	return 0;
}

static long append_name(u32 i, void *ctx)
{
	struct cgroup_walk *w = ctx;
	struct scratch *s = my_scratch();
	long n;

	if (!s)
		return 1;
	n = bpf_probe_read_kernel_str(s->data + (w->pos & EVENT_MASK), 256, (void *)*name_slot(s, w->depth - 1 - i));
	if (n > 0) {
		w->pos += (u32)n;
		s->data[(w->pos - 1) & EVENT_MASK] = '/'; /* the root's name is empty: this makes its slash */
	}
	return 0;
}

/* Writes `NAME=/PATH` with its NUL at `pos` of the scratch and returns its length. */
__noinline u32 push_cgroup(u64 css_address, u32 pos)
{
	struct cgroup_subsys_state *css = (void *)css_address;
	struct scratch *s = my_scratch();
	struct cgroup_walk w = {.node = BPF_CORE_READ(css, cgroup, kn)};
	long n;

	if (!s)
		return 0;
	n = bpf_probe_read_kernel_str(s->data + (pos & EVENT_MASK), 64, BPF_CORE_READ(css, ss, name));
	if (n <= 0)
		return 0;
	w.pos = pos + (u32)n;
	s->data[(w.pos - 1) & EVENT_MASK] = '=';
	bpf_loop(CGROUP_DEPTH, collect_name, &w, 0);
	if (w.node) { /* deeper than we follow: the path begins in the middle */
		s->data[w.pos & EVENT_MASK] = '/';
		w.pos++;
	}
	bpf_loop(w.depth, append_name, &w, 0);
	if (w.depth <= 1)
		w.pos++;
	if (w.pos - pos > MAX_CGROUP)
		w.pos = pos + MAX_CGROUP;
	s->data[(w.pos - 1) & EVENT_MASK] = 0;
	return w.pos - pos;
}

/* A subsystem's state of the task, as a number: functions that are verified apart take no typed pointers. */
static __always_inline u64 subsystem_state(struct task_struct *task, u32 which)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	u64 css = 0;

	bpf_probe_read_kernel(&css, sizeof(css), &set->subsys[which & 15]);
	return css;
}

#define PUSH_CGROUP(e, task, which)                                                                                    \
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, which##_cgrp_id))                                        \
		advance(e, push_cgroup(subsystem_state(task, bpf_core_enum_value(enum cgroup_subsys_id,                \
										 which##_cgrp_id)),                    \
				       (e)->pos) &                                                                     \
				   MAX_CGROUP)

/* The control groups of the subsystems that tell containers apart. */
static __always_inline void store_cgroups(struct event *e, struct task_struct *task)
{
	u32 start = e->pos;

	PUSH_CGROUP(e, task, cpuset);
	PUSH_CGROUP(e, task, cpu);
	PUSH_CGROUP(e, task, cpuacct);
	PUSH_CGROUP(e, task, io);
	PUSH_CGROUP(e, task, memory);
	param_len(e, e->pos - start);
}

/* Parameters 4 to 14 of clone and exec, the same in both. `faults` is whose page faults are told. */
static __always_inline void store_process(struct event *e, struct task_struct *task, struct task_struct *faults)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	store_s64(e, task->pid);			      /* tid */
	store_s64(e, task->tgid);			      /* pid */
	store_s64(e, BPF_CORE_READ(task, real_parent, pid));   /* ptid */
	store_empty(e);					      /* cwd */
	store_u64(e, BPF_CORE_READ(task, signal, rlim[7].rlim_cur)); /* fdlimit: RLIMIT_NOFILE */
	store_u64(e, faults->maj_flt);			      /* pgft_maj */
	store_u64(e, faults->min_flt);			      /* pgft_min */
	store_u32(e, vm_size(mm));			      /* vm_size */
	store_u32(e, vm_rss(mm));			      /* vm_rss */
	store_u32(e, vm_swap(mm));			      /* vm_swap */
	store_string_of(e, task->comm, 16, KERNEL);	      /* comm */
}
