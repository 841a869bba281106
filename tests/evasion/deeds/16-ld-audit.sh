# technique: `LD_AUDIT` in the environment
# source: common practice; T1574.006
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.env contains "LD_AUDIT=/nowhere"
LD_AUDIT=/nowhere /bin/true $K 2>/dev/null
