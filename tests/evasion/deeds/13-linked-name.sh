# technique: A link called otherwise: the path is that of the file, the name that of the link
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.name=harmless and not proc.exepath contains harmless and evt.arg.filename=$D/harmless
ln -s /bin/true $D/harmless
$D/harmless
