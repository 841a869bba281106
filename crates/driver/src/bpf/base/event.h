/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * An event being put together: its place in this CPU's scratch, the next free byte, the next slot of the array of
 * lengths. Layout as in a capture file: header (26 bytes, packed), u16 lengths, parameters, records.
 *
 * The position stays in a local variable, so that the compiler folds it while parameters are of fixed size, and every
 * access is masked, so that the verifier sees a bound whatever came before. What runs past MAX_EVENT is overwritten
 * junk of an event that event_submit() throws away and counts.
 *
 * Tracepoints run with preemption off and none of ours interrupts another: the scratch of a CPU has one user.
 */
#pragma once

#include "../maps.h"

#define HEADER_LEN 26

struct event {
	u8 *data;
	u8 *at; /* where the next byte goes */
	struct task_struct *task; /* whose event it is: asked for once, since even that is a call */
	u32 pos; /* the same, as a number */
	u32 marks; /* MARK_* */
	u16 code;
	u8 nth;
	u8 tail;
};

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

/* Wider than its alignment: clang would write packed fields byte by byte, the kernels' CPUs need no alignment. */
#define PUT(type, at, value) (*(type *)(at) = (type)(value))

static __always_inline void count(u32 which)
{
	u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (c)
		c->n[which]++;
}

static __always_inline u64 now(void)
{
	return bpf_ktime_get_boot_ns() + boot_offset_ns;
}

static __always_inline struct scratch *my_scratch(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratch, &cpu);
}

static __always_inline bool event_begin_as(struct event *e, u16 code, u32 params, struct task_struct *task)
{
	struct scratch *s = my_scratch();

	if (!s)
		return false;
	e->data = s->data;
	e->task = task;
	e->pos = HEADER_LEN + 2 * params;
	e->at = e->data + e->pos;
	e->marks = 0;
	e->code = code;
	e->nth = 0;
	e->tail = 0;
	PUT(u64, e->data, now());
	PUT(u64, e->data + 8, (u32)task->pid);
	PUT(u16, e->data + 20, code);
	PUT(u32, e->data + 22, params);
	return true;
}

#define event_begin(e, CODE, task) event_begin_as(e, PPME_##CODE, PPME_##CODE##_PARAMS, task)

#define POS_BASE 0x1d100 /* in the scratch's second half */

/* Goes on at a position that is known at run time only. What follows is put at known distances from there: the verifier
 * follows a sum back to where its parts came from each time that it makes an address, so it is to do so once. */
static __always_inline void event_at(struct event *e, u32 pos)
{
	e->pos = pos;
	e->at = e->data + (pos & EVENT_MASK);
}

/* Goes on by so many bytes, a number that is known now. */
static __always_inline void event_skip(struct event *e, u32 by)
{
	e->pos += by;
	e->at += by;
}

/* Goes on by so many bytes, a number that is known at run time only. The position takes a way through memory: the
 * verifier, which asks of every length where it came from, would follow the sum of all lengths back to the program's
 * begin, again and again; that took it seconds. */
static __always_inline void advance(struct event *e, u32 by)
{
	volatile u32 *pos = (volatile u32 *)(e->data + POS_BASE);

	*pos = e->pos + by;
	event_at(e, *pos);
}

/* The event's code, from memory: the verifier does not follow its choices through all that comes after. */
static __always_inline u16 event_code(struct event *e)
{
	return *(volatile u16 *)(e->data + 20);
}

/* The event has one parameter more than it began with. */
static __always_inline void event_widen(struct event *e)
{
	PUT(u32, e->data + 22, *(u32 *)(e->data + 22) + 1);
	event_skip(e, 2);
}

/* Closes a parameter: its length goes into the array. */
static __always_inline void param_len(struct event *e, u32 len)
{
	PUT(u16, e->data + HEADER_LEN + 2 * (e->nth & 31), len);
	e->nth++;
}

#define PUSH(type)                                                                                                     \
	static __always_inline void push_##type(struct event *e, type value)                                           \
	{                                                                                                              \
		PUT(type, e->at, value);                                                                               \
		event_skip(e, sizeof(type));                                                                           \
	}
PUSH(u8)
PUSH(u16)
PUSH(u32)
PUSH(u64)

/* The group of counters that a lost event belongs to, under Falco's names; 0 for none. */
static const u8 drop_groups[MAX_CODES] = {
	[PPME_SYSCALL_OPEN_X] = COUNTER_DROPS_BUFFER_OPEN_EXIT,
	[PPME_SYSCALL_CREAT_X] = COUNTER_DROPS_BUFFER_OPEN_EXIT,
	[PPME_SYSCALL_OPENAT_2_X] = COUNTER_DROPS_BUFFER_OPEN_EXIT,
	[PPME_SYSCALL_OPENAT2_X] = COUNTER_DROPS_BUFFER_OPEN_EXIT,
	[PPME_SYSCALL_OPEN_BY_HANDLE_AT_X] = COUNTER_DROPS_BUFFER_OPEN_EXIT,
	[PPME_SYSCALL_DUP_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_CHMOD_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_FCHMOD_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_FCHMODAT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_CHOWN_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_LCHOWN_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_FCHOWN_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_FCHOWNAT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_LINK_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_LINKAT_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_MKDIR_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_MKDIRAT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_MOUNT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_UMOUNT_1_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_UMOUNT2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_RENAME_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_RENAMEAT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_RENAMEAT2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_RMDIR_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_SYMLINK_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_SYMLINKAT_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_UNLINK_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_UNLINKAT_2_X] = COUNTER_DROPS_BUFFER_DIR_FILE_EXIT,
	[PPME_SYSCALL_CLONE_20_X] = COUNTER_DROPS_BUFFER_CLONE_FORK_EXIT,
	[PPME_SYSCALL_CLONE3_X] = COUNTER_DROPS_BUFFER_CLONE_FORK_EXIT,
	[PPME_SYSCALL_FORK_20_X] = COUNTER_DROPS_BUFFER_CLONE_FORK_EXIT,
	[PPME_SYSCALL_VFORK_20_X] = COUNTER_DROPS_BUFFER_CLONE_FORK_EXIT,
	[PPME_SYSCALL_EXECVE_19_X] = COUNTER_DROPS_BUFFER_EXECVE_EXIT,
	[PPME_SYSCALL_EXECVEAT_X] = COUNTER_DROPS_BUFFER_EXECVE_EXIT,
	[PPME_SOCKET_CONNECT_X] = COUNTER_DROPS_BUFFER_CONNECT_EXIT,
	[PPME_SYSCALL_BPF_2_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SETPGID_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_PTRACE_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SECCOMP_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SETNS_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SETRESGID_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SETRESUID_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_SETSID_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_UNSHARE_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_CAPSET_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_KEYCTL_X] = COUNTER_DROPS_BUFFER_OTHER_INTEREST_EXIT,
	[PPME_SYSCALL_CLOSE_X] = COUNTER_DROPS_BUFFER_CLOSE_EXIT,
	[PPME_PROCEXIT_1_E] = COUNTER_DROPS_BUFFER_PROC_EXIT,
};
_Static_assert(COUNTER_EVTS == 0 && COUNTERS <= 256, "a group is a byte, none is zero");

/* Hands the event over. No wake-up: the consumer looks at its rings by itself, which costs both sides less. */
static __always_inline void event_submit(struct event *e)
{
	u32 cpu = bpf_get_smp_processor_id();
	u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&counters, &zero);
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	u32 len = e->pos;

	if (!c || !ring)
		return;
	c->n[COUNTER_EVTS]++;
	barrier_var(len); /* so that the bound is seen at the register that is used */
	if (len >= MAX_EVENT) {
		c->n[COUNTER_DROPS_SCRATCH_MAP]++;
		return;
	}
	PUT(u32, e->data + 16, len);
	if (bpf_ringbuf_output(ring, e->data, len, BPF_RB_NO_WAKEUP)) {
		u32 group = drop_groups[e->code & (MAX_CODES - 1)];

		c->n[COUNTER_DROPS_BUFFER]++;
		if (!group)
			return;
		barrier_var(group); /* as above */
		if (group < COUNTERS)
			c->n[group]++;
	}
}
