/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What stands behind a descriptor: the kernel's own file, its inode, its layer of an overlay. */
#pragma once

#include "../maps.h"

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
	u8 layer; /* 0: no overlay, else PPM_OVERLAY_* */
};

enum { NOT_OVERLAY, OVERLAY_UPPER, OVERLAY_LOWER };

/* The current task's file of that number, or NULL. */
static __always_inline struct file *file_of_fd(s32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
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

/* new_encode_dev() */
static __always_inline u32 encode_dev(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

/* struct ovl_inode begins with the vfs inode in no kernel: the upper dentry follows it. fs/overlayfs/ovl_entry.h has
 * `struct inode vfs_inode; struct dentry *__upperdentry;`. */
static __always_inline u8 overlay_layer(struct dentry *dentry)
{
	struct inode *inode;
	struct dentry *upper = NULL;

	if (BPF_CORE_READ(dentry, d_sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
		return NOT_OVERLAY;
	inode = BPF_CORE_READ(dentry, d_inode);
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	if (upper && BPF_CORE_READ(upper, d_inode, i_ino))
		return OVERLAY_UPPER;
	return OVERLAY_LOWER;
}

/* BPF_CORE_READ takes every access inside its argument for the kernel's: hand it variables, not our own fields. */
/* Not static: the verifier looks at it once, whoever calls. */
__noinline int look_at_file(struct opened *o, u64 address)
{
	struct file *file = (void *)address;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	struct path path = {};

	if (!o)
		return 0;
	bpf_core_read(&path, sizeof(path), &file->f_path);
	o->file = file;
	o->mnt = path.mnt;
	o->dentry = path.dentry;
	o->inode = inode;
	o->mode = BPF_CORE_READ(file, f_mode);
	o->ino = BPF_CORE_READ(inode, i_ino);
	o->dev = encode_dev(BPF_CORE_READ(sb, s_dev));
	o->layer = overlay_layer(path.dentry);
	return 0;
}

/* Looks behind a descriptor; all zero for none. */
static __always_inline void look_at_fd(struct opened *o, s32 fd)
{
	struct file *file = file_of_fd(fd);

	__builtin_memset(o, 0, sizeof(*o));
	if (file)
		look_at_file(o, (u64)file);
}

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define SOCKFS_MAGIC 0x534F434B

/* The socket behind a descriptor, or NULL. A socket's inode is in sockfs, whatever its file is called. */
static __always_inline struct sock *sock_of_fd(s32 fd)
{
	struct file *file = file_of_fd(fd);
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
