# technique: A descriptor inherited across fork and exec, read by another program
# source: state drift in trackers
# rule: evt.type=read and proc.name=head and fd.name=$D/file
echo x > $D/file
head -c 1 < $D/file
