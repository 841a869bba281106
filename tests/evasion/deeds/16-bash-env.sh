# technique: `BASH_ENV` in the environment
# source: common practice; T1574.006
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.env contains "BASH_ENV=/nowhere"
BASH_ENV=/nowhere /bin/true $K 2>/dev/null
