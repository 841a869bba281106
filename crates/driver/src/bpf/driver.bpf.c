/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The kernel programs, one translation unit. What they share with the loader is told in maps.h; how a program is
 * written, in programs/form.h. The ladder: base (event, call, scope) - extract (what the kernel knows) - store
 * (parameters and records) - programs (one form a call).
 */
#include "programs/dispatch.h"

#include "programs/attributes.h"
#include "programs/clone.h"
#include "programs/close.h"
#include "programs/descriptor.h"
#include "programs/directory.h"
#include "programs/dup.h"
#include "programs/exec.h"
#include "programs/exit.h"
#include "programs/generic.h"
#include "programs/hooks.h"
#include "programs/identity.h"
#include "programs/kernel_door.h"
#include "programs/keys.h"
#include "programs/link.h"
#include "programs/memory.h"
#include "programs/message.h"
#include "programs/messages.h"
#include "programs/mount.h"
#include "programs/namespace.h"
#include "programs/node.h"
#include "programs/open.h"
#include "programs/option.h"
#include "programs/path.h"
#include "programs/pipe.h"
#include "programs/position.h"
#include "programs/ptrace.h"
#include "programs/quota.h"
#include "programs/semaphore.h"
#include "programs/signal.h"
#include "programs/socket.h"
#include "programs/status.h"
#include "programs/transfer.h"
#include "programs/wait.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
