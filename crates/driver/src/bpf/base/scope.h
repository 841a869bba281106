/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Whose events are wanted: everybody's, a control group's, a process tree's; never our own. */
#pragma once

#include "event.h"

/* Where it is marked whether a thread group is inside. */
static __always_inline u8 *scope_mark(u32 tgid)
{
	u32 at = tgid >> TGIDS_SHIFT;
	struct tgids *tgids = bpf_map_lookup_elem(&scope_tgids, &at);

	return tgids ? &tgids->inside[tgid & ((1 << TGIDS_SHIFT) - 1)] : NULL;
}

static __always_inline bool tgid_in_scope(u32 tgid)
{
	if (tgid == own_tgid)
		return false;
	if (scope_mode == SCOPE_CGROUP)
		return bpf_get_current_ancestor_cgroup_id(scope_cgroup_level) == scope_cgroup;
	if (scope_mode == SCOPE_TREE) {
		u8 *mark = scope_mark(tgid);

		return mark && *mark;
	}
	return true;
}

/* What the loader wants of an event that no system call brings. */
static __always_inline bool event_wanted(u32 code)
{
	u8 *want = bpf_map_lookup_elem(&wanted_events, &code);

	return want && *want;
}
