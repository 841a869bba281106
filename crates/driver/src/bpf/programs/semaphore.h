/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Semaphores of System V. Kernel side: linux/ipc.h, linux/sem.h. */
#pragma once

#include "form.h"

#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define IPC_NOWAIT 04000
#define SEM_UNDO 0x1000
#define SETVAL 16

struct user_sembuf {
	u16 sem_num;
	s16 sem_op, sem_flg;
};

/* int semget(key_t key, int nsems, int semflg) */
CALL(semget, SYSCALL_SEMGET_X)
{
	u32 flags = arg(c, 2);

	store_s64(e, c->ret);	 /* res */
	store_u32(e, arg(c, 0)); /* key */
	store_u32(e, arg(c, 1)); /* nsems */
	store_u32(e, BIT_TO(flags, IPC_CREAT, PPM_IPC_CREAT) | BIT_TO(flags, IPC_EXCL, PPM_IPC_EXCL)); /* semflg */
}

static __always_inline void store_semaphore(struct event *e, const struct user_sembuf *operation)
{
	u32 flags = operation->sem_flg;

	store_u16(e, operation->sem_num); /* sem_num */
	store_u16(e, operation->sem_op);  /* sem_op */
	store_u16(e, BIT_TO(flags, IPC_NOWAIT, PPM_IPC_NOWAIT) | BIT_TO(flags, SEM_UNDO, PPM_SEM_UNDO)); /* sem_flg */
}

/* int semop(int semid, struct sembuf *sops, unsigned int nsops): the first two operations of a call that succeeded */
CALL(semop, SYSCALL_SEMOP_X)
{
	struct user_sembuf operations[2] = {};
	u32 count = arg(c, 2);

	if (c->ret == 0 && count == 1)
		bpf_probe_read_user(operations, sizeof(operations[0]), (void *)arg(c, 1));
	else if (c->ret == 0 && count)
		bpf_probe_read_user(operations, sizeof(operations), (void *)arg(c, 1));
	store_s64(e, c->ret);		   /* res */
	store_u32(e, count);		   /* nsops */
	store_semaphore(e, &operations[0]); /* sem_num_0, sem_op_0, sem_flg_0 */
	store_semaphore(e, &operations[1]); /* sem_num_1, sem_op_1, sem_flg_1 */
	store_u32(e, arg(c, 0));	   /* semid */
}

static __always_inline u16 semctl_command(u32 command)
{
	static const u16 commands[32] = {
		[0] = PPM_IPC_RMID, [1] = PPM_IPC_SET,	  [2] = PPM_IPC_STAT,  [3] = PPM_IPC_INFO,  [11] = PPM_GETPID,
		[12] = PPM_GETVAL,  [13] = PPM_GETALL,	  [14] = PPM_GETNCNT,  [15] = PPM_GETZCNT,  [16] = PPM_SETVAL,
		[17] = PPM_SETALL,  [18] = PPM_SEM_STAT, [19] = PPM_SEM_INFO,
	};

	return LOOK_UP(commands, command);
}

/* int semctl(int semid, int semnum, int cmd, unsigned long arg) */
CALL(semctl, SYSCALL_SEMCTL_X)
{
	u16 command = arg(c, 2);

	store_s64(e, c->ret);				 /* res */
	store_u32(e, arg(c, 0));			 /* semid */
	store_u32(e, arg(c, 1));			 /* semnum */
	store_u16(e, semctl_command(command));		 /* cmd */
	store_u32(e, command == SETVAL ? arg(c, 3) : 0); /* val */
}
