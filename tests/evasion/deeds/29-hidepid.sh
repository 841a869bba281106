# technique: `hidepid`
# source: T1564
# rule: evt.type=mount and evt.arg.type=proc and proc.cmdline contains $K
unshare -m perl -e 'my ($t, $h) = ("proc", "hidepid=2"); syscall(165, $t, "$ENV{D}/", $t, 0, $h)' $K
