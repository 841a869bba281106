# technique: `docker.sock` opened to be written (its like, in a place of the test's own)
# source: HackTricks, docker breakout; T1611
# rule: evt.type=openat and evt.is_open_write=true and fd.filename=docker.sock and fd.name startswith $D
echo x > $D/docker.sock
