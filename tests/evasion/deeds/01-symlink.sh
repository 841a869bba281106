# technique: A symbolic link to a watched file, then the link opened
# source: github.com/blackberry/Falco-bypasses; falco#2916; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=openat and evt.is_open_read=true and fd.name=$D/secret and fd.nameraw=$D/innocent
echo x > $D/secret
ln -s $D/secret $D/innocent
cat $D/innocent
