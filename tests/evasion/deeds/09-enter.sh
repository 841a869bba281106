# technique: A ring is used: work is handed over (`io_uring_enter`)
# source: ARMO, Curing, 2025; libs#252
# rule: evt.type=io_uring_enter and proc.cmdline contains $K
perl -e 'my $p = "\0" x 212; my $r = syscall(425, 4, $p); syscall(426, $r, 1, 0, 0, 0, 0)' $K
