/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the kernel knows of a task. Tasks come as typed pointers (the current one, a tracepoint's argument): plain fields
 * are read directly, which costs a load and not a helper's call. Pointers out of a task are read with the helper where
 * speed does not count (clone, exec): for each direct load of a pointer the verifier searches all names of the kernel's
 * types, which takes it more than a millisecond. The helper reads zero through a null pointer, so that nobody asks for
 * one: the verifier would follow either answer through all that comes after.
 */
#pragma once

#include "file.h"

/* A pid as the namespace of depth `level` numbers it. */
static __always_inline int pid_number(struct pid *pid, u32 level)
{
	int nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* As the task itself sees it, in the innermost namespace. */
static __always_inline int pid_inner(struct pid *pid)
{
	return pid_number(pid, BPF_CORE_READ(pid, level));
}

static __always_inline struct pid_namespace *pid_ns(struct pid *pid)
{
	struct pid_namespace *ns = NULL;

	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	return ns;
}

/* Monotonic start of the first process of the task's PID namespace. */
static __always_inline u64 pid_ns_start(struct task_struct *task)
{
	struct pid_namespace *ns = pid_ns(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));

	return BPF_CORE_READ(ns, child_reaper, start_time);
}

static __always_inline bool in_pid_ns(struct task_struct *task)
{
	struct pid_namespace *ns = pid_ns(BPF_CORE_READ(task, thread_pid));

	if (ns && BPF_CORE_READ(ns, level))
		return true;
	return BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != ns;
}

/* Memory in KiB: pages of the address space, resident, swapped out. */
static __always_inline u32 to_kib(u64 pages)
{
	return pages << (page_shift - 10);
}

enum rss { RSS_FILE, RSS_ANON, RSS_SWAP, RSS_SHMEM };

static __always_inline s64 rss_pages(struct mm_struct *mm, u32 which)
{
	s64 pages = 0;

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		bpf_core_read(&pages, sizeof(pages), &mm->rss_stat.count[which].counter);
	} else {
		/* An index that is no constant would go by our own, shorter percpu_counter. */
		struct mm_struct___v6_2 *mm62 = (void *)mm;
		struct percpu_counter *counter =
			(void *)&mm62->rss_stat + which * bpf_core_type_size(struct percpu_counter);

		bpf_core_read(&pages, sizeof(pages), &counter->count);
	}
	return pages;
}

static __always_inline u32 vm_size(struct mm_struct *mm)
{
	return to_kib(BPF_CORE_READ(mm, total_vm));
}

static __always_inline u32 vm_rss(struct mm_struct *mm)
{
	return to_kib(rss_pages(mm, RSS_FILE) + rss_pages(mm, RSS_ANON) + rss_pages(mm, RSS_SHMEM));
}

static __always_inline u32 vm_swap(struct mm_struct *mm)
{
	return to_kib(rss_pages(mm, RSS_SWAP));
}

/* Device number of the controlling terminal, 0 for none. */
static __always_inline u32 task_tty(struct task_struct *task)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	struct tty_driver *driver = BPF_CORE_READ(tty, driver);

	return encode_dev((((u32)BPF_CORE_READ(driver, major) << 20) | (u32)BPF_CORE_READ(driver, minor_start)) +
			  BPF_CORE_READ(tty, index));
}

static __always_inline u32 task_loginuid(struct task_struct *task)
{
	return bpf_core_field_exists(task->loginuid) ? task->loginuid.val : -1;
}

enum caps { CAPS_INHERITABLE, CAPS_PERMITTED, CAPS_EFFECTIVE };

/* Capabilities are two u32 before 6.3 and one u64 since; the bytes are the same. Bits that the events do not know yet
 * are left out. */
static __always_inline u64 task_caps(struct task_struct *task, enum caps which)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	u64 caps = 0;

	bpf_probe_read_kernel(&caps, sizeof(caps),
			      which == CAPS_INHERITABLE ? &cred->cap_inheritable
			      : which == CAPS_PERMITTED ? &cred->cap_permitted
							: &cred->cap_effective);
	return caps & (2 * PPM_CAP_CHECKPOINT_RESTORE - 1);
}

static __always_inline u64 time_ns(s64 seconds, u64 nanoseconds)
{
	return (seconds * 1000000000ull + nanoseconds) & ~(seconds >> 63); /* 0 before 1970 */
}

/* Since 6.13 the highest bit of the nanoseconds tells that somebody asked for the time (include/linux/fs.h). */
#define I_CTIME_QUERIED 0x80000000u

/* Times of an inode moved in 6.6, 6.7 and 6.11. */
static __always_inline u64 inode_ctime(struct inode *inode)
{
	struct inode___v6_6 *inode66 = (void *)inode;
	struct inode___v6_11 *inode611 = (void *)inode;

	if (bpf_core_field_exists(inode611->i_ctime_sec))
		return time_ns(BPF_CORE_READ(inode611, i_ctime_sec),
			       BPF_CORE_READ(inode611, i_ctime_nsec) & ~I_CTIME_QUERIED);
	if (bpf_core_field_exists(inode66->__i_ctime))
		return time_ns(BPF_CORE_READ(inode66, __i_ctime.tv_sec), BPF_CORE_READ(inode66, __i_ctime.tv_nsec));
	return time_ns(BPF_CORE_READ(inode, i_ctime.tv_sec), BPF_CORE_READ(inode, i_ctime.tv_nsec));
}

static __always_inline u64 inode_mtime(struct inode *inode)
{
	struct inode___v6_7 *inode67 = (void *)inode;
	struct inode___v6_11 *inode611 = (void *)inode;

	if (bpf_core_field_exists(inode611->i_mtime_sec))
		return time_ns(BPF_CORE_READ(inode611, i_mtime_sec), BPF_CORE_READ(inode611, i_mtime_nsec));
	if (bpf_core_field_exists(inode67->__i_mtime))
		return time_ns(BPF_CORE_READ(inode67, __i_mtime.tv_sec), BPF_CORE_READ(inode67, __i_mtime.tv_nsec));
	return time_ns(BPF_CORE_READ(inode, i_mtime.tv_sec), BPF_CORE_READ(inode, i_mtime.tv_nsec));
}
