# technique: `ptrace` writes into another
# source: T1055.008
# rule: evt.type=ptrace and evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE) and proc.cmdline contains $K
perl -e 'my $c = fork; unless ($c) { sleep 5; exit } syscall(101, 16, $c, 0, 0); waitpid($c, 0); syscall(101, 5, $c, 0, 0); syscall(101, 17, $c, 0, 0); kill 9, $c; wait' $K
