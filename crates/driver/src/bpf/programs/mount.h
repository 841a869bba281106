/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* File systems are mounted and unmounted. */
#pragma once

#include "form.h"

#define MS_MGC_VAL 0xC0ED0000
#define MS_MGC_MSK 0xffff0000

/* int mount(char *dev_name, char *dir_name, char *type, unsigned long flags, void *data) */
CALL(mount, SYSCALL_MOUNT_X)
{
	u32 flags = arg(c, 3);

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL) /* a magic number of old, which the kernel ignores */
		flags &= ~MS_MGC_MSK;
	store_s64(e, c->ret);	    /* res */
	store_string(e, arg(c, 0)); /* dev */
	store_string(e, arg(c, 1)); /* dir */
	store_string(e, arg(c, 2)); /* type */
	store_u32(e, flags);	    /* flags */
}

/* int umount(char *name, int flags) */
CALL(umount2, SYSCALL_UMOUNT2_X)
{
	store_s64(e, c->ret);	       /* res */
	store_string(e, arg(c, 0));    /* name */
	store_u32(e, is_i386(c, I386_UMOUNT) ? 0 : arg(c, 1) & 0xf); /* flags */
}

/* int fsconfig(int fs_fd, unsigned int cmd, const char *key, const void *value, int aux): a value that the kernel took */
CALL(fsconfig, SYSCALL_FSCONFIG_X)
{
	u32 cmd = arg(c, 1);
	s32 aux = arg(c, 4);
	u64 value = c->ret < 0 ? 0 : arg(c, 3);
	bool text = cmd == PPM_FSCONFIG_SET_STRING || cmd == PPM_FSCONFIG_SET_PATH || cmd == PPM_FSCONFIG_SET_PATH_EMPTY;

	store_s64(e, c->ret);	      /* res */
	store_s64(e, (s32)arg(c, 0)); /* fd */
	store_u32(e, cmd);	      /* cmd */
	store_string(e, arg(c, 2));   /* key */
	if (cmd == PPM_FSCONFIG_SET_BINARY && aux > 0)
		store_bytes(e, value, aux < MAX_BYTES - MAX_PATH ? aux : MAX_BYTES - MAX_PATH); /* value_bytebuf */
	else
		store_empty(e);
	store_string(e, text ? value : 0); /* value_charbuf */
	store_u32(e, aux);		   /* aux */
}
