"""All figures, as catalogue.yaml describes them.

A figure's module must not import this one: its digest would then cover the whole catalogue, and one
changed caption would redraw every figure.
"""

from dataclasses import replace
from pathlib import Path

from gnn_dynamics.claims import names
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.figures.entry import Entry

_APPENDIX = "appendix_"


def _entries() -> tuple[Entry, ...]:
    catalogue = read_yaml(Path(__file__).with_name("catalogue.yaml"))
    return tuple(
        Entry(stem=stem, **{"module": stem, **fields}) for stem, fields in catalogue.items()
    )


*_FIGURES, _EACH = _entries()  # the last entry describes the appendix of every dataset
FIGURES = tuple(_FIGURES)


def entry(stem: str) -> Entry:
    """The figure that is stored as `{stem}.png`.

    Raises:
        KeyError: if there is no such figure.
    """
    if stem.startswith(_APPENDIX):
        dataset = stem.removeprefix(_APPENDIX)
        return replace(
            _EACH,
            stem=stem,
            title=_EACH.title.format(name=names.name(dataset)),
            shows=_EACH.shows.format(name=names.name(dataset)),
            options={"dataset": dataset},
        )
    return {figure.stem: figure for figure in FIGURES}[stem]
