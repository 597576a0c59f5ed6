"""Write docs/licences.md: the licences of all that runs with the workflow (`make licences`).

From the metadata of what is installed, for the packages that constraints.txt pins.
"""

import re
from importlib.metadata import distribution, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DOCS = Path(__file__).resolve().parent
HEAD = """# Licences of the dependencies

Written by `make licences` from the metadata of the installed packages; do not edit. These are the
runtime dependencies, direct and indirect, at the versions of `constraints.txt`, as resolved on
Linux; what only tests and linters need is not among them. None is part of this repository: they are
installed beside it, under their own licences. What this means for MIT: [security.md](security.md).

{summary}

| package | version | licence |
|---|---|---|
"""
# How licences are spelled in metadata.
FAMILIES = {
    "permissive": r"MIT|BSD|Apache|PSF|Python Software|ISC|HPND|Zlib|CC0|Unlicense|Public Domain",
    "weak copyleft": r"MPL|Mozilla",
    "copyleft": r"GPL|GNU",
}


def pinned() -> set[str]:
    """Names in constraints.txt, as packaging writes them."""
    lines = (DOCS.parent / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}


def runtime(root: str = "gnn-dynamics") -> list[str]:
    """What the package needs to run, directly or not; pinned names only, ascending."""
    known, found, waiting = pinned(), set(), [root]
    while waiting:
        for text in distribution(waiting.pop()).requires or []:
            wanted = Requirement(text)
            name = canonicalize_name(wanted.name)
            if name in known - found and (
                not wanted.marker or wanted.marker.evaluate({"extra": ""})
            ):
                found.add(name)
                waiting.append(name)
    return sorted(found)


def licence(name: str) -> str:
    """The SPDX expression, else the classifiers, else how the licence's own text begins."""
    about = metadata(name)
    classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    names = sorted({c.rsplit(" :: ", 1)[-1] for c in classifiers} - {"OSI Approved"})
    said = about.get("License-Expression") or ", ".join(names)
    return said or _first_line(about.get("License") or _text(name)) or "not stated"


def _text(name: str) -> str:
    """The file with the licence that the package brings, if it brings one."""
    files = distribution(name).files or []
    found = [file for file in files if file.name.upper().startswith(("LICENSE", "LICENCE"))]
    return found[0].read_text() if found else ""


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip() if text.strip() else ""


def families(said: str) -> set[str]:
    """Which families a licence names."""
    return {name for name, pattern in FAMILIES.items() if re.search(pattern, said, flags=re.I)}


def page() -> str:
    """The text of docs/licences.md."""
    rows, odd = [], []
    for name in runtime():
        said = licence(name)
        rows.append(f"| {name} | {metadata(name)['Version'].split('+')[0]} | {said} |")
        if families(said) != {"permissive"}:
            odd.append(f"{name} ({said})")
    plain = f"{len(rows) - len(odd)} of {len(rows)} are under permissive licences only"
    summary = f"{plain}. The others: {'; '.join(odd)}."
    return HEAD.format(summary=summary) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    (DOCS / "licences.md").write_text(page(), encoding="utf-8")
