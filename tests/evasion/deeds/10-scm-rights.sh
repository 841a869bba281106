# technique: A descriptor handed over by `SCM_RIGHTS`
# source: state drift in trackers
# rule: evt.type=recvmsg and evt.failed=false and proc.cmdline contains $K
echo x > $D/file
perl -e 'use Socket; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); open(F, "<", "$ENV{D}/file"); my $x = "x"; my $v = pack("PQ", $x, 1); my $c = pack("Qiii", 20, 1, 1, fileno(F)) . "\0" x 4; my $m = pack("QQPQPQQ", 0, 0, $v, 1, $c, 24, 0); syscall(46, fileno(A), $m, 0); my $y = " "; my $w = pack("PQ", $y, 1); my $d = "\0" x 24; my $n = pack("QQPQPQQ", 0, 0, $w, 1, $d, 24, 0); syscall(47, fileno(B), $n, 0)' $K
