# technique: A connection made by the shell itself (`/dev/tcp`), nothing executed
# source: Di Donato, Bypass Falco, KubeCon 2020; GTFOBins
# rule: evt.type=connect and proc.name=bash and evt.arg.addr=127.0.0.1:1
bash -c 'exec 3<>/dev/tcp/127.0.0.1/1' 2>/dev/null $K
