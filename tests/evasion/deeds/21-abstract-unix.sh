# technique: An abstract unix socket
# source: common practice
# rule: evt.type=bind and evt.arg.addr contains hidden and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 1, 1, 0); bind(S, pack("S", 1) . "\0hidden$$")' $K
