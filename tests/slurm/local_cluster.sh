#!/usr/bin/env bash
# A throw-away SLURM cluster on one Debian machine, for tests: run as root.
#
#   local_cluster.sh start  STATE_DIR [options]   install what is missing, start, wait until all nodes are idle
#   local_cluster.sh status STATE_DIR             daemons, nodes and queue; exit 0 only if all nodes are up
#   local_cluster.sh stop   STATE_DIR [--purge]   cancel all jobs, end exactly the daemons started from STATE_DIR;
#                                                     --purge: and remove its files
# Options of start:
#   --nodes N      CPU nodes cpu1..cpuN in partition "cpu", the default one (2)
#   --cpus N       CPUs each node claims to have; may exceed the machine's (4)
#   --mem MB       memory each node claims to have (4000)
#   --gpus N       fake GPUs of type "fake" on node gpu1 in partition "gpu" (1; 0: no such node and partition)
#   --accounting   MariaDB and slurmdbd too, so that sacct and sacctmgr work, with one account "ci"; without it,
#                  Snakemake's slurm executor needs --slurm-status-command squeue, or it waits for ever
#   --port N       first TCP port (16817): controller, slurmdbd, then from N+10 one a node
#   --timeout S    seconds to wait for each daemon (60)
#
# Everything lives in STATE_DIR, except the Debian packages and the link /etc/slurm/slurm.conf. The link is needed:
# Snakemake's slurm-jobstep plugin drops SLURM_CONF before it calls srun. STATE_DIR must be absolute and short (socket
# paths are limited to 107 bytes), and no folder above it group-writable unless sticky, as /tmp is (munged checks it).
set -euo pipefail
umask 022
PATH=$PATH:/usr/sbin:/sbin

LINK=/etc/slurm/slurm.conf
NODES=2 CPUS=4 MEM=4000 GPUS=1 ACCOUNTING=0 PORT=16817 TIMEOUT=60 PURGE=0

say() { printf '[local-slurm] %s\n' "$*"; }
die() { printf '[local-slurm] error: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,20{s/^# \{0,1\}//;p}' "$0"; exit "${1:-2}"; }

# ---------------------------------------------------------------- processes, known by their pid files only
# alive PIDFILE NAME: the recorded process exists and still is that daemon: a pid may have been reused, and in a
# container whose process 1 does not reap, an ended daemon stays as a zombie.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] &&
        [[ $(awk '/^Name:/{n=$2} /^State:/{s=$2} END{print n, s}' "/proc/$pid/status" 2>/dev/null) == "$2 "[!ZX] ]]
}
# await WHAT LOGFILE COMMAND...: poll until the command succeeds; on time-out show the log and fail.
await() {
    local what=$1 log=$2 end=$((SECONDS + TIMEOUT)); shift 2
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            [[ -f $log ]] && tail -n 20 "$log" >&2
            die "$what: not ready after ${TIMEOUT}s (log: $log)"
        fi
        sleep 0.2
    done
}
end_process() { # PIDFILE NAME: TERM, then KILL after 15 s
    local pid i
    alive "$1" "$2" || { rm -f "$1"; return 0; }
    pid=$(cat "$1")
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < 75; i++)); do alive "$1" "$2" || break; sleep 0.2; done
    if alive "$1" "$2"; then say "$2 ($pid) ignored TERM, killing it"; kill -KILL "$pid" 2>/dev/null || true; fi
    rm -f "$1"
    say "ended $2 ($pid)"
}

# ---------------------------------------------------------------- packages
install_missing() {
    local -A need=([munged]=munge [slurmctld]=slurmctld [slurmd]=slurmd [sbatch]=slurm-client)
    ((ACCOUNTING)) && need+=([slurmdbd]=slurmdbd [mariadbd]=mariadb-server-core [my_print_defaults]=mariadb-client-core)
    local -A want=(); local cmd
    for cmd in "${!need[@]}"; do command -v "$cmd" >/dev/null || want[${need[$cmd]}]=1; done
    ((${#want[@]})) || return 0
    say "installing ${!want[*]}"
    # Keep the packages' own services from starting, where nothing else does (containers ship such a file).
    local rc=0
    (
        policy=/usr/sbin/policy-rc.d
        if [[ ! -e $policy ]]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        install=(apt-get install -y -q --no-install-recommends "${!want[@]}")
        "${install[@]}" || { apt-get update -q && "${install[@]}"; }
    ) </dev/null >"$STATE/log/apt.log" 2>&1 || rc=$?
    ((rc == 0)) || { tail -n 20 "$STATE/log/apt.log" >&2; die "apt-get failed ($rc)"; }
}

# ---------------------------------------------------------------- loopback only
# With the two *InAddrAny flags the daemons, and srun, listen only on what the host name resolves to, which must then
# be 127.0.0.1 (with Debian's usual 127.0.1.1 srun waits forever for its tasks). Where it is not, the daemons, and so
# the jobs, get a UTS namespace of their own named localhost; where that is not allowed, they listen everywhere.
HOST="" BIND="" RUN=()
choose_host() {
    HOST=$(hostname -s) BIND=NoInAddrAny
    [[ $(getent ahostsv4 "$HOST" | awk 'NR==1{print $1}') == 127.0.0.1 ]] && return 0
    if unshare --uts hostname localhost 2>/dev/null; then
        RUN=(unshare --uts sh -c 'hostname localhost && exec "$@"' sh) HOST=localhost
    else
        BIND=""
        say "warning: '$HOST' is not 127.0.0.1 and no UTS namespace can be made: ports open on all interfaces"
    fi
}

# ---------------------------------------------------------------- configuration
write_config() {
    local i
    {
        cat <<CONF
ClusterName=local
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
SlurmdUser=root
${BIND:+CommunicationParameters=NoCtldInAddrAny,$BIND}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$STATE/run/munge.sock
StateSaveLocation=$STATE/ctld
SlurmdSpoolDir=$STATE/spool/%n
SlurmctldPidFile=$STATE/run/slurmctld.pid
SlurmdPidFile=$STATE/run/slurmd.%n.pid
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdLogFile=$STATE/log/slurmd.%n.log
# no cgroups, no systemd, no CPU binding: works in containers
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
PropagateResourceLimits=NONE
# memory limits are enforced by polling: a job over its --mem is killed within about a second
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# nodes may claim more than the machine has
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
ReturnToService=2
SlurmdTimeout=60
KillWait=5
# finished jobs stay visible to squeue --states=all this long
MinJobAge=300
# refuse at once what no node of the partition can ever run
EnforcePartLimits=ALL
# start jobs quickly
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=5,bf_interval=5
CONF
        if ((ACCOUNTING)); then
            printf 'AccountingStorage%s\n' Type=accounting_storage/slurmdbd Host=127.0.0.1 "Port=$((PORT + 1))" \
                "Pass=$STATE/run/munge.sock" # the "password" is munge's socket
            # Snakemake puts the rule's name into the comment; without this line sacct does not know it.
            printf 'AccountingStoreFlags=job_comment\n'
        else
            printf 'AccountingStorageType=accounting_storage/none\n'
        fi
        if ((GPUS)); then
            printf 'GresTypes=gpu\n'
            ((ACCOUNTING)) && printf 'AccountingStorageTRES=gres/gpu\n'
        fi
        for ((i = 1; i <= NODES; i++)); do
            printf 'NodeName=cpu%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=%d RealMemory=%d State=UNKNOWN\n' \
                $i "$HOST" $((PORT + 10 + i)) "$CPUS" "$MEM"
        done
        ((GPUS)) && printf 'NodeName=gpu1 NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=%d RealMemory=%d Gres=gpu:fake:%d Feature=gpu State=UNKNOWN\n' \
            "$HOST" $((PORT + 10)) "$CPUS" "$MEM" "$GPUS"
        printf 'PartitionName=cpu Nodes=cpu[1-%d] Default=YES DefaultTime=10 MaxTime=1440 State=UP\n' "$NODES"
        ((GPUS)) && printf 'PartitionName=gpu Nodes=gpu1 DefaultTime=10 MaxTime=1440 State=UP\n'
        true
    } | sed '/^$/d' >"$STATE/slurm.conf"

    # A device must be a character or block device, else jobs get no CUDA_VISIBLE_DEVICES; these exist everywhere.
    local devices=(/dev/null /dev/zero /dev/full /dev/random /dev/urandom)
    ((GPUS <= ${#devices[@]})) || die "at most ${#devices[@]} fake GPUs"
    for ((i = 0; i < GPUS; i++)); do printf 'NodeName=gpu1 Name=gpu Type=fake File=%s\n' "${devices[i]}"; done >"$STATE/gres.conf"
    if ((ACCOUNTING)); then
        (umask 077; cat >"$STATE/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$STATE/run/munge.sock
DbdHost=$HOST
DbdAddr=127.0.0.1
DbdPort=$((PORT + 1))
${BIND:+CommunicationParameters=$BIND}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
PidFile=$STATE/run/slurmdbd.pid
LogFile=$STATE/log/slurmdbd.log
CONF
        )
        chmod 600 "$STATE/slurmdbd.conf"
    fi
    printf 'ACCOUNTING=%d\n' "$ACCOUNTING" >"$STATE/run/options"
}

node_names() { sed -n 's/^NodeName=\([^ ]*\) .*/\1/p' "$STATE/slurm.conf"; }
munge_works() { munge -n -S "$STATE/run/munge.sock" | unmunge -S "$STATE/run/munge.sock"; }
ctld_up() { scontrol ping | grep -q 'is UP'; }
dbd_up() { sacctmgr -n show cluster; }
cluster_registered() { sacctmgr -n -P show cluster format=cluster,controlport | grep -Eq '^local\|[1-9]'; }
nodes_up() { # every node answers, and none is down, drained or unknown
    local states
    states=$(sinfo -h -N -o %T) && [[ -n $states ]] && ! grep -qvE '^(idle|mixed|allocated|completing)$' <<<"$states"
}
up() { ctld_up && nodes_up; }

# ---------------------------------------------------------------- commands
start() {
    [[ $(id -u) == 0 ]] || die "must be run as root"
    if [[ -e $LINK && $(readlink -f "$LINK") != "$STATE/slurm.conf" ]]; then
        die "$LINK exists and is not this cluster's: stop or remove the other SLURM first"
    fi
    mkdir -p "$STATE"/{log,run,ctld,spool}
    local t0=$SECONDS f node
    # A huge limit makes daemons that close every possible descriptor at start crawl.
    local nofile; nofile=$(ulimit -n)
    [[ $nofile == unlimited || $nofile -gt 65536 ]] && ulimit -n 65536
    install_missing
    slurmd -h 2>&1 | grep -q -- '-N node' || die "this slurmd has no -N: one machine cannot play several nodes"
    local t1=$SECONDS
    choose_host
    export SLURM_CONF=$STATE/slurm.conf
    if alive "$STATE/run/slurmctld.pid" slurmctld; then say "controller already running, keeping its configuration"
        # shellcheck disable=SC1091
        . "$STATE/run/options"
    else
        # Nodes that outlived their controller would keep the former configuration.
        for f in "$STATE"/run/slurmd.*.pid; do [[ -e $f ]] && end_process "$f" slurmd; done
        write_config
    fi
    mkdir -p "${LINK%/*}"; ln -sfn "$STATE/slurm.conf" "$LINK"

    if ! alive "$STATE/run/munged.pid" munged; then
        rm -f "$STATE"/run/munge.sock*
        [[ -s $STATE/munge.key ]] || (umask 077; dd if=/dev/urandom of="$STATE/munge.key" bs=1024 count=1 status=none)
        chmod 400 "$STATE/munge.key"
        munged --key-file="$STATE/munge.key" --socket="$STATE/run/munge.sock" --pid-file="$STATE/run/munged.pid" \
            --log-file="$STATE/log/munged.log" --seed-file="$STATE/munge.seed" --origin=127.0.0.1 --num-threads=10 </dev/null
    fi
    await munged "$STATE/log/munged.log" munge_works

    if ((ACCOUNTING)); then
        if ! alive "$STATE/run/mariadbd.pid" mariadbd; then
            if [[ ! -d $STATE/db/mysql ]]; then
                mariadb-install-db --no-defaults --user=root --datadir="$STATE/db" --skip-test-db >"$STATE/log/mariadb-install.log" 2>&1 ||
                    { tail -n 20 "$STATE/log/mariadb-install.log" >&2; die "mariadb-install-db failed"; }
            fi
            # Only a unix socket: root logs in by its uid, no port and no password.
            setsid mariadbd --no-defaults --user=root --datadir="$STATE/db" --skip-networking --socket="$STATE/run/db.sock" \
                --pid-file="$STATE/run/mariadbd.pid" --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 \
                --innodb-flush-log-at-trx-commit=0 </dev/null >>"$STATE/log/mariadbd.log" 2>&1 &
        fi
        await mariadbd "$STATE/log/mariadbd.log" test -S "$STATE/run/db.sock"
        if ! alive "$STATE/run/slurmdbd.pid" slurmdbd; then
            MYSQL_UNIX_PORT=$STATE/run/db.sock "${RUN[@]}" slurmdbd </dev/null >>"$STATE/log/slurmdbd.log" 2>&1 || die "slurmdbd failed, see $STATE/log/slurmdbd.log"
        fi
        await slurmdbd "$STATE/log/slurmdbd.log" dbd_up
    fi

    alive "$STATE/run/slurmctld.pid" slurmctld || "${RUN[@]}" slurmctld </dev/null >>"$STATE/log/slurmctld.log" 2>&1 || die "slurmctld failed, see $STATE/log/slurmctld.log"
    await slurmctld "$STATE/log/slurmctld.log" ctld_up
    if ((ACCOUNTING)); then
        await "cluster registration" "$STATE/log/slurmdbd.log" cluster_registered
        # One account, so that slurm_account=ci (and the plugin's check of it) has something to find.
        sacctmgr -i -Q add account ci >/dev/null 2>&1 || true
        sacctmgr -i -Q add user root account=ci defaultaccount=ci >/dev/null 2>&1 || true
    fi
    for node in $(node_names); do
        mkdir -p "$STATE/spool/$node"
        alive "$STATE/run/slurmd.$node.pid" slurmd || "${RUN[@]}" slurmd -N "$node" </dev/null >>"$STATE/log/slurmd.$node.log" 2>&1 || die "slurmd $node failed, see $STATE/log/slurmd.$node.log"
    done
    await "nodes" "$STATE/log/slurmctld.log" nodes_up
    say "ready: packages $((t1 - t0)) s, daemons $((SECONDS - t1)) s; SLURM_CONF=$STATE/slurm.conf"
    sinfo -N -o '%.8N %.9P %.6T %.4c %.8m %G'
}

status() {
    local f name rc=0
    export SLURM_CONF=$STATE/slurm.conf
    for f in "$STATE"/run/*.pid; do
        [[ -e $f ]] || { say "not running"; return 3; }
        name=${f##*/}; name=${name%.pid}
        if alive "$f" "${name%%.*}"; then say "$name: pid $(cat "$f")"; else say "$name: dead"; rc=1; fi
    done
    up || rc=1
    sinfo -N -o '%.8N %.9P %.6T %.4c %.8m %G' || rc=1
    squeue || rc=1
    return $rc
}

stop() {
    export SLURM_CONF=$STATE/slurm.conf
    local f i
    [[ -d $STATE/run ]] || { say "nothing to stop in $STATE"; return 0; }
    # Cancel the jobs first: a slurmstepd outlives its slurmd.
    if alive "$STATE/run/slurmctld.pid" slurmctld; then
        timeout 20 squeue -h -r -o %i 2>/dev/null | sort -u | xargs -r timeout 20 scancel 2>/dev/null || true
        for ((i = 0; i < 100; i++)); do [[ -z $(timeout 5 squeue -h 2>/dev/null) ]] && break; sleep 0.2; done
    fi
    for f in "$STATE"/run/slurmd.*.pid; do [[ -e $f ]] && end_process "$f" slurmd; done
    end_process "$STATE/run/slurmctld.pid" slurmctld
    end_process "$STATE/run/slurmdbd.pid" slurmdbd
    end_process "$STATE/run/mariadbd.pid" mariadbd
    end_process "$STATE/run/munged.pid" munged
    if [[ -L $LINK && $(readlink "$LINK") == "$STATE/slurm.conf" ]]; then rm -f "$LINK"; fi
    if ((PURGE)); then rm -rf "${STATE:?}"/{ctld,spool,db,log,run} "$STATE"/{slurm,slurmdbd,gres}.conf "$STATE"/munge.{key,seed}; rmdir "$STATE" 2>/dev/null || true; fi
}

# ---------------------------------------------------------------- command line
[[ $# -ge 1 ]] || usage
CMD=$1; shift
case $CMD in start | stop | status) ;; -h | --help | help) usage 0 ;; *) usage ;; esac
[[ $# -ge 1 && $1 == /* ]] || die "STATE_DIR must be an absolute path"
STATE=$(readlink -m "$1"); shift
((${#STATE} <= 80)) || die "STATE_DIR is too long for unix sockets: $STATE"
while (($#)); do
    case $1 in
        --nodes) NODES=$2; shift ;; --cpus) CPUS=$2; shift ;; --mem) MEM=$2; shift ;; --gpus) GPUS=$2; shift ;;
        --port) PORT=$2; shift ;; --timeout) TIMEOUT=$2; shift ;;
        --accounting) ACCOUNTING=1 ;; --purge) PURGE=1 ;;
        *) die "unknown option $1" ;;
    esac
    shift
done
"$CMD"
