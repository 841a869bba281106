/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A task becomes somebody else: user and group ids, capabilities, sessions, limits. */
#pragma once

#include "../extract/task.h"
#include "form.h"

/* int setuid(uid_t uid) */
CALL(setuid, SYSCALL_SETUID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* uid */
}

/* int setgid(gid_t gid) */
CALL(setgid, SYSCALL_SETGID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* gid */
}

/* int setreuid(uid_t ruid, uid_t euid) */
CALL(setreuid, SYSCALL_SETREUID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* ruid */
	store_u32(e, id_arg(c, 1)); /* euid */
}

/* int setregid(gid_t rgid, gid_t egid) */
CALL(setregid, SYSCALL_SETREGID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* rgid */
	store_u32(e, id_arg(c, 1)); /* egid */
}

/* int setresuid(uid_t ruid, uid_t euid, uid_t suid) */
CALL(setresuid, SYSCALL_SETRESUID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* ruid */
	store_u32(e, id_arg(c, 1)); /* euid */
	store_u32(e, id_arg(c, 2)); /* suid */
}

/* int setresgid(gid_t rgid, gid_t egid, gid_t sgid) */
CALL(setresgid, SYSCALL_SETRESGID_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u32(e, id_arg(c, 0)); /* rgid */
	store_u32(e, id_arg(c, 1)); /* egid */
	store_u32(e, id_arg(c, 2)); /* sgid */
}

/* uid_t getuid(void), and its kin: they cannot fail */
CALL(getuid, SYSCALL_GETUID_X)
{
	store_u32(e, c->ret); /* uid */
}

/* uid_t geteuid(void) */
CALL(geteuid, SYSCALL_GETEUID_X)
{
	store_u32(e, c->ret); /* euid */
}

/* gid_t getgid(void) */
CALL(getgid, SYSCALL_GETGID_X)
{
	store_u32(e, c->ret); /* gid */
}

/* gid_t getegid(void) */
CALL(getegid, SYSCALL_GETEGID_X)
{
	store_u32(e, c->ret); /* egid */
}

/* An id that the call wrote; 0 where it cannot be read. */
static __always_inline void store_id_at(struct event *e, const struct call *c, u64 from)
{
	u32 id = 0;

	bpf_probe_read_user(&id, is_i386(c, I386_GETRESUID16) || is_i386(c, I386_GETRESGID16) ? 2 : 4, (void *)from);
	store_u32(e, id);
}

/* int getresuid(uid_t *ruid, uid_t *euid, uid_t *suid) */
CALL(getresuid, SYSCALL_GETRESUID_X)
{
	store_s64(e, c->ret);	      /* res */
	store_id_at(e, c, arg(c, 0)); /* ruid */
	store_id_at(e, c, arg(c, 1)); /* euid */
	store_id_at(e, c, arg(c, 2)); /* suid */
}

/* int getresgid(gid_t *rgid, gid_t *egid, gid_t *sgid) */
CALL(getresgid, SYSCALL_GETRESGID_X)
{
	store_s64(e, c->ret);	      /* res */
	store_id_at(e, c, arg(c, 0)); /* rgid */
	store_id_at(e, c, arg(c, 1)); /* egid */
	store_id_at(e, c, arg(c, 2)); /* sgid */
}

/* int capset(cap_user_header_t header, const cap_user_data_t data) */
CALL(capset, SYSCALL_CAPSET_X)
{
	struct task_struct *task = e->task;

	store_s64(e, c->ret);			 /* res */
	store_u64(e, task_caps(task, CAPS_INHERITABLE)); /* cap_inheritable */
	store_u64(e, task_caps(task, CAPS_PERMITTED));	 /* cap_permitted */
	store_u64(e, task_caps(task, CAPS_EFFECTIVE));	 /* cap_effective */
}

/* int setsid(void) */
CALL(setsid, SYSCALL_SETSID_X)
{
	store_s64(e, c->ret); /* res */
}

/* int setpgid(pid_t pid, pid_t pgid) */
CALL(setpgid, SYSCALL_SETPGID_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* pid */
	store_s64(e, (s32)arg(c, 1)); /* pgid */
}

#define RLIM_INFINITY32 0xffffffff

/* Soft and hard limit. */
static __always_inline void read_limits(const struct call *c, u64 limit[2], u64 from)
{
	read_words(c, limit, 2, from);
	if (compat(c)) {
		limit[0] = limit[0] == RLIM_INFINITY32 ? -1 : limit[0];
		limit[1] = limit[1] == RLIM_INFINITY32 ? -1 : limit[1];
	}
}

/* int setrlimit(unsigned int resource, struct rlimit *rlim) */
CALL(setrlimit, SYSCALL_SETRLIMIT_X)
{
	u64 limit[2] = {};

	read_limits(c, limit, arg(c, 1));
	store_s64(e, c->ret);			 /* res */
	store_s64(e, limit[0]);			 /* cur */
	store_s64(e, limit[1]);			 /* max */
	store_u8(e, rlimit_resource(arg(c, 0))); /* resource */
}

/* int getrlimit(unsigned int resource, struct rlimit *rlim) */
CALL(getrlimit, SYSCALL_GETRLIMIT_X)
{
	u64 limit[2] = {-1, -1};

	if (c->ret == 0)
		read_limits(c, limit, arg(c, 1));
	store_s64(e, c->ret);			 /* res */
	store_s64(e, limit[0]);			 /* cur */
	store_s64(e, limit[1]);			 /* max */
	store_u8(e, rlimit_resource(arg(c, 0))); /* resource */
}

/* int prlimit64(pid_t pid, unsigned int resource, const struct rlimit64 *new, struct rlimit64 *old) */
CALL(prlimit64, SYSCALL_PRLIMIT_X)
{
	u64 new[2] = {}, old[2] = {};

	bpf_probe_read_user(new, sizeof(new), (void *)arg(c, 2));
	if (c->ret == 0)
		bpf_probe_read_user(old, sizeof(old), (void *)arg(c, 3));
	else
		old[0] = old[1] = -1;
	store_s64(e, c->ret);			 /* res */
	store_s64(e, new[0]);			 /* newcur */
	store_s64(e, new[1]);			 /* newmax */
	store_s64(e, old[0]);			 /* oldcur */
	store_s64(e, old[1]);			 /* oldmax */
	store_s64(e, (s32)arg(c, 0));		 /* pid */
	store_u8(e, rlimit_resource(arg(c, 1))); /* resource */
}
