# technique: `NODE_OPTIONS` in the environment
# source: common practice; T1574.006
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.env contains "NODE_OPTIONS=/nowhere"
NODE_OPTIONS=/nowhere /bin/true $K 2>/dev/null
