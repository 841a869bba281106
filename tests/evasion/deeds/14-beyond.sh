# technique: A deed beyond the 4,096 bytes of arguments that are kept: that they are cut can be told
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.args startswith $K and proc.cmdlenargs>=4000
/bin/true $K $(printf 'x%.0s' $(seq 5000)) --evil
