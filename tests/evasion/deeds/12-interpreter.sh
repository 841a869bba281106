# technique: A script by its interpreter: the script is told as well
# source: Di Donato, Bypass Falco, KubeCon 2020; GTFOBins
# rule: evt.type in (execve, execveat) and evt.arg.filename=$D/script
printf '#!/bin/sh\nexit\n' > $D/script; chmod 755 $D/script
$D/script
