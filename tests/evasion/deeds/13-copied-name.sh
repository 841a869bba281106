# technique: A copy called like an allowed program
# source: github.com/blackberry/Falco-bypasses; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type in (execve, execveat) and proc.name=systemd-logind and proc.exepath=$D/systemd-logind
cp /bin/true $D/systemd-logind
$D/systemd-logind
