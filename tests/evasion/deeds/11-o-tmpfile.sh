# technique: A file made without a name (`O_TMPFILE`) to be executed
# source: common practice
# rule: evt.type=openat and evt.is_open_create=true and evt.arg.flags contains O_TMPFILE and fd.name startswith $D
perl -e 'syscall(257, -100, "$ENV{D}", 020200000 | 2, 0700)' $K
