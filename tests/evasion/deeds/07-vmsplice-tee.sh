# technique: `vmsplice` and `tee`: memory into a pipe and on to the next
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type in (vmsplice, tee) and proc.cmdline contains $K
perl -e 'pipe(R, W); pipe(S, X); my $b = "hidden"; my $v = pack("PQ", $b, 6); syscall(278, fileno(W), $v, 1, 0); syscall(276, fileno(R), fileno(X), 6, 0)' $K
