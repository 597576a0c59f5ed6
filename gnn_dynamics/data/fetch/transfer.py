"""Transfer of one file from a folder or a web address to `<name>.part`; HTTP transfers resume.

The caller compares the checksum and renames the file.
"""

import logging
import lzma
import re
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

CHUNK = 1 << 18  # bytes
TIMEOUT = (10, 60)  # seconds to connect, and between two packets
ATTEMPTS = 5  # for a body that breaks off
BACK_OFF = 0.5  # seconds, doubled with each attempt
MAX_RATIO = 1000  # unpacked to packed size of an .xz file; at most 130 for official files

log = logging.getLogger(__name__)


class Unavailable(Exception):
    """A source does not have the file, or cannot be reached; the message tells which."""


@cache
def _session() -> requests.Session:
    """A session that retries refused and busy answers with back-off and obeys Retry-After."""
    retry = Retry(
        total=ATTEMPTS,
        connect=2,
        backoff_factor=BACK_OFF,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"  # sizes and ranges are those of the file
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def fetch(source: Path | str, part: Path) -> None:
    """Copy or download the file at `source` to `part`; decompress it if its name ends in `.xz`.

    An interrupted download continues at the end of `part`.

    Raises:
        Unavailable: if the source has no such file or the network fails; `part` is kept.
    """
    if isinstance(source, Path):
        _copy(source, part, lzma.open if source.suffix == ".xz" else open)
    elif source.endswith(".xz"):
        packed = part.with_name(part.stem + ".xz.part")
        _download(source, packed)
        _copy(packed, part, lzma.open)
        packed.unlink()
    else:
        _download(source, part)


def _copy(source: Path, part: Path, opener: Callable[..., Any]) -> None:
    try:
        with opener(source, "rb") as content, part.open("wb") as target:
            room = MAX_RATIO * source.stat().st_size
            while chunk := content.read(CHUNK):
                room -= target.write(chunk)
                if room < 0:
                    raise lzma.LZMAError(f"it grows to more than {MAX_RATIO} times its size")
    except OSError as error:
        raise Unavailable(f"{source}: {error.strerror}") from error
    except (lzma.LZMAError, EOFError) as error:
        if source.name.endswith(".part"):
            source.unlink()
        raise Unavailable(f"{source} is damaged ({error})") from error


def _download(url: str, part: Path) -> None:
    failures = 0
    while failures < ATTEMPTS:
        before = _size(part)
        try:
            return _continue(url, part)
        except (requests.RequestException, HTTPError) as error:
            grown, reason = _size(part) > before, type(error).__name__
            # The session has already retried an address that does not answer.
            if isinstance(error, requests.ConnectionError) and not grown:
                raise Unavailable(f"{url} cannot be reached ({reason})") from error
        failures = 0 if grown else failures + 1
        log.info("%s broke off after %d bytes (%s); continuing", url, _size(part), reason)
        time.sleep(BACK_OFF * 2**failures)
    raise Unavailable(f"{url} broke off {ATTEMPTS} times")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _continue(url: str, part: Path) -> None:
    """Request the rest of the file; a server without ranges sends the whole file again."""
    offset = _size(part)
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    with _session().get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        start, whole = _range(answer)
        match answer.status_code:
            case 200:
                _receive(answer, part, 0)
            case 206 if start == offset:
                _receive(answer, part, offset)
            case 416 if whole == offset:
                return
            case 206 | 416:
                part.unlink()
                raise requests.exceptions.ChunkedEncodingError("not the range asked for")
            case code:
                raise Unavailable(f"{url} answered {code} {answer.reason}")


def _range(answer: requests.Response) -> tuple[int, int]:
    """First byte and size of the whole of `bytes 100-999/1000`, `bytes */1000`; -1 if absent."""
    header = answer.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", header)
    first, whole = match.groups() if match else (None, None)
    return int(first or -1), int(whole or -1)


def _receive(answer: requests.Response, part: Path, offset: int) -> None:
    size = int(answer.headers.get("Content-Length", 0)) + offset
    bar = tqdm(
        total=size or None,
        initial=offset,
        desc=part.stem,
        file=sys.stderr,
        mininterval=0.2 if sys.stderr.isatty() else 10,
        unit="B",
        unit_scale=True,
    )
    with part.open("ab" if offset else "wb") as file, bar:
        # iter_content would lose the bytes that it has buffered when the body breaks off.
        while chunk := answer.raw.read1(CHUNK):
            bar.update(file.write(chunk))
