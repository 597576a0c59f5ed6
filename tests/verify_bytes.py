"""Run the quickstart twice from nothing, in different surroundings, and compare every artifact.

    make verify

One run on one core, the other on two, in different folders, locales and time zones. Prints the
SHA-256 of every artifact; fails and names the artifacts that differ.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from workflow_runs import Project, differences, listing

PRESET = "quickstart"
SURROUNDINGS = (
    {"cores": 1, "LC_ALL": "C", "TZ": "UTC"},
    {"cores": 2, "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu"},
)


def main() -> int:
    found = []
    for number, surroundings in enumerate(SURROUNDINGS, start=1):
        with tempfile.TemporaryDirectory(prefix=f"gnn-dynamics-{number}-") as folder:
            print(f"run {number} of {len(SURROUNDINGS)}: {surroundings}", flush=True)
            project = Project(Path(folder))
            project.run(PRESET, **surroundings)
            found.append(project.digests(PRESET))
    print(*listing(found[0]), sep="\n")
    kinds = Counter(Path(name).suffix for name in found[0])
    wrong = differences(*found)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    print(f"{len(found[0])} artifacts, {len(wrong)} differ", *wrong, sep="\n  ")
    return 1 if wrong or not kinds.keys() >= {".parquet", ".png", ".pdf"} else 0


if __name__ == "__main__":
    sys.exit(main())
