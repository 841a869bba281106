# technique: `GLIBC_TUNABLES` in the environment
# source: common practice; CVE-2023-4911
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.env contains "GLIBC_TUNABLES=/nowhere"
GLIBC_TUNABLES=/nowhere /bin/true $K 2>/dev/null
