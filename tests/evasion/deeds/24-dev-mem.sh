# technique: `/dev/mem` opened
# source: T1014
# rule: evt.type=openat and evt.arg.name=/dev/mem and proc.cmdline contains $K
perl -e 'syscall(257, -100, "/dev/mem$z", 0, 0)' $K
