#!/usr/bin/env bash
# Trains figures on a Slurm cluster: an array of jobs on one store, in a folder that every node sees.
#
#     sbatch docs/slurm.sh ctedd/fig5 --profile paper --store /scratch/marl
#     sbatch --array=0-9 --cpus-per-task=8 --time=12:00:00 docs/slurm.sh "" --profile quick --store /scratch/marl
#
# Every job takes seeds that no other has taken. It stops at a checkpoint before its time is over, or when Slurm takes
# its node away, and asks to be queued again until all is complete. What fails is not tried again.
#
#SBATCH --job-name=marl-repro
#SBATCH --array=0-3
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=marl-repro-%A_%a.log
set -uo pipefail

read -ra program <<< "${MARL_REPRO:-python -m benchmarks}" # marl-repro, where the suite is installed
margin="${MARL_REPRO_MARGIN:-300}"                         # seconds that are kept for the last checkpoint

limit=()
if [[ -n "${SLURM_JOB_END_TIME:-}" ]]; then
    left=$((SLURM_JOB_END_TIME - $(date +%s) - margin))
    limit=(--time-limit "$((left > 1 ? left : 1))s")
fi

"${program[@]}" run "$@" --jobs "${SLURM_CPUS_PER_TASK:-1}" ${limit[@]+"${limit[@]}"} &
training=$!
terminated=""
trap 'terminated=yes; kill -TERM "$training"' TERM
wait "$training"
status=$?
while [[ -n "$terminated" && $status -gt 128 ]]; do # it was the wait that was interrupted
    terminated=""
    wait "$training"
    status=$?
done

case $status in
    0) echo "complete" ;;
    3) scontrol requeue "$SLURM_JOB_ID" ;;
    *) exit "$status" ;;
esac
