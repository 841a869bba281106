/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Calls that reach into the kernel itself: modules, bpf, ioctl, prctl, seccomp, userfaultfd, io_uring. */
#pragma once

#include "message.h"

/* int init_module(void *umod, unsigned long len, const char *uargs) */
CALL(init_module, SYSCALL_INIT_MODULE_X)
{
	u64 len = arg(c, 1);

	store_s64(e, c->ret);					  /* res */
	store_bytes(e, arg(c, 0), len < MAX_BYTES ? len : MAX_BYTES); /* img */
	store_u64(e, len);					  /* length */
	store_string(e, arg(c, 2));				  /* uargs */
}

/* int finit_module(int fd, const char *uargs, int flags) */
CALL(finit_module, SYSCALL_FINIT_MODULE_X)
{
	store_s64(e, c->ret);	       /* res */
	store_s64(e, (s32)arg(c, 0));  /* fd */
	store_string(e, arg(c, 1));    /* uargs */
	store_u32(e, arg(c, 2) & 0x7); /* flags */
}

/* int delete_module(const char *name_user, unsigned int flags) */
CALL(delete_module, SYSCALL_DELETE_MODULE_X)
{
	u32 flags = arg(c, 1);

	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* name */
	store_u32(e, BIT_TO(flags, O_NONBLOCK, PPM_DELETE_MODULE_O_NONBLOCK) |
			     BIT_TO(flags, O_TRUNC, PPM_DELETE_MODULE_O_TRUNC)); /* flags */
}

/* int bpf(int cmd, union bpf_attr *attr, unsigned int size) */
CALL(bpf, SYSCALL_BPF_2_X)
{
	store_s64(e, c->ret);	 /* fd */
	store_u32(e, arg(c, 0)); /* cmd */
}

/* int ioctl(unsigned int fd, unsigned int cmd, unsigned long arg) */
CALL(ioctl, SYSCALL_IOCTL_3_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u64(e, arg(c, 1));      /* request */
	store_u64(e, arg(c, 2));      /* argument */
}

/* int prctl(int option, unsigned long arg2, ...) */
CALL(prctl, SYSCALL_PRCTL_X)
{
	u32 option = arg(c, 0);
	u64 value = arg(c, 1);

	store_s64(e, c->ret);  /* res */
	store_u32(e, option); /* option */
	if (option == PPM_PR_GET_NAME || option == PPM_PR_SET_NAME) {
		store_string(e, value); /* arg2_str */
		store_s64(e, 0);	/* arg2_int */
		return;
	}
	store_empty(e);
	if (option == PPM_PR_GET_CHILD_SUBREAPER) {
		s32 set = 0;

		bpf_probe_read_user(&set, sizeof(set), (void *)value);
		value = set;
	}
	store_s64(e, value);
}

/* int userfaultfd(int flags) */
CALL(userfaultfd, SYSCALL_USERFAULTFD_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, arg(c, 0)); /* flags */
}

/* int io_uring_setup(u32 entries, struct io_uring_params *params) */
CALL(io_uring_setup, SYSCALL_IO_URING_SETUP_X)
{
	struct {
		u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
	} p = {};

	bpf_probe_read_user(&p, sizeof(p), (void *)arg(c, 1));
	store_s64(e, c->ret);			      /* res */
	store_u32(e, arg(c, 0));		      /* entries */
	store_u32(e, p.sq_entries);		      /* sq_entries */
	store_u32(e, p.cq_entries);		      /* cq_entries */
	store_u32(e, io_uring_setup_flags(p.flags)); /* flags */
	store_u32(e, p.sq_thread_cpu);		      /* sq_thread_cpu */
	store_u32(e, p.sq_thread_idle);		      /* sq_thread_idle */
	store_u32(e, p.features & 0x7ff);	      /* features */
}

/* int io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags, const void *argp, size_t argsz) */
CALL(io_uring_enter, SYSCALL_IO_URING_ENTER_X)
{
	store_s64(e, c->ret);	       /* res */
	store_s64(e, (s32)arg(c, 0));  /* fd */
	store_u32(e, arg(c, 1));       /* to_submit */
	store_u32(e, arg(c, 2));       /* min_complete */
	store_u32(e, arg(c, 3) & 0xf); /* flags */
	store_u32(e, arg(c, 4));       /* sig: as upstream, the pointer's lower half */
}

/* int io_uring_register(unsigned int fd, unsigned int opcode, void *arg, unsigned int nr_args) */
CALL(io_uring_register, SYSCALL_IO_URING_REGISTER_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u16(e, arg(c, 1));      /* opcode */
	store_u64(e, arg(c, 2));      /* arg */
	store_u32(e, arg(c, 3));      /* nr_args */
}

/* int seccomp(unsigned int op, unsigned int flags, void *uargs) */
CALL(seccomp, SYSCALL_SECCOMP_X)
{
	store_s64(e, c->ret);	      /* res */
	store_u64(e, (u32)arg(c, 0)); /* op */
	store_u64(e, (u32)arg(c, 1)); /* flags */
}
