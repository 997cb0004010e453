#!/usr/bin/env bash
# A throw-away Slurm of one node on this machine, as root, without systemd, cgroups and accounting.
#
#   slurm_one_node.sh install              Debian's slurm-wlm and munge, where they are missing
#   slurm_one_node.sh start [FAKE_GPUS]
#   slurm_one_node.sh stop
#
# A fake GPU is a device file: a GPU for Slurm, and none for torch.
set -euo pipefail
CMD=${1:-start}; GPUS=${2:-2}
BASE=${SLURM_BASE:-/tmp/slurm-one-node}
HOST=$(hostname -s)
# At the place that is compiled in: Snakemake's plugin takes SLURM_CONF away from what it starts in a job.
unset SLURM_CONF; CONF=/etc/slurm/slurm.conf
if [ -f "$CONF" ] && ! grep -q '^ClusterName=onenode$' "$CONF"; then
  echo "$CONF belongs to another Slurm: this machine is left alone" >&2; exit 1
fi

stop() {
  for d in slurmd slurmctld munged; do
    [ -f "$BASE/$d.pid" ] && kill "$(cat "$BASE/$d.pid")" 2>/dev/null || true
  done
  # Without it the plugin does not wait for daemons that are gone whenever Snakemake starts.
  rm -f "$CONF"
  sleep 1
}

install() {
  command -v slurmctld >/dev/null && command -v munged >/dev/null || {
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null; }
}

start() {
  install
  rm -rf "$BASE"  # with the jobs that an earlier one had
  mkdir -p "$BASE"/{state,spool} /run/munge /var/log/munge /var/lib/munge
  chown munge: /run/munge /var/log/munge /var/lib/munge; chmod 755 /run/munge
  [ -s /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=128 status=none; }
  chown munge: /etc/munge/munge.key; chmod 400 /etc/munge/munge.key
  munge -n >/dev/null 2>&1 || {
    runuser -u munge -- /usr/sbin/munged --pid-file /run/munge/munged.pid --force
    cp /run/munge/munged.pid "$BASE/munged.pid"; }
  getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >> /etc/hosts

  local mem cpus; mem=$(( $(awk '/MemTotal/{print $2}' /proc/meminfo) / 1024 - 1024 )); cpus=$(nproc)
  mkdir -p /etc/slurm; cat > "$CONF" <<EOF
ClusterName=onenode
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$BASE/state
SlurmdSpoolDir=$BASE/spool
SlurmctldPidFile=$BASE/slurmctld.pid
SlurmdPidFile=$BASE/slurmd.pid
SlurmctldLogFile=$BASE/slurmctld.log
SlurmdLogFile=$BASE/slurmd.log
# no cgroups, no systemd, no slurmdbd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$BASE/jobcomp.txt
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
MinJobAge=3600
MaxJobCount=50000
MaxArraySize=10001
SlurmctldTimeout=60
SlurmdTimeout=60
InactiveLimit=0
KillWait=5
Waittime=0
GresTypes=gpu
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$mem Gres=gpu:$GPUS State=UNKNOWN
PartitionName=cpu Nodes=$HOST Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
PartitionName=gpu Nodes=$HOST MaxTime=INFINITE State=UP OverSubscribe=NO
EOF
  # fake GPUs: device files that exist on any machine (File= gives each an index -> CUDA_VISIBLE_DEVICES)
  : > /etc/slurm/gres.conf
  for ((i=0;i<GPUS;i++)); do
    [ -e "$BASE/fakegpu$i" ] || mknod "$BASE/fakegpu$i" c 1 3
    echo "NodeName=$HOST Name=gpu File=$BASE/fakegpu$i" >> /etc/slurm/gres.conf
  done
  /usr/sbin/slurmctld -f "$CONF"
  /usr/sbin/slurmd -f "$CONF"
  for _ in $(seq 50); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 0.2; done
  sinfo -N -o "%N %P %T %c %m %G"
}
case $CMD in install) install;; start) stop; start;; stop) stop;; esac
