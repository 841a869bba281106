# technique: What the loader really runs: the file that it maps to be executed
# source: github.com/blackberry/Falco-bypasses; Di Donato, Bypass Falco, KubeCon 2020
# rule: evt.type=mmap and evt.arg.prot contains PROT_EXEC and fd.name=$D/prog and proc.exepath contains /ld-linux
cp /bin/true $D/prog
/lib64/ld-linux-x86-64.so.2 $D/prog
