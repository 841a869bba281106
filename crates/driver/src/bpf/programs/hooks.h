/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Programs that do nothing: whether they can be attached says what a kernel lets be hooked beyond tracepoints. Nothing
 * calls the function of the one; the other's is called where quotas are changed.
 *
 * net/bpf/test_run.c: int bpf_fentry_test1(int a)
 * include/linux/lsm_hook_defs.h: LSM_HOOK(int, 0, quotactl, int cmds, int type, int id, ...)
 */
#pragma once

#include "../maps.h"

SEC("fentry/bpf_fentry_test1") int hook_fentry(u64 *ctx)
{
	return 0;
}

SEC("lsm/quotactl") int hook_lsm(u64 *ctx)
{
	return 0;
}
