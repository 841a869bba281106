/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What stands behind a descriptor: the kernel's own file, its inode, its layer of an overlay. */
#pragma once

#include "../base/event.h"
#include "flags.h"

#define FMODE_CREATED 0x100000

/* What the programs want of an open file. */
struct opened {
	struct file *file;
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct inode *inode;
	u32 mode;
	u32 dev; /* as user space encodes it */
	u64 ino;
	u8 layer;  /* of an overlay */
	u32 flags; /* those of an open event that tell of the file rather than of the call */
};

enum { NOT_OVERLAY, OVERLAY_UPPER, OVERLAY_LOWER };

/* The task's file of that number, or NULL: for calls that are made all the time, read without the helper. */
static __always_inline struct file *file_just_opened(struct task_struct *task, s32 fd)
{
	struct files_struct *files = task->files;
	struct fdtable *fdt;
	struct file *file = NULL;

	if (fd < 0 || !files)
		return NULL;
	fdt = files->fdt;
	if (!fdt || (u32)fd >= fdt->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

/* The same for all other calls; see task.h for why there are two ways. */
static __always_inline struct file *file_of_fd(struct task_struct *task, s32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (fd >= 0 && (u32)fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(fdt, fd) + fd);
	return file;
}

/* new_encode_dev() */
static __always_inline u32 encode_dev(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

/*
 * Neighbouring fields of one object are read with one call: its first bytes go to the scratch, and FIELD takes them from
 * there. A kernel that has a field further behind gets a read of its own; which of the two it is, is known when the
 * program is loaded.
 */
#define COPY_BASE 0x1e000 /* in the scratch's second half */
#define FILE_COPY 80
#define INODE_COPY 72
#define SUPER_COPY 104

#define FIELD(copy, size, object, type, field)                                                                         \
	({                                                                                                             \
		typeof(((type *)0)->field) value = 0;                                                                  \
		u32 at = bpf_core_field_offset(type, field);                                                           \
                                                                                                                       \
		if (at + sizeof(value) <= (size))                                                                      \
			value = *(typeof(value) *)((copy) + at);                                                       \
		else                                                                                                   \
			bpf_probe_read_kernel(&value, sizeof(value), (void *)(object) + at);                           \
		value;                                                                                                 \
	})

/* An overlay's inode is followed by the dentry of the upper layer, NULL if the file is of a lower one:
 * fs/overlayfs/ovl_entry.h, `struct inode vfs_inode; struct dentry *__upperdentry;`. */
static __always_inline u8 overlay_layer(struct inode *inode)
{
	struct dentry *upper = NULL;

	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	if (upper && BPF_CORE_READ(upper, d_inode, i_ino))
		return OVERLAY_UPPER;
	return OVERLAY_LOWER;
}

/* Not static: the verifier looks at it once, whoever calls. */
__noinline int look_at_file(struct opened *o, u64 file)
{
	struct scratch *s = my_scratch();
	struct inode *inode;
	u64 super;
	u8 *copy;

	if (!o || !s || !file)
		return 0;
	copy = s->data + COPY_BASE;
	bpf_probe_read_kernel(copy, FILE_COPY, (void *)file);
	o->file = (void *)file;
	o->mnt = FIELD(copy, FILE_COPY, file, struct file, f_path.mnt);
	o->dentry = FIELD(copy, FILE_COPY, file, struct file, f_path.dentry);
	o->mode = FIELD(copy, FILE_COPY, file, struct file, f_mode);
	inode = FIELD(copy, FILE_COPY, file, struct file, f_inode);
	o->inode = inode;
	copy += FILE_COPY;
	bpf_probe_read_kernel(copy, INODE_COPY, inode);
	o->ino = FIELD(copy, INODE_COPY, inode, struct inode, i_ino);
	super = (u64)FIELD(copy, INODE_COPY, inode, struct inode, i_sb);
	copy += INODE_COPY;
	bpf_probe_read_kernel(copy, SUPER_COPY, (void *)super);
	o->dev = encode_dev(FIELD(copy, SUPER_COPY, super, struct super_block, s_dev));
	if (FIELD(copy, SUPER_COPY, super, struct super_block, s_magic) == OVERLAYFS_SUPER_MAGIC)
		o->layer = overlay_layer(inode);
	o->flags = BIT_TO(o->mode, FMODE_CREATED, PPM_O_F_CREATED) |
		   (o->layer == OVERLAY_UPPER   ? PPM_FD_UPPER_LAYER
		    : o->layer == OVERLAY_LOWER ? PPM_FD_LOWER_LAYER
						: 0);
	return 0;
}

/* Looks behind a descriptor; all zero for none. That there is none is not asked here: the verifier would go on twice. */
static __always_inline void look_at_fd(struct opened *o, struct task_struct *task, s32 fd)
{
	__builtin_memset(o, 0, sizeof(*o));
	look_at_file(o, (u64)file_of_fd(task, fd));
}

/* The same for calls that are made all the time. */
static __always_inline void look_at_just_opened(struct opened *o, struct task_struct *task, s32 fd)
{
	__builtin_memset(o, 0, sizeof(*o));
	look_at_file(o, (u64)file_just_opened(task, fd));
}

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define SOCKFS_MAGIC 0x534F434B

/* The socket behind a descriptor, or NULL. A socket's inode is in sockfs, whatever its file is called. */
static __always_inline struct sock *sock_of_fd(struct task_struct *task, s32 fd)
{
	struct file *file = file_of_fd(task, fd);
	struct socket *socket;
	struct inode *inode;

	if (!file)
		return NULL;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK || BPF_CORE_READ(inode, i_sb, s_magic) != SOCKFS_MAGIC)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}
