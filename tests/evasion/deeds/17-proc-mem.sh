# technique: Another's memory by `/proc/PID/mem`
# source: common practice; T1055.009
# rule: evt.type=openat and evt.is_open_write=true and fd.name glob /proc/*/mem and proc.cmdline contains $K
perl -e 'my $c = fork; unless ($c) { sleep 5; exit } open(M, "+<", "/proc/$c/mem"); kill 9, $c; wait' $K
