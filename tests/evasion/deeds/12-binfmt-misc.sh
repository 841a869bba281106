# technique: Registration with `binfmt_misc` (the file that would be written, in a place of the test's own)
# source: toffan/binfmt_misc
# rule: evt.type=openat and evt.is_open_write=true and fd.filename=register and fd.name startswith $D
mkdir -p $D/binfmt_misc
echo x > $D/binfmt_misc/register
