# technique: Started under `ptrace`
# source: common practice
# rule: evt.type=ptrace and proc.cmdline contains $K
perl -e 'unless (fork) { syscall(101, 0, 0, 0, 0); exit } wait' $K
