# technique: `unshare -Ur`: root of a user namespace
# source: common practice
# rule: evt.type=unshare and evt.arg.flags contains CLONE_NEWUSER and proc.cmdline contains $K
unshare -Ur true $K 2>/dev/null
