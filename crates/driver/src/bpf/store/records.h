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
	push_u64(e, current_task()->cgroups->dfl_cgrp->kn->id);
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

	path_walk_to(mnt, dentry, &w, start, false);
	len = w.done ? w.out - start : (PATH_SIZE - w.at) & PATH_MASK;
	if (len) {
		record_begin(e, tag, len);
		if (w.done)
			e->pos += len;
		else
			push_bytes(e, e->data + PATH_BASE + (w.at & PATH_MASK), len, KERNEL);
	}
	return w.marks | (w.unlinked ? MARK_UNLINKED : 0);
}

#define FAST_STEPS 24

/*
 * The same for typed pointers, in the common case: few components, all in the mount of the task's root. The dentries
 * are walked twice, first for the length, then to put each name where it belongs; a loop without calls costs little
 * where each return from a helper is dear. False, and nothing written, if the case is another one.
 */
static __always_inline bool record_path_typed(struct event *e, u16 tag, struct file *file)
{
	struct fs_struct *fs = current_task()->fs;
	struct dentry *dentry = file->f_path.dentry, *stop = fs->root.dentry, *step = dentry;
	u32 len = 0, at, i;

	if (file->f_path.mnt != fs->root.mnt || dentry == stop)
		return false;
	for (i = 0; i < FAST_STEPS && step != stop; i++) {
		len += step->d_name.len + 1;
		step = step->d_parent;
	}
	if (step != stop || len > PATH_SIZE)
		return false;
	record_begin(e, tag, len);
	at = e->pos + len;
	step = dentry;
	for (i = 0; i < FAST_STEPS && step != stop; i++) {
		u32 n = step->d_name.len & 0xff;

		at -= n + 1;
		e->data[at & EVENT_MASK] = '/';
		bpf_probe_read_kernel(e->data + ((at + 1) & EVENT_MASK), n, step->d_name.name);
		step = step->d_parent;
	}
	if (at != e->pos) { /* renamed meanwhile */
		e->pos -= 4;
		return false;
	}
	e->pos += len;
	return true;
}

/* The same as a parameter, NUL at its end, seen from the root of all as upstream walks. */
static __always_inline u32 store_path(struct event *e, struct vfsmount *mnt, struct dentry *dentry)
{
	struct walk w;
	u32 len;

	path_walk_to(mnt, dentry, &w, 0, true);
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
