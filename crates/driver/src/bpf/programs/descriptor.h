/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Descriptors of things that are no files: events, signals, timers, watches, processes. */
#pragma once

#include "form.h"

/* int eventfd(unsigned int count) */
CALL(eventfd, SYSCALL_EVENTFD_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u64(e, arg(c, 0)); /* initval */
	store_u32(e, 0);	 /* flags: the call has none */
}

/* int eventfd2(unsigned int count, int flags) */
CALL(eventfd2, SYSCALL_EVENTFD2_X)
{
	store_s64(e, c->ret);		  /* res */
	store_u16(e, fd_flags(arg(c, 1))); /* flags */
	store_u64(e, (u32)arg(c, 0));	  /* initval */
}

/* int signalfd(int ufd, sigset_t *user_mask, size_t sizemask) */
CALL(signalfd, SYSCALL_SIGNALFD_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, 0);	      /* mask: upstream leaves it out */
	store_u8(e, 0);		      /* flags: the call has none */
}

/* int signalfd4(int ufd, sigset_t *user_mask, size_t sizemask, int flags) */
CALL(signalfd4, SYSCALL_SIGNALFD4_X)
{
	store_s64(e, (s32)c->ret);	  /* res */
	store_u16(e, fd_flags(arg(c, 3))); /* flags */
	store_s64(e, (s32)arg(c, 0));	  /* fd */
	store_u32(e, 0);		  /* mask: upstream leaves it out */
}

/* int timerfd_create(int clockid, int flags) */
CALL(timerfd_create, SYSCALL_TIMERFD_CREATE_X)
{
	store_s64(e, c->ret);		 /* res */
	store_u8(e, arg(c, 0));		 /* clockid */
	store_u8(e, fd_flags(arg(c, 1))); /* flags: eight bits keep the lower ones */
}

/* int inotify_init(void) */
CALL(inotify_init, SYSCALL_INOTIFY_INIT_X)
{
	store_s64(e, c->ret); /* res */
	store_u8(e, 0);	      /* flags: the call has none */
}

/* int inotify_init1(int flags) */
CALL(inotify_init1, SYSCALL_INOTIFY_INIT1_X)
{
	store_s64(e, c->ret);		  /* res */
	store_u16(e, fd_flags(arg(c, 0))); /* flags */
}

/* int epoll_create(int size) */
CALL(epoll_create, SYSCALL_EPOLL_CREATE_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, arg(c, 0)); /* size */
}

/* int epoll_create1(int flags) */
CALL(epoll_create1, SYSCALL_EPOLL_CREATE1_X)
{
	store_s64(e, c->ret);						/* res */
	store_u32(e, BIT_TO(arg(c, 0), O_CLOEXEC, PPM_EPOLL_CLOEXEC)); /* flags */
}

/* int pidfd_open(pid_t pid, unsigned int flags) */
CALL(pidfd_open, SYSCALL_PIDFD_OPEN_X)
{
	store_s64(e, c->ret);						   /* fd */
	store_s64(e, (s32)arg(c, 0));					   /* pid */
	store_u32(e, BIT_TO(arg(c, 1), O_NONBLOCK, PPM_PIDFD_NONBLOCK)); /* flags */
}

/* int pidfd_getfd(int pidfd, int fd, unsigned int flags) */
CALL(pidfd_getfd, SYSCALL_PIDFD_GETFD_X)
{
	store_s64(e, c->ret);	      /* fd */
	store_s64(e, (s32)arg(c, 0)); /* pid_fd */
	store_s64(e, (s32)arg(c, 1)); /* target_fd */
	store_u32(e, arg(c, 2));      /* flags */
}
