/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the loader and the programs share: globals, maps, and what they mean.
 *
 * Globals (`const volatile`, set before loading, frozen then: the verifier drops the branches that they rule out)
 *   boot_offset_ns      wall clock minus CLOCK_BOOTTIME: an event's time is the kernel's boot clock plus this
 *   own_tgid            thread group of the detector itself, never watched
 *   snaplen             bytes kept of what a call reads, writes, sends or receives (80 by default)
 *   scope_mode          SCOPE_ALL, SCOPE_CGROUP or SCOPE_TREE
 *   scope_cgroup        with SCOPE_CGROUP: id of the v2 control group (its directory's inode) ...
 *   scope_cgroup_level  ... and its depth below the root (root 0): descendants are inside
 *   page_shift          log2 of the page size
 *
 * Maps
 *   programs            system call number -> program of its exit event. The loader puts each program `sys_NAME` at the
 *                       number of NAME, and the program `stage_NAME` at STAGE_NAME
 *   wanted_calls        system call number (native; WANT_NUMBER: either) -> WANT_* bits; 0: the call costs the
 *                       look-up and nothing else
 *   wanted_events       event code -> WANT_* bits, for the tracepoints that are no system calls
 *   rings               CPU -> ring buffer. The loader creates the inner maps and sets the size
 *   scratch             CPU -> where an event is put together. The loader sets the size
 *   counters            per CPU: see counters.rs for their names and order
 *   scope_tgids         with SCOPE_TREE: a mark for each thread group inside; the loader sets those of the root and of
 *                       what already descends from it, in mapped memory; fork and exit keep it. The loader sets the size
 *
 * Programs
 *   sys_exit            tp_btf/sys_exit, the dispatcher: the only one of the `sys_*` names to attach
 *   sys_NAME            tp_btf/sys_exit, loaded, never attached, called from the dispatcher
 *   stage_NAME          the same, called from programs of calls
 *   process_exec/_fork/_exit, signal_deliver   attach each to its tracepoint (the section's name)
 *
 * Here is also the place of later conditions on paths and the rest: between the dispatcher's checks, which see numbers
 * only, and event_submit(), where the path is known and nothing has left the kernel.
 */
#pragma once

#include "kernel.h"
#include "peregrine_events.h"

enum { SCOPE_ALL, SCOPE_CGROUP, SCOPE_TREE };
/* WANT_NUMBER: a call of this number may be wanted, be it native or that of a 32-bit program. */
enum { WANT = 1, WANT_SUCCESS_ONLY = 2, WANT_NUMBER = 4 };

#define MAX_CALLS 512
/* Programs that end what others began, behind the calls' numbers. */
enum { STAGE_PATH = MAX_CALLS, PROGRAMS };
#define MAX_CODES 512

const volatile u64 boot_offset_ns = 0;
const volatile u64 scope_cgroup = 0;
const volatile u32 scope_cgroup_level = 0;
const volatile u32 scope_mode = SCOPE_ALL;
const volatile u32 own_tgid = 0;
const volatile u32 snaplen = 80;
const volatile u32 page_shift = 12;

/* An event is built in the first half, up to MAX_EVENT bytes; the second half lets every bounded write that starts
 * inside the first half end inside the map, and its last part holds the path that is being put together. The page behind
 * is for what is put at a known distance from the first half's end. */
#define MAX_EVENT 0x10000
#define EVENT_MASK (MAX_EVENT - 1)
#define SCRATCH_SIZE (2 * MAX_EVENT + 0x1000)
struct scratch {
	u8 data[SCRATCH_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROGRAMS);
	__type(key, u32);
	__type(value, u32);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CALLS);
	__type(key, u32);
	__type(value, u8);
} wanted_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CODES);
	__type(key, u32);
	__type(value, u8);
} wanted_events SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct counters {
	u64 n[COUNTERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counters SEC(".maps");

/* A byte for every number that a process may have, many to an entry: a look-up is a load, nothing is hashed. */
#define TGIDS_SHIFT 12
struct tgids {
	u8 inside[1 << TGIDS_SHIFT];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct tgids);
} scope_tgids SEC(".maps");
