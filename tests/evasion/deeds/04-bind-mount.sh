# technique: A bind mount over a watched path
# source: HackTricks, mount namespace
# rule: evt.type=mount and evt.arg.dir startswith $D/watched
mkdir -p $D/watched $D/other
unshare -m sh -c "mount --bind $D/other $D/watched && echo x > $D/watched/file"
