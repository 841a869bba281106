/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Data in and out of descriptors: read and write with their forms, and data moved inside the kernel. */
#pragma once

#include "message.h"

/* ssize_t read(unsigned int fd, char *buf, size_t count) */
CALL(read, SYSCALL_READ_X)
{
	store_s64(e, c->ret);						 /* res */
	store_bytes(e, arg(c, 1), c->ret > 0 ? kept_of(c->ret) : 0); /* data */
	store_s64(e, (s32)arg(c, 0));					 /* fd */
	store_u32(e, arg(c, 2));					 /* size */
}

/* ssize_t write(unsigned int fd, const char *buf, size_t count) */
CALL(write, SYSCALL_WRITE_X)
{
	u64 size = arg(c, 2);

	store_s64(e, c->ret);						/* res */
	store_bytes(e, arg(c, 1), kept_of(c->ret > 0 ? c->ret : size)); /* data */
	store_s64(e, (s32)arg(c, 0));					/* fd */
	store_u32(e, size);						/* size */
}

/* ssize_t pread64(unsigned int fd, char *buf, size_t count, loff_t pos) */
CALL(pread64, SYSCALL_PREAD_X)
{
	store_s64(e, c->ret);						 /* res */
	store_bytes(e, arg(c, 1), c->ret > 0 ? kept_of(c->ret) : 0); /* data */
	store_s64(e, (s32)arg(c, 0));					 /* fd */
	store_u32(e, arg(c, 2));					 /* size */
	store_u64(e, wide_arg(c, 3));					 /* pos */
}

/* ssize_t pwrite64(unsigned int fd, const char *buf, size_t count, loff_t pos) */
CALL(pwrite64, SYSCALL_PWRITE_X)
{
	u64 size = arg(c, 2);

	store_s64(e, c->ret);						/* res */
	store_bytes(e, arg(c, 1), kept_of(c->ret > 0 ? c->ret : size)); /* data */
	store_s64(e, (s32)arg(c, 0));					/* fd */
	store_u32(e, size);						/* size */
	store_u64(e, wide_arg(c, 3));					/* pos */
}

static __always_inline void store_readv(struct event *e, struct call *c)
{
	store_s64(e, c->ret);			/* res */
	store_u32(e, c->ret > 0 ? c->ret : 0); /* size */
	if (c->ret > 0)
		store_iovec_data(e, c, arg(c, 1), arg(c, 2), c->ret); /* data */
	else
		store_empty(e);
	store_s64(e, (s32)arg(c, 0)); /* fd */
}

static __always_inline void store_writev(struct event *e, struct call *c)
{
	struct vector v;

	read_vector(e, c, &v, arg(c, 1), arg(c, 2));
	store_s64(e, c->ret);				     /* res */
	store_vector(e, &v, c->ret > 0 ? c->ret : snaplen); /* data */
	store_s64(e, (s32)arg(c, 0));			     /* fd */
	store_u32(e, vector_size(&v));		     /* size */
}

/* ssize_t readv(unsigned long fd, const struct iovec *vec, unsigned long vlen) */
CALL(readv, SYSCALL_READV_X)
{
	store_readv(e, c);
}

/* ssize_t writev(unsigned long fd, const struct iovec *vec, unsigned long vlen) */
CALL(writev, SYSCALL_WRITEV_X)
{
	store_writev(e, c);
}

/* ssize_t preadv(unsigned long fd, const struct iovec *vec, unsigned long vlen, unsigned long pos_l, ... pos_h) */
CALL(preadv, SYSCALL_PREADV_X)
{
	store_readv(e, c);
	store_u64(e, wide_arg(c, 3)); /* pos */
}

/* ssize_t pwritev(unsigned long fd, const struct iovec *vec, unsigned long vlen, unsigned long pos_l, ... pos_h) */
CALL(pwritev, SYSCALL_PWRITEV_X)
{
	store_writev(e, c);
	store_u64(e, wide_arg(c, 3)); /* pos */
}

/* long splice(int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len, unsigned int flags) */
CALL(splice, SYSCALL_SPLICE_X)
{
	store_s64(e, c->ret);	       /* res */
	store_s64(e, (s32)arg(c, 0));  /* fd_in */
	store_s64(e, (s32)arg(c, 2));  /* fd_out */
	store_u64(e, arg(c, 4));       /* size */
	store_u32(e, arg(c, 5) & 0xf); /* flags */
}

/* ssize_t sendfile64(int out_fd, int in_fd, loff_t *offset, size_t count) */
CALL(sendfile, SYSCALL_SENDFILE_X)
{
	u64 offset = 0;

	bpf_probe_read_user(&offset, is_i386(c, I386_SENDFILE32) ? 4 : 8, (void *)arg(c, 2));
	store_s64(e, c->ret);	      /* res */
	store_u64(e, offset);	      /* offset */
	store_s64(e, (s32)arg(c, 0)); /* out_fd */
	store_s64(e, (s32)arg(c, 1)); /* in_fd */
	store_u64(e, arg(c, 3));      /* size */
}

/* ssize_t copy_file_range(int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len, unsigned int flags). As
 * upstream, the offsets are where the program keeps them, 0 for the files' own positions. */
CALL(copy_file_range, SYSCALL_COPY_FILE_RANGE_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 2)); /* fdout */
	store_u64(e, arg(c, 3));      /* offout */
	store_s64(e, (s32)arg(c, 0)); /* fdin */
	store_u64(e, arg(c, 1));      /* offin */
	store_u64(e, arg(c, 4));      /* len */
}
