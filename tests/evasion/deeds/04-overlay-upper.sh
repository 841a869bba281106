# technique: A file written to an overlay's upper directory from outside
# source: HackTricks, docker breakout
# rule: evt.type=openat and evt.is_open_write=true and fd.name=$D/upper/file
mkdir -p $D/upper
echo x > $D/upper/file
