# technique: Options split or joined
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.args contains "-rx -f" and proc.args contains $K
/bin/true -r""x -f $K
