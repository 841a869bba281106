# technique: TCP fast open: data with the first packet, no `connect`
# source: common practice
# rule: evt.type in (sendto, sendmsg) and evt.rawarg.fd>0 and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 1, 0); send(S, "x", 0x20000000, sockaddr_in(6, inet_aton("127.0.0.1")))' $K
