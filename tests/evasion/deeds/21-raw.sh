# technique: A raw socket
# source: common practice
# rule: evt.type=socket and evt.rawarg.type in (3, 524291) and evt.arg.domain=AF_INET and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 3, 1)' $K
