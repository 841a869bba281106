/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Two descriptors with a pipe between them; the inode tells that the two belong together. */
#pragma once

#include "form.h"

static __always_inline void store_pipe(struct event *e, struct call *c)
{
	s32 fds[2] = {-1, -1};
	struct inode *inode;
	struct file *file;
	u64 ino = 0;

	if (bpf_probe_read_user(fds, sizeof(fds), (void *)arg(c, 0)))
		fds[0] = fds[1] = -1;
	file = c->ret == 0 ? file_of_fd(e->task, fds[0]) : NULL;
	if (file) {
		inode = BPF_CORE_READ(file, f_inode);
		ino = BPF_CORE_READ(inode, i_ino);
	}
	store_s64(e, c->ret); /* res */
	store_s64(e, fds[0]); /* fd1 */
	store_s64(e, fds[1]); /* fd2 */
	store_u64(e, ino);    /* ino */
}

/* int pipe(int *fildes) */
CALL(pipe, SYSCALL_PIPE_X)
{
	store_pipe(e, c);
}

/* int pipe2(int *fildes, int flags) */
CALL(pipe2, SYSCALL_PIPE2_X)
{
	s32 flags = arg(c, 1);

	store_pipe(e, c);
	store_u32(e, fd_flags(flags) | (flags < 0 ? 0 : BIT_TO(flags, O_DIRECT, PPM_O_DIRECT))); /* flags */
}
