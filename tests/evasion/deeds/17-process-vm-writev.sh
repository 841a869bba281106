# technique: `process_vm_writev` into another
# source: T1055
# rule: evt.type=process_vm_writev and evt.arg.pid!=0 and proc.cmdline contains $K
perl -e 'my $b = "x"; my $c = fork; unless ($c) { sleep 5; exit } my $l = pack("PQ", $b, 1); syscall(311, $c, $l, 1, $l, 1, 0); kill 9, $c; wait' $K
