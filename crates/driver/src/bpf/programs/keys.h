/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The kernel's keys and keyrings. */
#pragma once

#include "form.h"

/* Of each operation, in the order of their numbers (linux/keyctl.h): how many arguments it has, and which of them, by
 * bit, are strings. */
struct key_operation {
	u8 args, strings;
};
static const struct key_operation key_operations[64] = {
	[PPM_KEYCTL_GET_KEYRING_ID] = {2},
	[PPM_KEYCTL_JOIN_SESSION_KEYRING] = {1, 1},
	[PPM_KEYCTL_UPDATE] = {3},
	[PPM_KEYCTL_REVOKE] = {1},
	[PPM_KEYCTL_CHOWN] = {3},
	[PPM_KEYCTL_SETPERM] = {2},
	[PPM_KEYCTL_DESCRIBE] = {3},
	[PPM_KEYCTL_CLEAR] = {1},
	[PPM_KEYCTL_LINK] = {2},
	[PPM_KEYCTL_UNLINK] = {2},
	[PPM_KEYCTL_SEARCH] = {4, 2 | 4},
	[PPM_KEYCTL_READ] = {3},
	[PPM_KEYCTL_INSTANTIATE] = {4},
	[PPM_KEYCTL_NEGATE] = {3},
	[PPM_KEYCTL_SET_REQKEY_KEYRING] = {1},
	[PPM_KEYCTL_SET_TIMEOUT] = {2},
	[PPM_KEYCTL_ASSUME_AUTHORITY] = {1},
	[PPM_KEYCTL_GET_SECURITY] = {3},
	[PPM_KEYCTL_SESSION_TO_PARENT] = {0},
	[PPM_KEYCTL_REJECT] = {4},
	[PPM_KEYCTL_INSTANTIATE_IOV] = {4},
	[PPM_KEYCTL_INVALIDATE] = {1},
	[PPM_KEYCTL_GET_PERSISTENT] = {2},
	[PPM_KEYCTL_DH_COMPUTE] = {4},
	[PPM_KEYCTL_PKEY_QUERY] = {3, 4},
	[PPM_KEYCTL_PKEY_ENCRYPT] = {4, 2},
	[PPM_KEYCTL_PKEY_DECRYPT] = {4, 2},
	[PPM_KEYCTL_PKEY_SIGN] = {4, 2},
	[PPM_KEYCTL_PKEY_VERIFY] = {4, 2},
	[PPM_KEYCTL_RESTRICT_KEYRING] = {3, 2 | 4},
	[PPM_KEYCTL_MOVE] = {4},
	[PPM_KEYCTL_CAPABILITIES] = {2},
	[PPM_KEYCTL_WATCH_KEY] = {3},
};

static __always_inline void store_key_argument(struct event *e, const struct key_operation *op, u32 i, u64 value)
{
	u32 start = e->pos;

	if (op->strings & 1 << i) {
		push_u8(e, PPM_KEYCTL_IDX_CHARBUF);
		if (value)
			push_string(e, (void *)value, MAX_PATH, USER);
	} else {
		push_u8(e, PPM_KEYCTL_IDX_INT64);
		push_u64(e, i < op->args ? value : 0);
	}
	advance(e, 0);
	param_len(e, e->pos - start);
}

/* int keyctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5) */
CALL(keyctl, SYSCALL_KEYCTL_X)
{
	u32 operation = arg(c, 0);
	struct key_operation op = LOOK_UP(key_operations, operation);

	store_s64(e, c->ret);			     /* res */
	store_u32(e, operation);		     /* operation */
	store_key_argument(e, &op, 0, arg(c, 1)); /* arg2 */
	store_key_argument(e, &op, 1, arg(c, 2)); /* arg3 */
	store_key_argument(e, &op, 2, arg(c, 3)); /* arg4 */
	store_key_argument(e, &op, 3, arg(c, 4)); /* arg5 */
}
