/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Whose events are wanted: everybody's, a control group's, a process tree's; never our own. */
#pragma once

#include "event.h"

static __always_inline bool tgid_in_scope(u32 tgid)
{
	if (tgid == own_tgid)
		return false;
	if (scope_mode == SCOPE_CGROUP)
		return bpf_get_current_ancestor_cgroup_id(scope_cgroup_level) == scope_cgroup;
	if (scope_mode == SCOPE_TREE)
		return bpf_map_lookup_elem(&scope_tgids, &tgid) != NULL;
	return true;
}

/* What the loader wants of an event that no system call brings. */
static __always_inline bool event_wanted(u32 code)
{
	u8 *want = bpf_map_lookup_elem(&wanted_events, &code);

	return want && *want;
}
