# technique: Shared memory by `shmget`
# source: common practice
# rule: evt.type=shmget and proc.cmdline contains $K
perl -e 'my $i = syscall(29, 0, 4096, 01600); syscall(31, $i, 0, 0)' $K
