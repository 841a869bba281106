# technique: `pivot_root` in a mount namespace of one's own
# source: HackTricks, mount namespace
# rule: evt.type=pivot_root and proc.cmdline contains $K
mkdir -p $D/new
unshare -m perl -e 'my ($t, $h) = ("tmpfs", "hidepid=2"); syscall(165, $t, "$ENV{D}/new", $t, 0, 0); mkdir("$ENV{D}/new/old"); syscall(155, "$ENV{D}/new", "$ENV{D}/new/old")' $K
