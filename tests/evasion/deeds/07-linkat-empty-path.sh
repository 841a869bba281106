# technique: `linkat` with `AT_EMPTY_PATH` of a file that has no name
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=linkat and evt.arg.flags contains AT_EMPTY_PATH and evt.arg.newpath=$D/named
perl -e 'my $f = syscall(257, -100, "$ENV{D}", 020200000 | 2, 0600); syscall(265, $f, "$z", -100, "$ENV{D}/named", 0x1000)' $K
