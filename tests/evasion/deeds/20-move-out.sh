# technique: A process moves to another cgroup (the file that is written for it, in a place of the test's own)
# source: metadata confusion
# rule: evt.type=openat and evt.is_open_write=true and fd.filename=cgroup.procs and fd.name startswith $D
echo $$ > $D/cgroup.procs
