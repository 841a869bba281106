# technique: Double fork and reparenting
# source: common practice
# rule: evt.type in (execve, execveat) and proc.args contains $K and proc.name=true
perl -e 'unless (fork) { unless (fork) { exec "/bin/true", $ARGV[0] } exit } wait' $K
perl -e 'select(undef, undef, undef, 0.05)'
