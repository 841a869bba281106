# technique: `kubelet.conf` opened to be written (its like, in a place of the test's own)
# source: HackTricks, docker breakout; T1611
# rule: evt.type=openat and evt.is_open_write=true and fd.filename=kubelet.conf and fd.name startswith $D
echo x > $D/kubelet.conf
