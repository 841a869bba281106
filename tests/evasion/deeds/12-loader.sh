# technique: The dynamic loader run as a program
# source: github.com/blackberry/Falco-bypasses; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type in (execve, execveat) and proc.exepath contains /ld-linux and proc.args contains "/true $K"
/lib64/ld-linux-x86-64.so.2 /bin/true $K
