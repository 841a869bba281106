# technique: SCTP
# source: common practice
# rule: evt.type=socket and evt.arg.proto=132 and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 2, 1, 132)' $K
