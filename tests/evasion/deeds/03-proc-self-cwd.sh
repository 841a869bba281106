# technique: A path through `/proc/self/cwd`
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type=openat and fd.name=$D/secret and fd.nameraw=/proc/self/cwd/secret
echo x > $D/secret
cd $D
cat /proc/self/cwd/secret
