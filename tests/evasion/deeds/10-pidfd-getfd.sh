# technique: A descriptor taken from another process by `pidfd_getfd`
# source: state drift in trackers
# rule: evt.type=pidfd_getfd and evt.failed=false and fd.name=$D/file
echo x > $D/file
perl -e 'open(F, "<", "$ENV{D}/file"); my $p = syscall(434, 0+$$, 0); syscall(438, $p, fileno(F), 0)' $K
