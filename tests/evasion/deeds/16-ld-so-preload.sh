# technique: `/etc/ld.so.preload` (its like, in a place of the test's own)
# source: T1574.006
# rule: evt.type=openat and evt.is_open_write=true and fd.name=$D/etc/ld.so.preload
mkdir -p $D/etc; echo /nowhere > $D/etc/ld.so.preload
