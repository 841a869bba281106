/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Files that are no data: devices, pipes and sockets by name. */
#pragma once

#include "form.h"

/* Permissions, and the kind; none is a regular file. */
static __always_inline u32 node_mode(u32 mode)
{
	u32 kind = mode & S_IFMT;

	switch (kind) {
	case 0:
		kind = PPM_S_IFREG;
		break;
	case PPM_S_IFREG:
	case PPM_S_IFCHR:
	case PPM_S_IFBLK:
	case PPM_S_IFIFO:
	case PPM_S_IFSOCK:
		break;
	default:
		kind = 0;
	}
	return file_mode(mode) | kind;
}

/* int mknod(const char *filename, umode_t mode, unsigned int dev) */
CALL(mknod, SYSCALL_MKNOD_X)
{
	store_s64(e, c->ret);		    /* res */
	store_string(e, arg(c, 0));	    /* path */
	store_u32(e, node_mode(arg(c, 1))); /* mode */
	store_u32(e, arg(c, 2));	    /* dev */
}

/* int mknodat(int dfd, const char *filename, umode_t mode, unsigned int dev) */
CALL(mknodat, SYSCALL_MKNODAT_X)
{
	store_s64(e, c->ret);		    /* res */
	store_s64(e, dir_fd(arg(c, 0)));    /* dirfd */
	store_string(e, arg(c, 1));	    /* path */
	store_u32(e, node_mode(arg(c, 2))); /* mode */
	store_u32(e, arg(c, 3));	    /* dev */
}
