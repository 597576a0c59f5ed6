# What up.sh and down.sh share.
CONFIG=/etc/slurm
STATE=/var/lib/gnn-dynamics-test

is_ours() { grep -qs "^ClusterName=gnn-dynamics-test$" "$CONFIG/slurm.conf"; }
fail() { echo "$(basename "$0"): $1" >&2; exit 1; }
