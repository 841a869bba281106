# technique: `bpf()` walks over the programs of others
# source: Datadog Security Labs on VoidLink and LinkPro, 2026
# rule: evt.type=bpf and evt.arg.cmd=BPF_PROG_GET_NEXT_ID and proc.cmdline contains $K
perl -e 'my $a = "\0" x 128; syscall(321, 11, $a, 128)' $K
