# technique: `execveat` for `execve`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type in (execve, execveat) and proc.exepath endswith /true and proc.args contains $K
perl -e 'my $f = syscall(257, -100, "/bin/true$z", 0, 0); my @a = ("true\0", "$ARGV[0]\0"); my $v = pack("PPQ", $a[0], $a[1], 0); my $e = pack("Q", 0); syscall(322, $f, "$z", $v, $e, 0x1000)' $K
