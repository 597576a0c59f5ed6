"""Bringing one file from a folder or a web address to `<name>.part`, with resumption over HTTP.

Nothing here decides whether a file is the right one: the caller checks it and gives it its name.
"""

import logging
import lzma
import re
import shutil
import sys
import time
from functools import cache
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

CHUNK = 1 << 18  # bytes
TIMEOUT = (10, 60)  # seconds to connect, and between two packets
ATTEMPTS = 5  # for a body that breaks off
BACK_OFF = 0.5  # seconds, doubled with each attempt
MOST = 1000  # times its size that an .xz file may grow; official files do up to 130 times

log = logging.getLogger(__name__)


class NotThere(Exception):
    """A place does not have the file, or cannot be reached. The message says which."""


@cache
def _session() -> requests.Session:
    """Retries refused and busy answers with back-off; waits as long as a Retry-After says."""
    retry = Retry(
        total=ATTEMPTS,
        connect=2,
        backoff_factor=BACK_OFF,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"  # else sizes and ranges mean other bytes
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def read_text(url: str) -> str:
    """A small text file from the web.

    Raises:
        NotThere: if it cannot be had.
    """
    try:
        answer = _session().get(url, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise NotThere(f"{url} cannot be reached ({type(error).__name__})") from error
    if answer.status_code != 200:
        raise NotThere(f"{url} answered {answer.status_code}")
    return answer.content.decode("utf-8")


def bring(place: Path | str, part: Path) -> None:
    """Copy or download the file at `place` to `part`; decompress it if its place ends in `.xz`.

    A download that broke off continues where `part` ends.

    Raises:
        NotThere: if the place has no such file or the network fails; what has come stays.
    """
    if not str(place).endswith(".xz"):
        _copy(place, part) if isinstance(place, Path) else _download(place, part)
        return
    packed = place if isinstance(place, Path) else part.with_name(part.stem + ".xz.part")
    if packed is not place:
        _download(place, packed)
    _unpack(packed, part)
    if packed is not place:
        packed.unlink()


def _copy(place: Path, part: Path) -> None:
    try:
        shutil.copyfile(place, part)
    except OSError as error:
        raise NotThere(f"{place}: {error.strerror}") from error


def _unpack(packed: Path, part: Path) -> None:
    try:
        with lzma.open(packed) as source, part.open("wb") as target:
            room = MOST * packed.stat().st_size
            while chunk := source.read(CHUNK):
                room -= target.write(chunk)
                if room < 0:
                    raise lzma.LZMAError(f"it grows to more than {MOST} times its size")
    except OSError as error:
        raise NotThere(f"{packed}: {error.strerror}") from error
    except (lzma.LZMAError, EOFError) as error:
        if packed.name.endswith(".part"):
            packed.unlink()
        raise NotThere(f"{packed} is damaged ({error})") from error


def _download(url: str, part: Path) -> None:
    failures = 0
    while failures < ATTEMPTS:
        before = _size(part)
        try:
            return _continue(url, part)
        except (requests.RequestException, HTTPError) as error:
            grown, reason = _size(part) > before, type(error).__name__
            # An address that does not answer at all has had its tries below.
            if isinstance(error, requests.ConnectionError) and not grown:
                raise NotThere(f"{url} cannot be reached ({reason})") from error
        failures = 0 if grown else failures + 1
        log.info("%s broke off after %d bytes (%s); continuing", url, _size(part), reason)
        time.sleep(BACK_OFF * 2**failures)
    raise NotThere(f"{url} broke off {ATTEMPTS} times")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _continue(url: str, part: Path) -> None:
    """One request for what `part` still lacks; a server without ranges sends all of it again."""
    have = _size(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    with _session().get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        start, whole = _range(answer)
        match answer.status_code:
            case 200:
                _receive(answer, part, 0)
            case 206 if start == have:
                _receive(answer, part, have)
            case 416 if whole == have:
                return
            case 206 | 416:
                part.unlink()
                raise requests.exceptions.ChunkedEncodingError("not the range asked for")
            case code:
                raise NotThere(f"{url} answered {code} {answer.reason}")


def _range(answer: requests.Response) -> tuple[int, int]:
    """First byte and size of the whole: `bytes 100-999/1000`, `bytes */1000`; -1 if not said."""
    said = answer.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", said)
    first, whole = found.groups() if found else (None, None)
    return int(first or -1), int(whole or -1)


def _receive(answer: requests.Response, part: Path, have: int) -> None:
    size = int(answer.headers.get("Content-Length", 0)) + have
    options = {"mininterval": 0.2 if sys.stderr.isatty() else 10, "unit": "B", "unit_scale": True}
    with (
        part.open("ab" if have else "wb") as file,
        tqdm(total=size or None, initial=have, desc=part.stem, file=sys.stderr, **options) as bar,
    ):
        # Not iter_content: when a body breaks off, that loses what it had not yet passed on.
        while chunk := answer.raw.read1(CHUNK):
            bar.update(file.write(chunk))
