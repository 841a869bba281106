/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Names come, go and change: unlink, rename, link and symlink with their `at` forms. */
#pragma once

#include "form.h"

/* int unlink(const char *pathname) */
CALL(unlink, SYSCALL_UNLINK_2_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
}

/* int unlinkat(int dfd, const char *pathname, int flag) */
CALL(unlinkat, SYSCALL_UNLINKAT_2_X)
{
	store_s64(e, c->ret);			  /* res */
	store_s64(e, dir_fd(arg(c, 0)));	  /* dirfd */
	store_string(e, arg(c, 1));		  /* name */
	store_u32(e, arg(c, 2) & PPM_AT_REMOVEDIR); /* flags */
}

/* int rename(const char *oldname, const char *newname) */
CALL(rename, SYSCALL_RENAME_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* oldpath */
	store_string(e, arg(c, 1)); /* newpath */
}

/* int renameat(int olddfd, const char *oldname, int newdfd, const char *newname) */
CALL(renameat, SYSCALL_RENAMEAT_X)
{
	store_s64(e, c->ret);		 /* res */
	store_s64(e, dir_fd(arg(c, 0))); /* olddirfd */
	store_string(e, arg(c, 1));	 /* oldpath */
	store_s64(e, dir_fd(arg(c, 2))); /* newdirfd */
	store_string(e, arg(c, 3));	 /* newpath */
}

/* int renameat2(int olddfd, const char *oldname, int newdfd, const char *newname, unsigned int flags) */
CALL(renameat2, SYSCALL_RENAMEAT2_X)
{
	store_s64(e, c->ret);		 /* res */
	store_s64(e, dir_fd(arg(c, 0))); /* olddirfd */
	store_string(e, arg(c, 1));	 /* oldpath */
	store_s64(e, dir_fd(arg(c, 2))); /* newdirfd */
	store_string(e, arg(c, 3));	 /* newpath */
	store_u32(e, arg(c, 4));	 /* flags */
}

/* int link(const char *oldname, const char *newname) */
CALL(link, SYSCALL_LINK_2_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* oldpath */
	store_string(e, arg(c, 1)); /* newpath */
}

/* int linkat(int olddfd, const char *oldname, int newdfd, const char *newname, int flags) */
CALL(linkat, SYSCALL_LINKAT_2_X)
{
	store_s64(e, c->ret);						 /* res */
	store_s64(e, dir_fd(arg(c, 0)));				 /* olddir */
	store_string(e, arg(c, 1));					 /* oldpath */
	store_s64(e, dir_fd(arg(c, 2)));				 /* newdir */
	store_string(e, arg(c, 3));					 /* newpath */
	store_u32(e, arg(c, 4) & (PPM_AT_SYMLINK_FOLLOW | PPM_AT_EMPTY_PATH)); /* flags */
}

/* int symlink(const char *oldname, const char *newname) */
CALL(symlink, SYSCALL_SYMLINK_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* target */
	store_string(e, arg(c, 1)); /* linkpath */
}

/* int symlinkat(const char *oldname, int newdfd, const char *newname) */
CALL(symlinkat, SYSCALL_SYMLINKAT_X)
{
	store_s64(e, c->ret);		 /* res */
	store_string(e, arg(c, 0));	 /* target */
	store_s64(e, dir_fd(arg(c, 1))); /* linkdirfd */
	store_string(e, arg(c, 2));	 /* linkpath */
}
