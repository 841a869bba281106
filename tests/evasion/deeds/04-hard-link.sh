# technique: A hard link to a watched file, then the other name read: the same inode
# source: HackTricks, linux privilege escalation
# rule: evt.type in (link, linkat) and evt.arg.oldpath=$D/secret and evt.arg.newpath=$D/other
echo x > $D/secret
ln $D/secret $D/other
cat $D/other
