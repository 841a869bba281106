# technique: `sendfile` from a file into another
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=sendfile and evt.failed=false and proc.cmdline contains $K
echo x > $D/a
perl -e 'open(A, "<", "$ENV{D}/a"); open(B, ">", "$ENV{D}/b"); syscall(40, fileno(B), fileno(A), 0, 2)' $K
