# technique: `preadv2` for `read`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=preadv2 and proc.cmdline contains $K
echo x > $D/file
perl -e 'open(F, "<", "$ENV{D}/file"); my $b = "\0" x 8; my $v = pack("PQ", $b, 8); syscall(327, fileno(F), $v, 1, 0, 0, 0)' $K
