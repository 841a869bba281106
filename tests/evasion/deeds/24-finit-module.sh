# technique: A kernel module loaded from a file
# source: T1547.006
# rule: evt.type=finit_module and fd.name=$D/mod.ko
echo none > $D/mod.ko
perl -e 'open(F, "<", "$ENV{D}/mod.ko"); syscall(313, fileno(F), "$z", 0)' $K
