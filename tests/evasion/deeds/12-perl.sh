# technique: Program text as an argument (`perl -e`, `python -c`)
# source: Di Donato, Bypass Falco, KubeCon 2020; GTFOBins
# rule: evt.type in (execve, execveat) and proc.name=perl and proc.args startswith "-e " and proc.args contains $K
perl -e '1' $K
