# technique: `nsenter -t PID`
# source: common practice
# rule: evt.type=setns and proc.name=nsenter and proc.cmdline contains $K
nsenter -t $$ -u true $K
