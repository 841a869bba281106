/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Parameters of one value each: numbers, strings, bytes. */
#pragma once

#include "../base/event.h"

#define MAX_PATH 4096
#define MAX_BYTES (MAX_EVENT - MAX_PATH - 512) /* one parameter of so many bytes and a path fit into an event */

enum memory { USER, KERNEL };

static __always_inline void store_u8(struct event *e, u8 value)
{
	push_u8(e, value);
	param_len(e, sizeof(value));
}

static __always_inline void store_u16(struct event *e, u16 value)
{
	push_u16(e, value);
	param_len(e, sizeof(value));
}

static __always_inline void store_u32(struct event *e, u32 value)
{
	push_u32(e, value);
	param_len(e, sizeof(value));
}

static __always_inline void store_u64(struct event *e, u64 value)
{
	push_u64(e, value);
	param_len(e, sizeof(value));
}

#define UNKNOWN_BASE 0x1d180 /* in the scratch's second half */

/* The same value by a way through memory: the verifier forgets which of several it was, and walks what follows once. */
static __always_inline u32 unknown(struct event *e, u32 value)
{
	volatile u32 *place = (volatile u32 *)(e->data + UNKNOWN_BASE);

	*place = value;
	return *place;
}

/* Descriptors, results and process ids are signed and 64 bits wide. */
static __always_inline void store_s64(struct event *e, s64 value)
{
	store_u64(e, value);
}

/* No value. */
static __always_inline void store_empty(struct event *e)
{
	param_len(e, 0);
}

/* Appends a NUL-terminated string of at most `max` bytes with its NUL; 0 and nothing if it cannot be read. */
static __always_inline u32 push_string(struct event *e, const void *from, u32 max, enum memory memory)
{
	long n = memory == KERNEL ? bpf_probe_read_kernel_str(e->at, max, from)
				  : bpf_probe_read_user_str(e->at, max, from);

	if (n < 0) {
		count(COUNTER_DROPS_PF);
		return 0;
	}
	if (n == 0) {
		*e->at = 0;
		n = 1;
	}
	advance(e, n);
	return n;
}

/* Appends bytes, all or none. */
static __always_inline u32 push_bytes(struct event *e, const void *from, u32 len, enum memory memory)
{
	long err;

	barrier_var(len); /* the compiler may know the bound, by another register than the verifier looks at */
	len &= EVENT_MASK;
	err = memory == KERNEL ? bpf_probe_read_kernel(e->at, len, from) : bpf_probe_read_user(e->at, len, from);
	if (err) {
		count(COUNTER_DROPS_PF);
		return 0;
	}
	advance(e, len);
	return len;
}

static __always_inline u32 store_string_of(struct event *e, const void *from, u32 max, enum memory memory)
{
	u32 len = from ? push_string(e, from, max, memory) : 0;

	param_len(e, len);
	return len;
}

/* A path or name from the program's memory. */
static __always_inline void store_string(struct event *e, ulong from)
{
	store_string_of(e, (void *)from, MAX_PATH, USER);
}

/* Bytes of the program's memory; empty when they cannot be read. */
static __always_inline void store_bytes(struct event *e, ulong from, u32 len)
{
	u32 kept = 0;

	if (from && len)
		kept = push_bytes(e, (void *)from, len, USER);
	param_len(e, kept);
}
