# technique: Execution from `/dev/shm`
# source: common practice
# rule: evt.type in (execve, execveat) and proc.exepath startswith /dev/shm/$K
cp /bin/true /dev/shm/$K
/dev/shm/$K
rm -f /dev/shm/$K
