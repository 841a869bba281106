# technique: `process_vm_writev` for `write`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=process_vm_writev and proc.cmdline contains $K
perl -e 'my $b = "hidden"; my $t = "\0" x 6; my $l = pack("PQ", $b, 6); my $r = pack("PQ", $t, 6); syscall(311, 0+$$, $l, 1, $r, 1, 0)' $K
