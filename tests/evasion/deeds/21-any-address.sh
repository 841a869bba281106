# technique: `connect` to 0.0.0.0
# source: common practice
# rule: evt.type=connect and evt.arg.addr=0.0.0.0:5 and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 1, 0); connect(S, sockaddr_in(5, inet_aton("0.0.0.0")))' $K
