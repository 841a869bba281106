# technique: A socket between machines (`AF_VSOCK`)
# source: common practice
# rule: evt.type=socket and evt.failed=false and evt.arg.domain=AF_UNSPEC and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 40, 1, 0)' $K
