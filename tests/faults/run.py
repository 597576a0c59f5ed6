"""Disturb a small run in every way we know, type the same command again, compare all artifacts.

    make test-faults
    python tests/faults/run.py --kills 20 --only kill-all --target grid

Snakemake runs in a session of its own each time; nothing but its processes is ever killed. The
faults that mount a folder need root on Linux and are left out, and said to be, elsewhere.
Prints a line for each fault; the exit status is 1 if a fault was not recovered from.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cases import CASES, kill_all
from lab import Lab


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="random moments of kill -9 of all")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--only", action="append", choices=CASES, help="may be given repeatedly")
    parser.add_argument("--target", action="append", help="of snakemake; default: everything")
    return parser.parse_args()


def attempt(name: str, case, *details) -> bool:
    """Try one fault and print what came of it; whether the run recovered."""
    begin = time.monotonic()
    try:
        result, recovered = f"byte-identical; {case(*details)}", True
    except (AssertionError, TimeoutError, subprocess.SubprocessError) as error:
        result, recovered = f"NOT RECOVERED: {error}", False
    except PermissionError as error:
        result, recovered = f"left out: {error}", True
    print(f"{name:18} {time.monotonic() - begin:6.1f} s  {result}", flush=True)
    return recovered


def main() -> int:
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="gnn-dynamics-faults-") as folder:
        lab = Lab(Path(folder), asked.target or ["all"])
        print(f"undisturbed: {lab.seconds:.1f} s, {len(lab.digests)} artifacts", flush=True)
        outcomes = []
        for name in asked.only or CASES:
            if name == "kill-all":
                outcomes += [
                    attempt(f"{name} {n + 1}", kill_all, lab, n, asked) for n in range(asked.kills)
                ]
            else:
                outcomes.append(attempt(name, CASES[name], lab))
    print(f"{sum(outcomes)} of {len(outcomes)} recovered")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
