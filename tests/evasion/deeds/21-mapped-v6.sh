# technique: An IPv4 address inside an IPv6 one
# source: common practice
# rule: evt.type=connect and evt.arg.addr=::ffff:127.0.0.1:2 and proc.cmdline contains $K
perl -e 'use Socket; socket(S, 10, 1, 0); connect(S, pack("Sna4a16L", 10, 2, "", "\0" x 10 . "\xff\xff\x7f\0\0\1", 0))' $K
