/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The form of a system call's program. CALL(name, EVENT) opens its body, which stores each parameter in the order of
 * the event table with one line; the rest (header, thread group, 32-bit mark, hand-over) is around it.
 *
 *	// int dup(unsigned int fildes)
 *	CALL(dup, SYSCALL_DUP_1_X)
 *	{
 *		store_s64(e, c->ret);          // res
 *		store_s64(e, (s32)arg(c, 0));  // oldfd
 *	}
 */
#pragma once

#include "../base/compat.h"
#include "../base/scope.h"
#include "../extract/file.h"
#include "../extract/flags.h"
#include "../store/params.h"
#include "../store/records.h"

/* What every event says of its thread. */
static __always_inline void event_end(struct event *e)
{
	record_tgid(e, e->task->tgid);
	record_cgroup(e);
	record_marks(e);
	event_submit(e);
}

/* Where a path begins. */
struct place {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

#define UNFINISHED_BASE 0x1d200 /* in the scratch's second half */

/* An event whose parameters are stored, on its way to the next stage. */
struct unfinished {
	u64 mnt, dentry;
	u32 pos, marks;
	u16 code;
};

static __always_inline struct unfinished *unfinished_event(u8 *data)
{
	return (struct unfinished *)(data + UNFINISHED_BASE);
}

/* The event's end, after a record of this path, if there is one; on with the stage `path` (path.h). */
static __always_inline void event_end_with_path(void *ctx, struct event *e, struct place *place)
{
	if (place->dentry) {
		struct unfinished *u = unfinished_event(e->data);

		u->mnt = (u64)place->mnt;
		u->dentry = (u64)place->dentry;
		u->pos = e->pos;
		u->marks = e->marks;
		u->code = e->code;
		bpf_tail_call(ctx, &programs, STAGE_PATH);
	}
	event_end(e);
}

#define CALL(name, EVENT) CALL_IF(name, EVENT, true)

/* The same, for calls that a tracepoint tells of in other cases. */
#define CALL_IF(name, EVENT, condition)                                                                                \
	static __always_inline void fill_##name(struct event *e, struct call *c);                                      \
	PROGRAM(name, condition, event_begin(&e, EVENT, task), fill_##name(&e, &c), event_end(&e))                     \
	static __always_inline void fill_##name(struct event *e, struct call *c)

/* The same, for calls whose event ends with a path: the body says which by setting `*last`. */
#define CALL_WITH_PATH(name, EVENT)                                                                                    \
	static __always_inline void fill_##name(struct event *e, struct call *c, struct place *last);                  \
	PROGRAM(name, true, event_begin(&e, EVENT, task), struct place last = {}; fill_##name(&e, &c, &last),          \
		event_end_with_path(ctx, &e, &last))                                                                   \
	static __always_inline void fill_##name(struct event *e, struct call *c, struct place *last)

/* One program for calls that differ little, to be loaded once (load.rs, SHARED). `which` says whose
 * event it is, FIRST whose parameters it has; the body asks event_code() for it. */
#define CALLS_IF(name, FIRST, which, condition)                                                                        \
	static __always_inline void fill_##name(struct event *e, struct call *c);                                      \
	PROGRAM(name, condition, event_begin_as(&e, which, PPME_##FIRST##_PARAMS, task), fill_##name(&e, &c),           \
		e.code = event_code(&e); event_end(&e))                                                                \
	static __always_inline void fill_##name(struct event *e, struct call *c)

#define PROGRAM(name, condition, begin, fill, end)                                                                     \
	SEC("tp_btf/sys_exit") int sys_##name(u64 *ctx)                                                                \
	{                                                                                                              \
		struct task_struct *task = current_task();                                                             \
		struct call c = {.ctx = ctx, .regs = (void *)ctx[0], .ret = ctx[1], .task = task};                     \
		struct event e;                                                                                        \
                                                                                                                       \
		if (!(condition) || !begin)                                                                            \
			return 0;                                                                                      \
		e.marks = compat(&c) * MARK_COMPAT;                                                                    \
		fill;                                                                                                  \
		end;                                                                                                   \
		return 0;                                                                                              \
	}
