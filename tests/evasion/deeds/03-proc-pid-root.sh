# technique: A path through another process's root, as `/proc/1/root`
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=openat and fd.name=$D/secret and fd.nameraw startswith /proc/
echo x > $D/secret
cat /proc/$$/root$D/secret
