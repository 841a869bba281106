# technique: Many blanks, empty arguments
# source: github.com/blackberry/Falco-bypasses
# rule: evt.type in (execve, execveat) and proc.args contains "a                        b" and proc.args contains $K
/bin/true 'a                        b' '' '' $K
