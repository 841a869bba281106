# technique: The path changed by another thread between check and use: what the kernel opened is told
# source: CVE-2022-26316; CVE-2021-33505; Guo and Zeng, Phantom Attack, DEF CON 29; Watson, WOOT 2007
# rule: evt.type=openat and fd.name=$D/secret
echo x > $D/secret; echo y > $D/innocent; ln -s $D/innocent $D/link
perl -e 'my $d = $ENV{D}; unless (fork) { for (1..50) { symlink("$d/secret", "$d/n"); rename("$d/n", "$d/link"); symlink("$d/innocent", "$d/n"); rename("$d/n", "$d/link") } exit } for (1..200) { open(my $f, "<", "$d/link") and <$f> eq "x\n" and last } wait; symlink("$d/secret", "$d/n"); rename("$d/n", "$d/link"); open(F, "<", "$d/link")'
