# technique: One step per process: each step is an event with its ancestors
# source: sequence rules
# rule: evt.type=openat and evt.is_open_write=true and fd.name=$D/step2 and proc.pname=sh
sh -c "echo x > $D/step1"
sh -c "echo x > $D/step2"
