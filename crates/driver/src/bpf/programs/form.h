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

#define CALL(name, EVENT) CALL_IF(name, EVENT, true)

/* The same, for calls that a tracepoint tells of in other cases. */
#define CALL_IF(name, EVENT, condition)                                                                                              \
	static __always_inline void fill_##name(struct event *e, struct call *c);                                      \
	SEC("tp_btf/sys_exit") int sys_##name(u64 *ctx)                                                                \
	{                                                                                                              \
		struct task_struct *task = current_task();                                                             \
		struct call c = {.regs = (void *)ctx[0], .ret = ctx[1], .compat = is_compat(task)};                    \
		struct event e;                                                                                        \
                                                                                                                       \
		if (!(condition) || !event_begin(&e, EVENT, task))                                                     \
			return 0;                                                                                      \
		if (c.compat)                                                                                          \
			e.marks = MARK_COMPAT;                                                                         \
		fill_##name(&e, &c);                                                                                   \
		event_end(&e);                                                                                         \
		return 0;                                                                                              \
	}                                                                                                              \
	static __always_inline void fill_##name(struct event *e, struct call *c)
