/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Every system call's end comes here; the few that somebody needs go on to their program. What nobody needs costs one
 * look at an array.
 *
 * include/trace/events/syscalls.h: TP_PROTO(struct pt_regs *regs, long ret)
 */
#pragma once

#include "../base/call.h"
#include "../base/scope.h"

SEC("tp_btf/sys_exit") int sys_exit(u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	long ret = ctx[1];
	struct task_struct *task;
	u32 number = call_number(regs);
	u8 *want = bpf_map_lookup_elem(&wanted_calls, &number);

	/* Neither the native call of this number nor the 32-bit one: so much can be said without asking for the task. */
	if (!want || !*want)
		return 0;
	task = current_task();
	number = native_number(regs, is_compat(task));
	want = bpf_map_lookup_elem(&wanted_calls, &number);
	if (!want || !(*want & WANT))
		return 0;
	if (*want & WANT_SUCCESS_ONLY && ret < 0 && ret >= -MAX_ERRNO)
		return 0;
	if (!tgid_in_scope(task->tgid))
		return 0;
	bpf_tail_call(ctx, &programs, number);
	return 0;
}
