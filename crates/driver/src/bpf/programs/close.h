/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#pragma once

#include "form.h"

/* int close(unsigned int fd) */
CALL(close, SYSCALL_CLOSE_X)
{
	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
}
