# technique: `AF_XDP`
# source: common practice
# rule: evt.type=socket and evt.failed=false and evt.arg.domain=AF_UNSPEC and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 44, 3, 0)' $K
