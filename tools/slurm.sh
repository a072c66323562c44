#!/bin/sh
# A Slurm of one node on this machine, for tests: eight cores and two graphics cards by name, the partitions cpu and gpu,
# a partition that allows two minutes, and no accounting, systemd or cgroups. As root, on Debian or Ubuntu.
#   tools/slurm.sh install         what it needs: slurm-wlm and munge
#   tools/slurm.sh start FOLDER    keeps its state in FOLDER, and says which nodes it has
#   tools/slurm.sh stop FOLDER
# Job steps read /etc/slurm/slurm.conf. One that is there already is somebody's, and nothing is started then, unless a
# killed run of the tests left it.
set -eu
HERE=127.0.0.1
CONFIGURATION=/etc/slurm
NAME=deeplimits-tests

fail() {
    echo "slurm: $1" >&2
    exit 1
}

install() {
    command -v slurmctld >/dev/null 2>&1 && command -v slurmd >/dev/null 2>&1 && command -v munged >/dev/null 2>&1 && return
    command -v apt-get >/dev/null 2>&1 || fail "no apt-get: install Slurm and munge by hand"
    export DEBIAN_FRONTEND=noninteractive
    packages="slurm-wlm munge"
    # shellcheck disable=SC2086  # a list of packages
    apt-get install -qq -y --no-install-recommends $packages >/dev/null 2>&1 || {
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends $packages >/dev/null
    }
}

munge_answers() { munge -n 2>/dev/null | unmunge >/dev/null 2>&1; }

start_munge() {
    munge_answers && return
    mkdir -p /run/munge /etc/munge /var/lib/munge /var/log/munge
    [ -s /etc/munge/munge.key ] || (umask 077 && dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 2>/dev/null)
    chown -R munge: /run/munge /etc/munge /var/lib/munge /var/log/munge
    chmod 755 /run/munge
    chmod 400 /etc/munge/munge.key
    su -s /bin/sh munge -c /usr/sbin/munged
    munge_answers || fail "munge does not answer"
}

# What a killed run left: a link to nothing, or to a configuration of these tests whose controller is gone.
clear_away() {
    left=$(readlink "$CONFIGURATION/slurm.conf" || true)
    if [ -n "$left" ] && [ ! -e "$left" ]; then
        rm "$CONFIGURATION/slurm.conf"
    elif [ -n "$left" ] && grep -q "^ClusterName=$NAME$" "$left" && ! lives "${left%/*}/slurmctld.pid"; then
        stop "${left%/*}"
    fi
    [ ! -e "$CONFIGURATION/slurm.conf" ] || fail "$CONFIGURATION/slurm.conf is there already"
}

lives() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
    [ "$(id -u)" = 0 ] || fail "only root can start it"
    command -v slurmctld >/dev/null 2>&1 || fail "Slurm is not installed: tools/slurm.sh install"
    clear_away
    mkdir -p "$1"
    folder=$(cd "$1" && pwd)
    mkdir -p "$folder/state" "$folder/spool" "$CONFIGURATION"
    start_munge
    # a card by name is any device
    for card in 0 1; do [ -e "/dev/card-by-name$card" ] || mknod -m 666 "/dev/card-by-name$card" c 1 3; done
    node=$(hostname -s)
    memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
    cat >"$folder/slurm.conf" <<CONF
ClusterName=$NAME
SlurmctldHost=$node($HERE)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=5,batch_sched_delay=0,sched_min_interval=0
MinJobAge=${MIN_JOB_AGE:-3600}
ReturnToService=2
KillWait=2
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=$HERE CPUs=8 RealMemory=$memory Gres=gpu:named:2 State=UNKNOWN
PartitionName=cpu Nodes=$node Default=YES MaxTime=120 OverSubscribe=NO State=UP
PartitionName=gpu Nodes=$node MaxTime=600 OverSubscribe=NO State=UP
PartitionName=short Nodes=$node MaxTime=2 OverSubscribe=NO State=UP
CONF
    echo "Name=gpu Type=named File=/dev/card-by-name[0-1]" >"$folder/gres.conf"
    ln -s "$folder/slurm.conf" "$CONFIGURATION/slurm.conf"
    ln -sf "$folder/gres.conf" "$CONFIGURATION/gres.conf"
    { slurmctld -c && slurmd -c; } || give_up "$folder" "a daemon does not start"
    tries=0
    until sinfo --noheader --format %t 2>/dev/null | grep -qE 'idle|mix'; do
        tries=$((tries + 1))
        [ $tries -lt 120 ] || give_up "$folder" "no node after 30 s"
        sleep 0.25
    done
    sinfo --format '%P %l %c %m %G %t'
}

give_up() {
    for log in "$1"/*.log; do tail -n 9 "$log" >&2; done
    stop "$1"
    fail "$2"
}

stop() {
    folder=$(cd "$1" && pwd)
    for daemon in slurmctld slurmd; do
        [ ! -s "$folder/$daemon.pid" ] || kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
    done
    for file in slurm.conf gres.conf; do
        [ "$(readlink "$CONFIGURATION/$file")" != "$folder/$file" ] || rm "$CONFIGURATION/$file"
    done
}

case "${1:-}" in
install) install ;;
start | stop) "$1" "${2:?a folder}" ;;
*) fail "install, start FOLDER or stop FOLDER" ;;
esac
