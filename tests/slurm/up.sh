#!/usr/bin/env bash
# Starts a Slurm of two nodes on this machine, one of them with two fake GPUs. Needs root, and
# Debian or Ubuntu if Slurm is not installed. The configuration must be in /etc/slurm, since jobs
# lose SLURM_CONF; a configuration that is not ours is never touched.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/cluster.sh"

[[ $EUID == 0 ]] || fail "starting Slurm needs root"
if [[ -e $CONFIG/slurm.conf ]]; then
    is_ours || fail "$CONFIG/slurm.conf is another cluster's"
    "$here/down.sh"
fi

installed() { for command in "$@"; do command -v "$command" >/dev/null || return; done; }
if ! installed slurmctld slurmd sbatch munged; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        slurmctld slurmd slurm-client munge >/dev/null
fi

mkdir -p "$CONFIG" "$STATE"/{slurmctld,slurmd-n1,slurmd-n2}
for name in slurm gres; do
    sed -e "s|@HOST@|$(hostname -s)|" -e "s|@STATE@|$STATE|" "$here/$name.conf.in" \
        >"$CONFIG/$name.conf"
done

if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge -m 0755 /run/munge
    runuser -u munge -- "$(command -v munged)"
    cp /run/munge/munged.pid "$STATE"
fi
slurmctld
for node in n1 n2; do slurmd -N "$node"; done

for _ in $(seq 100); do
    [[ $(sinfo --noheader --Node --states=idle --partition=main | wc -l) == 2 ]] && exit
    sleep 0.2
done
tail -n 20 "$STATE"/*.log
fail "the nodes did not come up"
