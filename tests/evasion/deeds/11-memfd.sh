# technique: Execution of a file in memory (`memfd_create`)
# source: rules PR#98; T1620
# rule: evt.type in (execve, execveat) and proc.is_exe_from_memfd=true and proc.args contains $K
perl -e 'open(T, "<", "/bin/true"); binmode T; local $/; my $b = <T>; my $f = syscall(319, "hidden$z", 0); syscall(1, $f, $b, length $b); exec {"/proc/self/fd/$f"} "true", $ARGV[0]' $K
