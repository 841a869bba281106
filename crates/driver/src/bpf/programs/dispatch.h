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
	struct call c = {.ctx = ctx, .regs = (void *)ctx[0], .ret = ctx[1]};
	u32 number = call_number(c.regs);
	u8 *want = bpf_map_lookup_elem(&wanted_calls, &number);

	/* Neither the native call of this number nor the 32-bit one: so much can be said without asking for the task. */
	if (!want || !*want)
		return 0;
	c.task = current_task();
	number = native_number(&c);
	want = bpf_map_lookup_elem(&wanted_calls, &number);
	if (!want || !(*want & WANT))
		return 0;
	if (*want & WANT_SUCCESS_ONLY && c.ret < 0 && c.ret >= -MAX_ERRNO)
		return 0;
	if (!tgid_in_scope(c.task->tgid))
		return 0;
	bpf_tail_call(ctx, &programs, number);
	return 0;
}
