/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Who may do what with a file: chmod and chown with their forms. */
#pragma once

#include "form.h"

/* int chmod(const char *filename, umode_t mode) */
CALL(chmod, SYSCALL_CHMOD_X)
{
	store_s64(e, c->ret);		    /* res */
	store_string(e, arg(c, 0));	    /* filename */
	store_u32(e, file_mode(arg(c, 1))); /* mode */
}

/* int fchmod(unsigned int fd, umode_t mode) */
CALL(fchmod, SYSCALL_FCHMOD_X)
{
	store_s64(e, c->ret);		    /* res */
	store_s64(e, (s32)arg(c, 0));	    /* fd */
	store_u32(e, file_mode(arg(c, 1))); /* mode */
}

/* int fchmodat(int dfd, const char *filename, umode_t mode) */
CALL(fchmodat, SYSCALL_FCHMODAT_X)
{
	store_s64(e, c->ret);		    /* res */
	store_s64(e, dir_fd(arg(c, 0)));    /* dirfd */
	store_string(e, arg(c, 1));	    /* filename */
	store_u32(e, file_mode(arg(c, 2))); /* mode */
}

/* int chown(const char *filename, uid_t user, gid_t group) */
CALL(chown, SYSCALL_CHOWN_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
	store_u32(e, id_arg(c, 1));    /* uid */
	store_u32(e, id_arg(c, 2));    /* gid */
}

/* int lchown(const char *filename, uid_t user, gid_t group) */
CALL(lchown, SYSCALL_LCHOWN_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
	store_u32(e, id_arg(c, 1));    /* uid */
	store_u32(e, id_arg(c, 2));    /* gid */
}

/* int fchown(unsigned int fd, uid_t user, gid_t group) */
CALL(fchown, SYSCALL_FCHOWN_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, id_arg(c, 1));      /* uid */
	store_u32(e, id_arg(c, 2));      /* gid */
}

/* int fchownat(int dfd, const char *filename, uid_t user, gid_t group, int flag) */
CALL(fchownat, SYSCALL_FCHOWNAT_X)
{
	store_s64(e, c->ret);		 /* res */
	store_s64(e, dir_fd(arg(c, 0))); /* dirfd */
	store_string(e, arg(c, 1));	 /* pathname */
	store_u32(e, arg(c, 2));	 /* uid */
	store_u32(e, arg(c, 3));	 /* gid */
	store_u32(e, arg(c, 4) & (PPM_AT_SYMLINK_FOLLOW | PPM_AT_EMPTY_PATH)); /* flags */
}
