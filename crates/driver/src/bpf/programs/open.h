/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A file is opened: its path, device, inode and layer come from the kernel's struct file. That is looked at first: the
 * verifier follows each later choice, such as where the arguments are, through all that comes after it.
 */
#pragma once

#include "form.h"

static __always_inline struct place place_of(const struct opened *o)
{
	return (struct place){.mnt = o->mnt, .dentry = o->dentry};
}

/* int open(const char *filename, int flags, umode_t mode) */
CALL_WITH_PATH(open, SYSCALL_OPEN_X)
{
	struct opened o;
	u32 flags;

	look_at_just_opened(&o, e->task, c->ret);
	flags = arg(c, 1);
	store_s64(e, c->ret);				    /* fd */
	store_string(e, arg(c, 0));			    /* name */
	store_u32(e, open_flags(flags) | o.flags); /* flags */
	store_u32(e, open_mode(flags, arg(c, 2)));	    /* mode */
	store_u32(e, o.dev);				    /* dev */
	store_u64(e, o.ino);				    /* ino */
	*last = place_of(&o);
}

/* int openat(int dfd, const char *filename, int flags, umode_t mode) */
CALL_WITH_PATH(openat, SYSCALL_OPENAT_2_X)
{
	struct opened o;
	u32 flags;

	look_at_just_opened(&o, e->task, c->ret);
	flags = arg(c, 2);
	store_s64(e, c->ret);				    /* fd */
	store_s64(e, dir_fd(arg(c, 0)));		    /* dirfd */
	store_string(e, arg(c, 1));			    /* name */
	store_u32(e, open_flags(flags) | o.flags); /* flags */
	store_u32(e, open_mode(flags, arg(c, 3)));	    /* mode */
	store_u32(e, o.dev);				    /* dev */
	store_u64(e, o.ino);				    /* ino */
	*last = place_of(&o);
}

/* int openat2(int dfd, const char *filename, struct open_how *how, size_t usize) */
CALL_WITH_PATH(openat2, SYSCALL_OPENAT2_X)
{
	struct {
		u64 flags, mode, resolve;
	} how = {};
	struct opened o;

	look_at_fd(&o, e->task, c->ret);
	bpf_probe_read_user(&how, sizeof(how), (void *)arg(c, 2));
	store_s64(e, c->ret);					/* fd */
	store_s64(e, dir_fd(arg(c, 0)));			/* dirfd */
	store_string(e, arg(c, 1));				/* name */
	store_u32(e, open_flags(how.flags) | o.flags); /* flags */
	store_u32(e, open_mode(how.flags, how.mode));		/* mode */
	store_u32(e, resolve_flags(how.resolve));		/* resolve */
	store_u32(e, o.dev);					/* dev */
	store_u64(e, o.ino);					/* ino */
	*last = place_of(&o);
}

/* int creat(const char *pathname, umode_t mode) */
CALL_WITH_PATH(creat, SYSCALL_CREAT_X)
{
	struct opened o;

	look_at_fd(&o, e->task, c->ret);
	store_s64(e, c->ret);			 /* fd */
	store_string(e, arg(c, 0));		 /* name */
	store_u32(e, open_mode(O_CREAT, arg(c, 1))); /* mode */
	store_u32(e, o.dev);			 /* dev */
	store_u64(e, o.ino);			 /* ino */
	store_u16(e, o.layer == OVERLAY_UPPER	? PPM_FD_UPPER_LAYER_CREAT
		     : o.layer == OVERLAY_LOWER ? PPM_FD_LOWER_LAYER_CREAT
						: 0); /* creat_flags */
	*last = place_of(&o);
}

/* int open_by_handle_at(int mountdirfd, struct file_handle *handle, int flags) */
CALL_WITH_PATH(open_by_handle_at, SYSCALL_OPEN_BY_HANDLE_AT_X)
{
	struct opened o;
	u32 flags;

	look_at_fd(&o, e->task, c->ret);
	flags = arg(c, 2);
	store_s64(e, c->ret);				    /* fd */
	store_s64(e, dir_fd(arg(c, 0)));		    /* mountfd */
	store_u32(e, open_flags(flags) | o.flags); /* flags */
	if (o.file)
		store_path(e, o.mnt, o.dentry); /* path */
	else
		store_empty(e);
	store_u32(e, o.dev); /* dev */
	store_u64(e, o.ino); /* ino */
	*last = place_of(&o);
}
