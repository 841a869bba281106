# technique: `setns` through `/proc/PID/ns`
# source: common practice
# rule: evt.type=setns and evt.failed=false and fd.name glob /proc/*/ns/* and proc.cmdline contains $K
perl -e 'open(N, "<", "/proc/self/ns/uts"); syscall(308, fileno(N), 0)' $K
