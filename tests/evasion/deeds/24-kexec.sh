# technique: `kexec_load` (refused: no segments, bad flags)
# source: T1542
# rule: evt.type=kexec_load and proc.cmdline contains $K
perl -e 'syscall(246, 0, 17, 0, -1)' $K
