# technique: `sendmmsg`
# source: common practice
# rule: evt.type=sendmmsg and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 2, 0); my $a = sockaddr_in(4, inet_aton("127.0.0.1")); my $x = "x"; my $v = pack("PQ", $x, 1); my $m = pack("PL x4 P Q Q Q Q L L", $a, 16, $v, 1, 0, 0, 0, 0, 0); syscall(307, fileno(S), $m, 1, 0)' $K
