/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The path of a file, from its dentry up through its mounts to the root that the task sees (as d_path does, which
 * tracepoints may not call). It is put together backwards in a corner of the scratch. No lock is taken: a rename
 * during the walk may show in the result, as it may in any name read without holding it.
 */
#pragma once

#include "../base/event.h"

#define PATH_BASE 0x18000 /* in the scratch's second half */
#define PATH_SIZE 0x1000
#define PATH_MASK (2 * PATH_SIZE - 1)
#define PATH_STEPS 1024

struct walk {
	struct dentry *dentry;
	struct dentry *mnt_root;
	struct mount *mount;
	struct dentry *stop;
	struct vfsmount *stop_mnt;
	u32 at; /* first byte of the path, counted from PATH_BASE; PATH_SIZE when there is none */
	u32 marks;
};

/* Neighbours in every kernel so far, so that one read brings them; else two. */
struct dentry_name {
	struct dentry *parent;
	u32 hash, len;
	const u8 *name;
};

static __always_inline void read_dentry_name(struct dentry_name *to, struct dentry *dentry)
{
	if (bpf_core_field_offset(struct dentry, d_name) == bpf_core_field_offset(struct dentry, d_parent) + 8) {
		bpf_probe_read_kernel(to, sizeof(*to), &dentry->d_parent);
	} else {
		bpf_core_read(&to->parent, sizeof(to->parent), &dentry->d_parent);
		bpf_probe_read_kernel(&to->hash, 16, &dentry->d_name);
	}
}

static __always_inline u8 *walk_at(struct scratch *s, u32 at)
{
	return s->data + PATH_BASE + (at & PATH_MASK);
}

/* From the root of a mount to the place where it is mounted; 1 at the topmost. */
static __always_inline long cross_mount(struct walk *w)
{
	struct mount *mount = w->mount;
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (parent == mount || !parent)
		return 1;
	w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
	w->mount = parent;
	w->mnt_root = BPF_CORE_READ(parent, mnt.mnt_root);
	return 0;
}

static long path_step(u32 index, void *ctx)
{
	struct walk *w = ctx;
	struct scratch *s = my_scratch();
	struct dentry_name name = {};
	u32 len;

	if (!s)
		return 1;

	if (w->dentry == w->stop && &w->mount->mnt == w->stop_mnt)
		return 1;
	if (w->dentry == w->mnt_root)
		return cross_mount(w);
	read_dentry_name(&name, w->dentry);
	if (name.parent == w->dentry || !name.parent)
		return 1;
	len = name.len & 0xff;
	if (w->at < len + 1) {
		w->marks |= MARK_PATH_CUT;
		return 1;
	}
	w->at -= len + 1;
	*walk_at(s, w->at) = '/';
	bpf_probe_read_kernel(walk_at(s, w->at + 1), len, name.name);
	w->dentry = name.parent;
	return 0;
}

/* A file without a place below a root (memfd, a detached mount) has its name alone, and so has the root itself. */
static __always_inline void bare_name(struct scratch *s, struct walk *w)
{
	struct dentry_name name = {};
	u32 len;

	read_dentry_name(&name, w->dentry);
	len = name.len & 0xff;
	w->at -= len;
	bpf_probe_read_kernel(walk_at(s, w->at), len, name.name);
}

/* Not static: the verifier looks at it once, whoever calls. */
__noinline int walk_up(struct walk *w)
{
	struct scratch *s = my_scratch();
	struct walk here;

	if (!w || !s)
		return 0;
	here = *w; /* the loop's context must lie on the stack */
	bpf_loop(PATH_STEPS, path_step, &here, 0);
	if (here.at == PATH_SIZE)
		bare_name(s, &here);
	*w = here;
	return 0;
}

/* Walks from a path up to the current task's root (or, on wish, to the root of all). */
static __always_inline void path_walk_to(struct vfsmount *mnt, struct dentry *dentry, struct walk *w, bool global)
{
	struct fs_struct *fs = ((struct task_struct *)bpf_get_current_task_btf())->fs;

	w->dentry = dentry;
	w->mount = container_of(mnt, struct mount, mnt);
	w->mnt_root = BPF_CORE_READ(mnt, mnt_root);
	w->stop = global || !fs ? NULL : fs->root.dentry;
	w->stop_mnt = global || !fs ? NULL : fs->root.mnt;
	w->at = PATH_SIZE;
	w->marks = 0;
	walk_up(w);
}

/* d_unlinked(): no longer in its directory. */
static __always_inline bool is_unlinked(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}
