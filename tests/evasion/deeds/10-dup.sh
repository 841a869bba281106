# technique: A descriptor under another number by `fcntl F_DUPFD`, read under that number
# source: state drift in trackers
# rule: evt.type=read and fd.num=77 and fd.name=$D/file
echo x > $D/file
perl -e 'open(F, "<", "$ENV{D}/file"); syscall(72, fileno(F), 0, 77); my $b = "\0" x 8; syscall(0, 77, $b, 8)' $K
