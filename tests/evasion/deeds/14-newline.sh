# technique: Control characters and newlines to break log lines
# source: falco#3895
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.args contains forged
/bin/true "$(printf 'a\nforged\033[2J')" $K
