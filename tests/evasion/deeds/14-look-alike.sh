# technique: Unicode look-alikes: the bytes are told as they are
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.exepath contains $D/b and not proc.name=bash
cp /bin/true $D/bаsh
$D/bаsh
