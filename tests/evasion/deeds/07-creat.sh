# technique: `creat` for `open`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=creat and fd.name=$D/file
perl -e 'syscall(85, "$ENV{D}/file", 0644)' $K
