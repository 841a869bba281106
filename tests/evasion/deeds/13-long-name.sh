# technique: A name that is cut at 15 characters like another: the path is whole
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.exepath=$D/systemd-resolvexyz
cp /bin/true $D/systemd-resolvexyz
$D/systemd-resolvexyz
