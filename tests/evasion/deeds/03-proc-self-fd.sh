# technique: `/proc/self/fd/N` of a descriptor that is open already
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=openat and fd.name=$D/secret and fd.nameraw=/proc/self/fd/7
echo x > $D/secret
exec 7<$D/secret
cat /proc/self/fd/7
