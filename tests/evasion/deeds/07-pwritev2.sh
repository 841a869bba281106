# technique: `pwritev2` for `write`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=pwritev2 and proc.cmdline contains $K
perl -e 'open(F, ">", "$ENV{D}/file"); my $b = "hidden\n"; my $v = pack("PQ", $b, 7); syscall(328, fileno(F), $v, 1, 0, 0, 0)' $K
