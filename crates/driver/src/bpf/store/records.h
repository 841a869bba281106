/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Peregrine's own records behind the last parameter: u16 tag, u16 length, bytes (crates/event/src/record.rs).
 * Every event names its thread group; the others are for those that have them.
 */
#pragma once

#include "../base/call.h"
#include "../extract/path.h"
#include "params.h"

static __always_inline void record_begin(struct event *e, u16 tag, u16 len)
{
	if (!e->tail) {
		push_u32(e, RECORD_MAGIC);
		e->tail = 1;
	}
	push_u16(e, tag);
	push_u16(e, len);
}

static __always_inline void record_tgid(struct event *e, u32 tgid)
{
	record_begin(e, RECORD_TGID, 4);
	push_u32(e, tgid);
}

static __always_inline void record_cgroup(struct event *e)
{
	record_begin(e, RECORD_CGROUPID, 8);
	push_u64(e, bpf_get_current_cgroup_id());
}

static __always_inline void record_marks(struct event *e)
{
	if (e->marks) {
		record_begin(e, RECORD_MARKS, 4);
		push_u32(e, e->marks);
	}
}

/* A path as the kernel knows it, seen from the task's root. The marks tell what it lacks. */
static __always_inline u32 record_path(struct event *e, u16 tag, struct vfsmount *mnt, struct dentry *dentry)
{
	u32 start = e->pos + (e->tail ? 4 : 8); /* behind the record's own head */
	struct walk w;
	u32 len;

	walk_to_root(e->task, mnt, dentry, &w, start);
	len = w.done ? w.out - start : (PATH_SIZE - w.at) & PATH_MASK;
	if (len) {
		record_begin(e, tag, len);
		if (w.done)
			event_at(e, e->pos + len);
		else
			push_bytes(e, e->data + PATH_BASE + (w.at & PATH_MASK), len, KERNEL);
	}
	return w.marks | (w.unlinked ? MARK_UNLINKED : 0);
}

/* The same as a parameter, NUL at its end, seen from the root of all as upstream walks. */
static __always_inline u32 store_path(struct event *e, struct vfsmount *mnt, struct dentry *dentry)
{
	struct walk w;
	u32 len;

	walk_to_top(mnt, dentry, &w);
	len = push_bytes(e, e->data + PATH_BASE + (w.at & PATH_MASK), (PATH_SIZE - w.at) & PATH_MASK, KERNEL);
	push_u8(e, 0);
	param_len(e, len + 1);
	return w.marks | (w.unlinked ? MARK_UNLINKED : 0);
}

/* Device and inode of a file, where no parameter has them. */
static __always_inline void record_file(struct event *e, u32 dev, u64 ino)
{
	record_begin(e, RECORD_FILE, 12);
	push_u32(e, dev);
	push_u64(e, ino);
}
