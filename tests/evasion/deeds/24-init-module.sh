# technique: A kernel module loaded from memory
# source: T1547.006
# rule: evt.type=init_module and proc.cmdline contains $K
perl -e 'my $m = "none"; syscall(175, $m, 4, "$z")' $K
