# technique: A read of a descriptor opened by an ancestor: named all the same
# source: state drift in trackers
# rule: evt.type=read and proc.name=cat and fd.name=$D/file
echo x > $D/file
exec 8<$D/file
cat <&8
