# technique: A path through `/proc/self/root`
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=openat and fd.name=$D/secret and fd.nameraw startswith /proc/self/root
echo x > $D/secret
cat /proc/self/root$D/secret
