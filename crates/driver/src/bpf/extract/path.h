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
	u64 mount;	       /* struct mount */
	u64 parent;	       /* ... the mount that it is mounted in */
	struct dentry *place;  /* ... where */
	struct dentry *top;    /* ... and its own root */
	struct dentry *stop;   /* the root that the task sees */
	u64 stop_mount;
	u32 at;	      /* first byte of the path, counted from PATH_BASE; PATH_SIZE when there is none */
	u32 marks;
	u32 unlinked; /* the file itself is no longer in its directory */
	u32 steps;
	u32 out; /* where in the event the path shall stand; moved behind it if it could be put there at once */
	u32 done;
};

/* Neighbours in every kernel so far, so that one read brings them; else one each. */
struct dentry_head {
	u64 hash_next, hash_pprev;
	struct dentry *parent;
	u32 hash, len;
	const u8 *name;
};

static __always_inline void read_dentry(struct dentry_head *to, struct dentry *dentry)
{
	u32 at = bpf_core_field_offset(struct dentry, d_hash);

	if (bpf_core_field_offset(struct dentry, d_parent) == at + 16 &&
	    bpf_core_field_offset(struct dentry, d_name) == at + 24) {
		bpf_probe_read_kernel(to, sizeof(*to), &dentry->d_hash);
	} else {
		bpf_core_read(&to->hash_next, 16, &dentry->d_hash);
		bpf_core_read(&to->parent, sizeof(to->parent), &dentry->d_parent);
		bpf_core_read(&to->hash, 16, &dentry->d_name);
	}
}

static __always_inline void enter_mount(struct walk *w, u64 address)
{
	struct mount *mount = (void *)address;
	u32 at = bpf_core_field_offset(struct mount, mnt_parent);
	u64 head[3] = {};

	if (bpf_core_field_offset(struct mount, mnt_mountpoint) == at + 8 &&
	    bpf_core_field_offset(struct mount, mnt.mnt_root) == at + 16) {
		bpf_probe_read_kernel(head, sizeof(head), &mount->mnt_parent);
	} else {
		bpf_core_read(&head[0], 8, &mount->mnt_parent);
		bpf_core_read(&head[1], 8, &mount->mnt_mountpoint);
		bpf_core_read(&head[2], 8, &mount->mnt.mnt_root);
	}
	w->mount = address;
	w->parent = head[0];
	w->place = (void *)head[1];
	w->top = (void *)head[2];
}

static __always_inline u8 *walk_at(struct scratch *s, u32 at)
{
	return s->data + PATH_BASE + (at & PATH_MASK);
}

static long path_step(u32 index, void *ctx)
{
	struct walk *w = ctx;
	struct scratch *s = my_scratch();
	struct dentry_head head = {};
	u32 len;

	if (!s || (w->dentry == w->stop && w->mount == w->stop_mount))
		return 1;
	if (w->dentry == w->top) { /* on to the place where it is mounted */
		if (w->parent == w->mount || !w->parent)
			return 1;
		w->dentry = w->place;
		enter_mount(w, w->parent);
		return 0;
	}
	read_dentry(&head, w->dentry);
	if (!w->steps)
		w->unlinked = !head.hash_pprev && head.parent != w->dentry;
	w->steps = 1;
	if (head.parent == w->dentry || !head.parent)
		return 1;
	len = head.len & 0xff;
	if (w->at < len + 1) {
		w->marks |= MARK_PATH_CUT;
		return 1;
	}
	w->at -= len + 1;
	*walk_at(s, w->at) = '/';
	bpf_probe_read_kernel(walk_at(s, w->at + 1), len, head.name);
	w->dentry = head.parent;
	return 0;
}

/*
 * The common case, without a detour: few components, all in the mount of the task's root. Each dentry's first bytes are
 * read once, its short name with them, into a slot of the scratch; then the names are put together forwards, where they
 * belong. Returning from a helper is dear on some processors, so that one call a component counts.
 */
#define SLOTS 12 /* at most 16 */
#define SLOT_BASE 0x1f000 /* in the scratch's second half */
#define SLOT_SIZE 128
#define SLOT_COPY 112 /* at most; behind it the dentry's address */
#define SHORT_NAME 40

/* A slot's copy of a dentry is read as the dentry itself, its fields where this kernel has them. */
static __always_inline u8 *short_name(struct dentry *dentry)
{
	return bpf_core_field_exists(dentry->d_iname) ? (u8 *)&dentry->d_iname
						      : (u8 *)&((struct dentry___v6_12 *)dentry)->d_shortname;
}

static __always_inline u32 short_name_at(void)
{
	return bpf_core_field_exists(((struct dentry *)0)->d_iname)
		       ? bpf_core_field_offset(struct dentry, d_iname)
		       : bpf_core_field_offset(struct dentry___v6_12, d_shortname);
}

/* Bytes of a dentry that are looked at. */
static __always_inline u32 dentry_copy(void)
{
	return short_name_at() + SHORT_NAME;
}

/* Copies whole words: what it writes too much, the next component or record overwrites. */
static __always_inline void put_short_name(u8 *to, u8 *from)
{
	for (u32 i = 0; i < SHORT_NAME; i += 8)
		*(u64 *)(to + i) = *(u64 *)(from + i);
}

/* The same value, by a way through memory: the verifier knows nothing of it any more. */
static __always_inline u32 forget(u8 *slots, u32 value)
{
	volatile u32 *place = (volatile u32 *)(slots + SLOT_COPY + 8);

	*place = value;
	return *place;
}

/* Appends `/` and the name that a slot's dentry has, and returns where it ends. The length is read again wherever it is
 * used: of one that it compared, the verifier would remember the outcome. */
static __always_inline u32 put_name(struct scratch *s, u8 *slots, u8 *slot, u32 out)
{
	struct dentry *dentry = (struct dentry *)slot;
	volatile u32 *len = (volatile u32 *)&dentry->d_name.len;
	u64 name = (u64)dentry->d_name.name;
	u8 *to = s->data + (out & EVENT_MASK);

	to[0] = '/';
	if (name == *(u64 *)(slot + SLOT_COPY) + short_name_at() && *len < SHORT_NAME)
		put_short_name(to + 1, short_name(dentry));
	else
		bpf_probe_read_kernel(to + 1, *len & 0xff, (void *)name);
	return forget(slots, out + 1 + (*len & 0xff));
}

static __always_inline bool walk_short(struct scratch *s, struct walk *w)
{
	u32 depth, i, out = w->out;
	u64 step = (u64)w->dentry, stop = (u64)w->stop;
	u8 *slots = s->data + SLOT_BASE;

	if (w->mount != w->stop_mount || step == stop ||
	    bpf_core_field_offset(struct dentry, d_name) + 16 > dentry_copy() || dentry_copy() > SLOT_COPY)
		return false;
	for (depth = 0; depth < SLOTS && step != stop; depth++) {
		u8 *slot = slots + depth * SLOT_SIZE;

		bpf_probe_read_kernel(slot, dentry_copy(), (void *)step);
		*(u64 *)(slot + SLOT_COPY) = step;
		step = (u64)((struct dentry *)slot)->d_parent;
	}
	if (step != stop)
		return false;
	/* The verifier forgets which of the depths it was and walks the second loop once. */
	depth = forget(slots, depth);
	for (i = 0; i < SLOTS && depth; i++) {
		depth--;
		out = put_name(s, slots, slots + (depth & 15) * SLOT_SIZE, out);
	}
	w->unlinked = !((struct dentry *)slots)->d_hash.pprev;
	w->out = out;
	w->done = 1;
	return true;
}

/* A file without a place below a root (memfd, a detached mount) has its name alone, and so has the root itself. */
static __always_inline void bare_name(struct scratch *s, struct walk *w)
{
	struct dentry_head head = {};
	u32 len;

	read_dentry(&head, w->dentry);
	len = head.len & 0xff;
	w->at -= len;
	bpf_probe_read_kernel(walk_at(s, w->at), len, head.name);
}

/* Not static: the verifier looks at it once, whoever calls. */
__noinline int walk_up(struct walk *w)
{
	struct scratch *s = my_scratch();
	struct walk here;

	if (!w || !s)
		return 0;
	here = *w; /* the loop's context must lie on the stack */
	enter_mount(&here, here.mount);
	bpf_loop(PATH_STEPS, path_step, &here, 0);
	if (here.at == PATH_SIZE)
		bare_name(s, &here);
	*w = here;
	return 0;
}

static __always_inline void walk_from(struct walk *w, struct vfsmount *mnt, struct dentry *dentry)
{
	__builtin_memset(w, 0, sizeof(*w));
	w->dentry = dentry;
	w->mount = (u64)mnt - bpf_core_field_offset(struct mount, mnt);
	w->at = PATH_SIZE;
}

/* Walks from a path up to the task's root. `out` is where in the event the path shall stand. It is put there if it is
 * a short one, else left in the scratch's corner. */
static __always_inline void walk_to_root(struct task_struct *task, struct vfsmount *mnt, struct dentry *dentry,
					 struct walk *w, u32 out)
{
	struct scratch *s = my_scratch();
	struct fs_struct *fs = task->fs;

	walk_from(w, mnt, dentry);
	if (fs) {
		w->stop = fs->root.dentry;
		w->stop_mount = (u64)fs->root.mnt - bpf_core_field_offset(struct mount, mnt);
	}
	w->out = out;
	if (s && !walk_short(s, w))
		walk_up(w);
}

/* Walks up to the root of all, whatever the task sees; leaves the path in the scratch's corner. */
static __always_inline void walk_to_top(struct vfsmount *mnt, struct dentry *dentry, struct walk *w)
{
	walk_from(w, mnt, dentry);
	walk_up(w);
}
