# technique: `close_range`, and the numbers used anew
# source: state drift in trackers
# rule: evt.type=close_range and proc.cmdline contains $K
perl -e 'open(F, "<", "/dev/null"); syscall(436, fileno(F), fileno(F), 0)' $K
