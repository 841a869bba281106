# technique: The descriptor of `dirfd` replaced before user space resolves it
# source: falcosecurity/libs PR#2817
# rule: evt.type=openat and evt.failed=false and fd.name=$D/watched/file
mkdir -p $D/watched $D/other; echo x > $D/watched/file
perl -e 'my $d = $ENV{D}; my $w = syscall(257, -100, "$d/watched", 0200000, 0); my $o = syscall(257, -100, "$d/other", 0200000, 0); syscall(257, $w, "file", 0, 0); syscall(33, $o, $w)'
