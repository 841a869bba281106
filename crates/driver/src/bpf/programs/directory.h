/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Directories are made, removed, and become somebody's current or root directory. */
#pragma once

#include "form.h"

/* int mkdir(const char *pathname, umode_t mode) */
CALL(mkdir, SYSCALL_MKDIR_2_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
	store_u32(e, arg(c, 1));    /* mode */
}

/* int mkdirat(int dfd, const char *pathname, umode_t mode) */
CALL(mkdirat, SYSCALL_MKDIRAT_X)
{
	store_s64(e, c->ret);		 /* res */
	store_s64(e, dir_fd(arg(c, 0))); /* dirfd */
	store_string(e, arg(c, 1));	 /* path */
	store_u32(e, arg(c, 2));	 /* mode */
}

/* int rmdir(const char *pathname) */
CALL(rmdir, SYSCALL_RMDIR_2_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
}

/* The directory that the task is now in. */
static __always_inline struct place new_cwd(struct event *e, struct call *c)
{
	struct task_struct *task = e->task;
	struct place cwd = {};

	if (c->ret == 0) {
		cwd.mnt = BPF_CORE_READ(task, fs, pwd.mnt);
		cwd.dentry = BPF_CORE_READ(task, fs, pwd.dentry);
	}
	return cwd;
}

/* int chdir(const char *filename) */
CALL_WITH_PATH(chdir, SYSCALL_CHDIR_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
	*last = new_cwd(e, c);
}

/* int fchdir(unsigned int fd) */
CALL_WITH_PATH(fchdir, SYSCALL_FCHDIR_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	*last = new_cwd(e, c);
}

/* int chroot(const char *filename) */
CALL(chroot, SYSCALL_CHROOT_X)
{
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* path */
}

/* int getcwd(char *buf, unsigned long size) */
CALL(getcwd, SYSCALL_GETCWD_X)
{
	store_s64(e, c->ret);				 /* res */
	store_string(e, c->ret >= 0 ? arg(c, 0) : 0); /* path */
}
