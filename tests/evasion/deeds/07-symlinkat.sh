# technique: `symlinkat` for `symlink`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=symlinkat and evt.arg.linkpath=$D/link
perl -e 'syscall(266, "/etc/shadow$z", -100, "$ENV{D}/link")' $K
