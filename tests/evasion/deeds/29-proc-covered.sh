# technique: A tmpfs over `/proc/PID`
# source: Aqua, Kinsing and others; T1564
# rule: evt.type=mount and evt.arg.dir startswith /proc/ and proc.cmdline contains $K
unshare -m perl -e 'my ($t, $h) = ("tmpfs", "hidepid=2"); syscall(165, $t, "/proc/$$", $t, 0, 0)' $K
