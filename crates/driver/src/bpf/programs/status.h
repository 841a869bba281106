/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a file is, may a program use it, what is in a directory: questions that change nothing. */
#pragma once

#include "form.h"

/* int stat(const char *filename, struct stat *statbuf) */
CALL(stat, SYSCALL_STAT_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
}

/* int lstat(const char *filename, struct stat *statbuf) */
CALL(lstat, SYSCALL_LSTAT_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
}

/* int fstat(unsigned int fd, struct stat *statbuf) */
CALL(fstat, SYSCALL_FSTAT_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
}

/* int newfstatat(int dfd, const char *filename, struct stat *statbuf, int flag) */
CALL(newfstatat, SYSCALL_NEWFSTATAT_X)
{
	store_s64(e, c->ret);		 /* res */
	store_s64(e, dir_fd(arg(c, 0))); /* dirfd */
	store_string(e, arg(c, 1));	 /* path */
	store_u32(e, arg(c, 3) & (PPM_AT_SYMLINK_NOFOLLOW | PPM_AT_EMPTY_PATH | PPM_AT_NO_AUTOMOUNT)); /* flags */
}

/* int access(const char *filename, int mode) */
CALL(access, SYSCALL_ACCESS_X)
{
	store_s64(e, c->ret);						    /* res */
	store_string(e, arg(c, 0));					    /* name */
	store_u32(e, arg(c, 1) & (PPM_R_OK | PPM_W_OK | PPM_X_OK)); /* mode */
}

/* int getdents(unsigned int fd, struct linux_dirent *dirent, unsigned int count) */
CALL(getdents, SYSCALL_GETDENTS_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
}

/* int getdents64(unsigned int fd, struct linux_dirent64 *dirent, unsigned int count) */
CALL(getdents64, SYSCALL_GETDENTS64_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
}
