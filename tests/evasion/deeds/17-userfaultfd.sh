# technique: `userfaultfd`
# source: T1068
# rule: evt.type=userfaultfd and proc.cmdline contains $K
perl -e 'syscall(323, 1)' $K
