# technique: `name_to_handle_at` and `open_by_handle_at`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=open_by_handle_at and evt.failed=false and fd.name=$D/file
echo x > $D/file
perl -e 'my $d = syscall(257, -100, "$ENV{D}", 0200000, 0); my $h = pack("Li", 128, 0) . "\0" x 128; my $m = pack("i", 0); syscall(303, -100, "$ENV{D}/file", $h, $m, 0); syscall(304, $d, $h, 0)' $K
