# technique: `PYTHONSTARTUP` in the environment
# source: common practice; T1574.006
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.env contains "PYTHONSTARTUP=/nowhere"
PYTHONSTARTUP=/nowhere /bin/true $K 2>/dev/null
