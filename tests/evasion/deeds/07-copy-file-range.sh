# technique: `copy_file_range`: a file read and written without either
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=copy_file_range and evt.failed=false and proc.cmdline contains $K
echo x > $D/a
perl -e 'open(A, "<", "$ENV{D}/a"); open(B, ">", "$ENV{D}/b"); syscall(326, fileno(A), 0, fileno(B), 0, 2, 0)' $K
