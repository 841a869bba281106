# technique: `chroot`, so that paths mean something else
# source: common practice
# rule: evt.type=chroot and evt.arg.path=$D/jail
mkdir -p $D/jail
perl -e 'chroot("$ENV{D}/jail"); chdir("/"); open(F, ">", "/file")'
