#!/usr/bin/env bash
# Stops what up.sh started, cancels its jobs and removes its files.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

is_ours || exit 0
timeout 10 scancel --user="$(id -un)" 2>/dev/null || true
for _ in $(seq 50); do
    [[ -z $(timeout 10 squeue --noheader 2>/dev/null) ]] && break
    sleep 0.2
done
for file in "$STATE"/*.pid; do
    [[ -e $file ]] || continue
    pid="$(<"$file")"
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
done
rm -rf "$STATE" "$CONFIG/slurm.conf" "$CONFIG/gres.conf"
