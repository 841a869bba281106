# technique: `setsid`, away from the terminal
# source: common practice
# rule: evt.type=setsid and proc.cmdline contains $K
perl -e 'use POSIX; unless (fork) { POSIX::setsid(); exit } wait' $K
