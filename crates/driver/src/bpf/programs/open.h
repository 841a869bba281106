/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A file is opened: its path, device, inode and layer come from the kernel's struct file. */
#pragma once

#include "form.h"

/* Flags that tell of the file rather than of the call. */
static __always_inline u32 opened_flags(const struct opened *o)
{
	return (o->mode & FMODE_CREATED ? PPM_O_F_CREATED : 0) |
	       (o->layer == OVERLAY_UPPER ? PPM_FD_UPPER_LAYER : o->layer == OVERLAY_LOWER ? PPM_FD_LOWER_LAYER : 0);
}

static __always_inline void record_opened(struct event *e, const struct opened *o)
{
	u32 marks;

	if (!o->file)
		return;
	marks = record_path(e, RECORD_PATH, o->mnt, o->dentry);
	if (is_unlinked(o->dentry))
		marks |= MARK_UNLINKED;
	record_marks(e, marks);
}

/* int openat(int dfd, const char *filename, int flags, umode_t mode) */
CALL(openat, SYSCALL_OPENAT_2_X)
{
	u32 flags = arg(c, 2);
	struct opened o;

	look_at_fd(&o, c->ret);
	store_s64(e, c->ret);			     /* fd */
	store_s64(e, dir_fd(arg(c, 0)));	     /* dirfd */
	store_string(e, arg(c, 1));		     /* name */
	store_u32(e, open_flags(flags) | opened_flags(&o)); /* flags */
	store_u32(e, open_mode(flags, arg(c, 3)));   /* mode */
	store_u32(e, o.dev);			     /* dev */
	store_u64(e, o.ino);			     /* ino */
	record_opened(e, &o);
}
