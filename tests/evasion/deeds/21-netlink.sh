# technique: A netlink socket
# source: common practice
# rule: evt.type=socket and evt.arg.domain contains AF_NETLINK and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 16, 3, 0)' $K
