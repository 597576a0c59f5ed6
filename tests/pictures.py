"""What tests look at in a figure: its texts after layout, whether they fit, and their words."""

from itertools import combinations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from gnn_dynamics.figures import style


def texts(figure: Figure) -> list[Text]:
    """Visible, non-empty texts after layout."""
    with style.context():
        figure.draw_without_rendering()
    unseen = {
        label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for label in beyond(axis)
    }
    found = [text for text in figure.findobj(Text) if text.get_visible() and text not in unseen]
    return [t for t in found if t.get_text().strip() and t.get_window_extent().width > 0]


def beyond(axis: Axis) -> list[Text]:
    """Labels of ticks outside the axis' range, which matplotlib keeps but does not draw."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    ticks = [t for t in axis.get_major_ticks() if not low - slack <= t.get_loc() <= high + slack]
    return [label for tick in ticks for label in (tick.label1, tick.label2)]


def words(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in texts(figure))


def check_texts(figure: Figure, found: list[Text]) -> None:
    """Nothing is cut off or too small to print."""
    frame = figure.bbox.padded(2)
    for text in found:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text.get_text()
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text.get_text()
        assert text.get_fontsize() >= 6, text.get_text()


def check_titles(figure: Figure) -> None:
    """No two titles of panels touch."""
    titles = [t for ax in figure.axes for t in (ax.title, ax._left_title) if t.get_text()]
    for one, other in combinations(titles, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent()), one.get_text()
