# technique: `bpf()` loads a program
# source: Datadog Security Labs on VoidLink and LinkPro, 2026
# rule: evt.type=bpf and evt.arg.cmd=BPF_PROG_LOAD and proc.cmdline contains $K
perl -e 'my $a = "\0" x 128; syscall(321, 5, $a, 128)' $K
