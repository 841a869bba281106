# technique: A ring is made (`io_uring_setup`), and one that a thread of the kernel's polls
# source: ARMO, Curing, 2025; libs#252
# rule: evt.type=io_uring_setup and evt.failed=false and evt.arg.flags contains IORING_SETUP_SQPOLL and proc.cmdline contains $K
perl -e 'my $p = pack("LLL", 0, 0, 2) . "\0" x 200; syscall(425, 4, $p)' $K
