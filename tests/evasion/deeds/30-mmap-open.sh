# technique: `mmap` of a file that is open
# source: state drift in trackers
# rule: evt.type=mmap and fd.name=$D/file and proc.cmdline contains $K
echo x > $D/file
exec 8<$D/file
perl -e 'syscall(9, 0, 4096, 1, 2, 8, 0)' $K
