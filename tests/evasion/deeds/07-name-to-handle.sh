# technique: `name_to_handle_at` alone
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=name_to_handle_at and proc.cmdline contains $K
echo x > $D/file
perl -e 'my $h = pack("Li", 128, 0) . "\0" x 128; my $m = pack("i", 0); syscall(303, -100, "$ENV{D}/file", $h, $m, 0)' $K
