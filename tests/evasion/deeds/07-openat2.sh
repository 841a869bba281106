# technique: `openat2` for `open`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=openat2 and fd.name=$D/file and fd.num>=0
echo x > $D/file
perl -e 'my $how = pack("QQQ", 0, 0, 0); syscall(437, -100, "$ENV{D}/file", $how, 24)' $K
