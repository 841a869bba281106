# technique: `PR_SET_CHILD_SUBREAPER`
# source: common practice
# rule: evt.type=prctl and evt.arg.option=PR_SET_CHILD_SUBREAPER and proc.cmdline contains $K
perl -e 'syscall(157, 36, 1)' $K
