# technique: Another name by `prctl(PR_SET_NAME)`: the executable stays
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=prctl and evt.arg.option=PR_SET_NAME and evt.arg.arg2_str=sshd and proc.exepath contains perl
perl -e 'syscall(157, 15, "sshd$z")' $K
