# technique: A packet socket
# source: common practice
# rule: evt.type=socket and evt.arg.domain=AF_PACKET and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 17, 3, 0x300)' $K
