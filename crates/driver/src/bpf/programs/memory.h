/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Memory is mapped, protected, and made into files. */
#pragma once

#include "../extract/task.h"
#include "form.h"

static __always_inline void store_vm(struct event *e)
{
	struct task_struct *task = e->task;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	store_u32(e, vm_size(mm)); /* vm_size */
	store_u32(e, vm_rss(mm));  /* vm_rss */
	store_u32(e, vm_swap(mm)); /* vm_swap */
}

/* int mprotect(unsigned long start, size_t len, unsigned long prot) */
CALL(mprotect, SYSCALL_MPROTECT_X)
{
	store_s64(e, c->ret);		     /* res */
	store_u64(e, arg(c, 0));	     /* addr */
	store_u64(e, arg(c, 1));	     /* length */
	store_u32(e, prot_flags(arg(c, 2))); /* prot */
}

/* void *mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, fd, off) */
CALL(mmap, SYSCALL_MMAP_X)
{
	u64 a[6] = {arg(c, 0), arg(c, 1), arg(c, 2), arg(c, 3), arg(c, 4), arg(c, 5)};

	if (is_i386(c, I386_OLD_MMAP))
		read_words(c, a, 6, a[0]);
	else if (is_i386(c, I386_MMAP2))
		a[5] <<= 12; /* in pages, of 4 KiB whatever a page is */
	store_s64(e, c->ret);		  /* res */
	store_vm(e);			  /* vm_size, vm_rss, vm_swap */
	store_u64(e, a[0]);		  /* addr */
	store_u64(e, a[1]);		  /* length */
	store_u32(e, prot_flags(a[2])); /* prot */
	store_u32(e, mmap_flags(a[3])); /* flags */
	store_s64(e, (s32)a[4]);	  /* fd */
	store_u64(e, a[5]);		  /* offset */
}

/* int brk(unsigned long brk): the result is the end of the heap, never an error */
CALL(brk, SYSCALL_BRK_4_X)
{
	store_u64(e, c->ret);	 /* res */
	store_vm(e);		 /* vm_size, vm_rss, vm_swap */
	store_u64(e, arg(c, 0)); /* addr */
}

/* int munmap(unsigned long addr, size_t len) */
CALL(munmap, SYSCALL_MUNMAP_X)
{
	store_s64(e, c->ret);	 /* res */
	store_vm(e);		 /* vm_size, vm_rss, vm_swap */
	store_u64(e, arg(c, 0)); /* addr */
	store_u64(e, arg(c, 1)); /* length */
}

/* int mlock(unsigned long start, size_t len) */
CALL(mlock, SYSCALL_MLOCK_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u64(e, arg(c, 0)); /* addr */
	store_u64(e, arg(c, 1)); /* len */
}

/* int mlock2(unsigned long start, size_t len, int flags) */
CALL(mlock2, SYSCALL_MLOCK2_X)
{
	store_s64(e, c->ret);			   /* res */
	store_u64(e, arg(c, 0));		   /* addr */
	store_u64(e, arg(c, 1));		   /* len */
	store_u32(e, arg(c, 2) & PPM_MLOCK_ONFAULT); /* flags */
}

/* int munlock(unsigned long start, size_t len) */
CALL(munlock, SYSCALL_MUNLOCK_X)
{
	store_s64(e, c->ret);	 /* res */
	store_u64(e, arg(c, 0)); /* addr */
	store_u64(e, arg(c, 1)); /* len */
}

/* int mlockall(int flags) */
CALL(mlockall, SYSCALL_MLOCKALL_X)
{
	store_s64(e, c->ret);	       /* res */
	store_u32(e, arg(c, 0) & 0x7); /* flags */
}

/* int munlockall(void) */
CALL(munlockall, SYSCALL_MUNLOCKALL_X)
{
	store_s64(e, c->ret); /* res */
}

/* int memfd_create(const char *uname, unsigned int flags) */
CALL(memfd_create, SYSCALL_MEMFD_CREATE_X)
{
	store_s64(e, c->ret);	       /* fd */
	store_string(e, arg(c, 0));    /* name */
	store_u32(e, arg(c, 1) & 0x7); /* flags */
}
