# technique: `/dev/kmsg` opened
# source: T1070
# rule: evt.type=openat and fd.name=/dev/kmsg and proc.cmdline contains $K
perl -e 'syscall(257, -100, "/dev/kmsg$z", 0, 0)' $K
