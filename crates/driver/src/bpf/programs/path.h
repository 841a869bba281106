/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The last stage of events that end with a path: programs of calls put their parameters and leave the way up to the
 * root, the longest part of them by far, to one program that all of them call last.
 *
 *	CALL_WITH_PATH(fchdir, SYSCALL_FCHDIR_X)
 *	{
 *		store_s64(e, c->ret); // res
 *		*last = ...;
 *	}
 */
#pragma once

#include "form.h"

SEC("tp_btf/sys_exit") int stage_path(u64 *ctx)
{
	struct scratch *s = my_scratch();
	struct unfinished *u;
	struct event e = {};

	if (!s)
		return 0;
	u = unfinished_event(s->data);
	e.data = s->data;
	e.task = current_task();
	event_at(&e, u->pos);
	e.marks = u->marks;
	e.code = u->code;
	e.marks |= record_path(&e, RECORD_PATH, (void *)u->mnt, (void *)u->dentry);
	event_end(&e);
	return 0;
}
