/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Calls without an event of their own: which it was. The loader puts this program at every number that has none. */
#pragma once

#include "form.h"

CALL(generic, GENERIC_X)
{
	u32 number = native_number(c);

	store_u16(e, number < MAX_CALLS ? call_ids[number] : 0); /* ID */
	store_u16(e, number);					  /* nativeID */
}
