# technique: Execution of a file that has no name any more
# source: common practice
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.exepath contains deleted
cp /bin/true $D/prog
perl -e 'open(F, "<", "$ENV{D}/prog"); use Fcntl; fcntl(F, F_SETFD, 0); unlink("$ENV{D}/prog"); my $f = fileno(F); exec {"/proc/self/fd/$f"} "true", $ARGV[0]' $K
