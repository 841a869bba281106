# technique: `argv[0]` of choice: executable and first argument differ
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.exe=sshd and proc.exepath endswith /true
perl -e 'exec {"/bin/true"} "sshd", $ARGV[0]' $K
