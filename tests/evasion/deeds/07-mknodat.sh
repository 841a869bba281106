# technique: `mknodat` for `mknod`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=mknodat and evt.arg.path=$D/node
perl -e 'syscall(259, -100, "$ENV{D}/node", 0010644, 0)' $K
