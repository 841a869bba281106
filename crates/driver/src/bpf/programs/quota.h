/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Disk quotas. Kernel side: linux/quota.h, linux/dqblk_xfs.h. */
#pragma once

#include "form.h"

#define Q_SYNC 0x800001	/* the first of eight */
#define Q_XQUOTAON 0x5801 /* the first of seven */

static __always_inline u16 quota_command(u32 command)
{
	static const u16 generic[8] = {PPM_Q_SYNC,    PPM_Q_QUOTAON, PPM_Q_QUOTAOFF,  PPM_Q_GETFMT,
				       PPM_Q_GETINFO, PPM_Q_SETINFO, PPM_Q_GETQUOTA, PPM_Q_SETQUOTA};
	static const u16 xfs[8] = {PPM_Q_XQUOTAON,  PPM_Q_XQUOTAOFF, PPM_Q_XGETQUOTA,	PPM_Q_XSETQLIM,
				   PPM_Q_XGETQSTAT, PPM_Q_XQUOTARM,  PPM_Q_XQUOTASYNC};
	u32 number = command >> 8;

	return LOOK_UP(generic, number - Q_SYNC) | LOOK_UP(xfs, number - Q_XQUOTAON);
}

static __always_inline u8 quota_type(u32 command)
{
	u32 type = command & 0xff;

	return type == 0 ? PPM_USRQUOTA : type == 1 ? PPM_GRPQUOTA : 0;
}

static __always_inline u8 quota_format(u32 format)
{
	static const u8 formats[8] = {[1] = PPM_QFMT_VFS_OLD, [2] = PPM_QFMT_VFS_V0, [4] = PPM_QFMT_VFS_V1};

	return LOOK_UP(formats, format) ?: PPM_QFMT_NOT_USED;
}

/* A value if its bit says that it is valid, else 0; without a branch, whose ways would multiply for the verifier. */
static __always_inline u64 valid(u64 value, u32 bits, u32 bit)
{
	u64 mask = -(u64)(bits / bit & 1);

	barrier_var(mask);
	return value & mask;
}

struct user_dqblk {
	u64 bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime;
	u32 valid;
};

/* A user's limits and use, as far as they are valid. */
static __always_inline void store_quota(struct event *e, u16 command, u64 from)
{
	struct user_dqblk q = {};

	if (command == PPM_Q_GETQUOTA || command == PPM_Q_SETQUOTA)
		bpf_probe_read_user(&q, sizeof(q), (void *)from);
	store_u64(e, valid(q.bhardlimit, q.valid, 1)); /* dqb_bhardlimit */
	store_u64(e, valid(q.bsoftlimit, q.valid, 1)); /* dqb_bsoftlimit */
	store_u64(e, valid(q.curspace, q.valid, 2));   /* dqb_curspace */
	store_u64(e, valid(q.ihardlimit, q.valid, 4)); /* dqb_ihardlimit */
	store_u64(e, valid(q.isoftlimit, q.valid, 4)); /* dqb_isoftlimit */
	store_u64(e, valid(q.btime, q.valid, 16));     /* dqb_btime */
	store_u64(e, valid(q.itime, q.valid, 32));     /* dqb_itime */
}

struct user_dqinfo {
	u64 bgrace, igrace;
	u32 flags, valid;
};

static __always_inline void store_quota_info(struct event *e, u16 command, u64 from)
{
	struct user_dqinfo q = {};

	if (command == PPM_Q_GETINFO || command == PPM_Q_SETINFO)
		bpf_probe_read_user(&q, sizeof(q), (void *)from);
	store_u64(e, valid(q.bgrace, q.valid, 1)); /* dqi_bgrace */
	store_u64(e, valid(q.igrace, q.valid, 2)); /* dqi_igrace */
	store_u8(e, valid(q.flags, q.valid, 4));	  /* dqi_flags */
}

/* int quotactl(unsigned int cmd, const char *special, qid_t id, void *addr) */
CALL(quotactl, SYSCALL_QUOTACTL_X)
{
	u32 number = arg(c, 0), id = arg(c, 2), format = 0;
	u16 command = unknown(e, quota_command(number));
	u64 address = arg(c, 3);
	bool of_one = command == PPM_Q_GETQUOTA || command == PPM_Q_SETQUOTA || command == PPM_Q_XGETQUOTA ||
		      command == PPM_Q_XSETQLIM;

	if (command == PPM_Q_GETFMT)
		bpf_probe_read_user(&format, sizeof(format), (void *)address);
	store_s64(e, c->ret);					      /* res */
	store_string(e, arg(c, 1));				      /* special */
	store_string(e, command == PPM_Q_QUOTAON ? address : 0);     /* quotafilepath */
	store_quota(e, command, address);			      /* dqb_bhardlimit to dqb_itime */
	store_quota_info(e, command, address);			      /* dqi_bgrace to dqi_flags */
	store_u8(e, unknown(e, quota_format(format)));			      /* quota_fmt_out */
	store_u16(e, command);					      /* cmd */
	store_u8(e, unknown(e, quota_type(number)));			      /* type */
	store_u32(e, unknown(e, of_one ? id : 0)); 			      /* id */
	store_u8(e, quota_format(command == PPM_Q_QUOTAON ? id : 0)); /* quota_fmt */
}
