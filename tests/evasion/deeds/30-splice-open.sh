# technique: The page cache by `splice` of a file that is open
# source: CVE-2022-0847
# rule: evt.type=splice and evt.arg.fd_in contains $D/file and proc.cmdline contains $K
echo x > $D/file
exec 8<$D/file
perl -e 'pipe(R, W); syscall(275, 8, 0, fileno(W), 0, 2, 0)' $K
