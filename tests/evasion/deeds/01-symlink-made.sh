# technique: The making of the link itself
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (symlink, symlinkat) and evt.arg.target=$D/secret
ln -s $D/secret $D/innocent
