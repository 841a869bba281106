# technique: UDP without `connect`
# source: common practice
# rule: evt.type=sendto and fd.sport=3 and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 2, 0); send(S, "x", 0, sockaddr_in(3, inet_aton("127.0.0.1")))' $K
