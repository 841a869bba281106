# technique: `faccessat2` for `access`
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=faccessat2 and proc.cmdline contains $K
perl -e 'syscall(439, -100, "/etc/shadow$z", 4, 0)' $K
