# technique: A link to a directory elsewhere, then `link/../file`
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=openat and fd.name=$D/watched/file and fd.nameraw=$D/aside/link/../file
mkdir -p $D/watched/below $D/aside
echo x > $D/watched/file
ln -s $D/watched/below $D/aside/link
cat $D/aside/link/../file
