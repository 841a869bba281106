# technique: `renameat2` with an exchange
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=renameat2 and evt.arg.oldpath=$D/a and evt.arg.newpath=$D/b
echo a > $D/a; echo b > $D/b
perl -e 'syscall(316, -100, "$ENV{D}/a", -100, "$ENV{D}/b", 2)' $K
