/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The kernel programs, one translation unit. What they share with the loader is told in maps.h; how a program is
 * written, in programs/form.h. The ladder: base (event, call, scope) - extract (what the kernel knows) - store
 * (parameters and records) - programs (one form a call).
 */
#include "programs/dispatch.h"
#include "programs/close.h"
#include "programs/open.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
