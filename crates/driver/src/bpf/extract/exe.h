/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The executed file: may its task write it, is it of an overlay's upper layer, does it live in memory only? */
#pragma once

#include "file.h"
#include "task.h"

#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFLNK 0120000
#define MAY_WRITE 2
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define ID_EXTENTS 5
#define GROUP_STEPS 17

/* in_group_p(): a binary search of at most 65536 supplementary groups. */
struct search {
	u64 gids;
	u32 gid, left, right, found;
};

static long search_step(u32 index, void *ctx)
{
	struct search *s = ctx;
	u32 middle = (s->left + s->right) / 2, value = 0;

	if (s->left >= s->right)
		return 1;
	bpf_probe_read_kernel(&value, sizeof(value), (void *)(s->gids + 4 * (u64)middle));
	if (value == s->gid) {
		s->found = 1;
		return 1;
	}
	if (value < s->gid)
		s->left = middle + 1;
	else
		s->right = middle;
	return 0;
}

static __always_inline bool in_groups(const struct cred *cred, u32 gid)
{
	struct group_info *info = BPF_CORE_READ(cred, group_info);
	struct search s = {.gid = gid, .right = BPF_CORE_READ(info, ngroups)};

	s.gids = (u64)info + bpf_core_field_offset(struct group_info, gid);
	bpf_loop(GROUP_STEPS, search_step, &s, 0);
	return s.found;
}

/* Has the id a number in that user namespace? Maps of more than five extents are looked at for these only. */
static __always_inline bool id_mapped(struct uid_gid_map *map, u32 id)
{
	u32 extents = BPF_CORE_READ(map, nr_extents);

	for (u32 i = 0; i < ID_EXTENTS; i++) {
		u32 first, count;

		if (i >= extents)
			break;
		first = BPF_CORE_READ(map, extent[i].lower_first);
		count = BPF_CORE_READ(map, extent[i].count);
		if (id >= first && id <= first + count - 1)
			return true;
	}
	return false;
}

/* inode_permission(MAY_WRITE) of the current task as far as it can be told without locks: no ACLs, no security
 * modules. */
static __always_inline bool exe_writable(struct inode *inode)
{
	struct task_struct *task = current_task();
	u32 mode = BPF_CORE_READ(inode, i_mode), type = mode & S_IFMT;
	u32 uid = BPF_CORE_READ(inode, i_uid.val), gid = BPF_CORE_READ(inode, i_gid.val);
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct user_namespace *ns;
	u64 caps;

	if (BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY &&
	    (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
		return false;
	if (BPF_CORE_READ(inode, i_flags) & S_IMMUTABLE)
		return false;
	if (uid == (u32)-1 || gid == (u32)-1)
		return false;
	if (BPF_CORE_READ(cred, fsuid.val) == uid)
		return true;
	if (BPF_CORE_READ(cred, fsgid.val) == gid || in_groups(cred, gid))
		mode >>= 3;
	if (mode & MAY_WRITE)
		return true;
	ns = BPF_CORE_READ(cred, user_ns);
	caps = task_caps(task, CAPS_EFFECTIVE);
	if (!ns || !id_mapped(&ns->uid_map, uid))
		return false;
	if (caps & (1 << CAP_FOWNER))
		return true;
	return (caps & (1 << CAP_DAC_OVERRIDE)) != 0 && id_mapped(&ns->gid_map, gid);
}

/* memfd_create() names its files `memfd:NAME`, with no directory above. */
static __always_inline bool from_memfd(struct dentry *dentry)
{
	const u8 *name = BPF_CORE_READ(dentry, d_name.name);
	u8 head[6] = {};

	if (BPF_CORE_READ(dentry, d_parent) != dentry || bpf_probe_read_kernel(head, sizeof(head), name))
		return false;
	return head[0] == 'm' && head[1] == 'e' && head[2] == 'm' && head[3] == 'f' && head[4] == 'd' && head[5] == ':';
}

/* PPM_EXE_* of the current task's executed file. Not static: the verifier looks at it once, whoever calls. */
__noinline u32 exe_flags(u64 inode, u64 dentry, u32 layer)
{
	u32 flags = exe_writable((struct inode *)inode) ? PPM_EXE_WRITABLE : 0;

	if (layer == OVERLAY_UPPER)
		flags |= PPM_EXE_UPPER_LAYER;
	else if (layer == OVERLAY_LOWER)
		flags |= PPM_EXE_LOWER_LAYER;
	return from_memfd((struct dentry *)dentry) ? flags | PPM_EXE_FROM_MEMFD : flags;
}
