# technique: `splice` from a file into a pipe
# source: falco#676; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=splice and evt.failed=false and evt.arg.fd_in contains $D/a
echo x > $D/a
perl -e 'open(A, "<", "$ENV{D}/a"); pipe(R, W); syscall(275, fileno(A), 0, fileno(W), 0, 2, 0)' $K
