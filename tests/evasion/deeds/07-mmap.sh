# technique: `mmap` for `read`: the file opened and mapped
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=mmap and evt.failed=false and fd.name=$D/file
echo x > $D/file
perl -e 'open(F, "<", "$ENV{D}/file"); syscall(9, 0, 4096, 1, 2, fileno(F), 0)' $K
