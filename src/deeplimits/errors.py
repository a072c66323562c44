"""Exceptions that end in one message: bad input (which file, which key, what was found, what was expected,
and the nearest valid name), and a graphics card that fails.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable
from pathlib import Path


class Typed(str):
    """Text that a user typed: it is quoted in a message, whatever it looks like."""

    __slots__ = ()


class WrongKey(ValueError):
    """A key, or the value of one, that does not go with what stands beside it.

    Parameters
    ----------
    key
        The key, of the mapping that is refused.
    expected
        What would have been accepted, in words.
    nearest
        The closest valid name, where one is close enough to be a likely slip.
    """

    def __init__(self, key: str, expected: str, nearest: str | None = None):
        super().__init__(expected)
        self.key, self.nearest = key, nearest


class NotKept(UserWarning):
    """What is made once on a machine cannot be kept there; the message says where, why and what it costs."""


class InputError(ValueError):
    """A file or an option that cannot be used.

    Parameters
    ----------
    where
        File (or option) that holds the mistake.
    key
        Path of the key inside the file, such as ``networks.0.activation.name``; empty for the file as a
        whole.
    found
        The value as it was given; text in angle brackets, such as ``<nothing>``, is a description, which the
        message shows without them and without quotes.
    expected
        What would have been accepted, in words.
    nearest
        The closest valid name, where one is close enough to be a likely slip.

    Examples
    --------
    >>> print(InputError("study.yaml", "grid.width", -8, "a positive whole number"))
    study.yaml: grid.width: found -8, expected a positive whole number
    """

    def __init__(self, where: str | Path, key: str, found: object, expected: str, nearest: str | None = None):
        self.where, self.key, self.found, self.expected, self.nearest = (
            str(where),
            key,
            found,
            expected,
            nearest,
        )
        place = _end(str(where), _OF_A_PATH) + (f": {_begin(key, _OF_A_KEY)}" if key else "")
        # before the expected names, which may be many
        hint = f" (did you mean {nearest!r}?)" if nearest else ""
        text = visible(f"{place}: found {_short(found)}{hint}, expected ")
        super().__init__(text + _begin(visible(expected), LONGEST - len(text)))


class Unsolved(InputError):
    """A law of a limit that is for a network, but could not be solved there to the accuracy that is kept."""


def unsolvable(observable: str, error: Exception) -> str:
    """What is expected where arithmetic ends in an error: the reason that it gives, if it is one of ours."""
    # Python's own, of a division or a power, say nothing to a user
    own = isinstance(error, ZeroDivisionError | OverflowError | FloatingPointError)
    reason = "its numbers are beyond double precision" if own else error
    return f"a limit whose law of {observable} can be solved here: {reason}"


class NotCompared(UserWarning):
    """A comparison of a study that is not made at some points, because its law could not be solved there."""


class DeviceError(RuntimeError):
    """A graphics card that failed.

    Parameters
    ----------
    problem
        What failed.
    remedy
        What to do, beside leaving the card out.
    """

    def __init__(
        self,
        problem: str,
        remedy: str = "run the same command again, and see what `nvidia-smi` says if it persists",
    ):
        super().__init__(
            f"{problem}. Nothing of this job was written: {remedy}; "
            "`--engine cpu` computes the same bits without a card"
        )


def one_line(error: Exception) -> str:
    """What went wrong; of an error of the operating system, the file and the cause."""
    if not isinstance(error, OSError):
        return str(error)
    cause = error.strerror or str(error)
    return cause if error.filename is None else f"{error.filename}: {cause}"


LONGEST = 500
"""Characters of the message of an ``InputError``."""
_OF_A_PATH, _OF_A_KEY = 160, 80


def _begin(text: str, size: int) -> str:
    """The text, or how it begins where it is longer."""
    return text if len(text) <= size else text[: size - 1] + "…"


def _end(text: str, size: int) -> str:
    """The text, or how it ends where it is longer."""
    return text if len(text) <= size else "…" + text[1 - size :]


def visible(text: str) -> str:
    """Text without anything that a terminal would take for a command or that could not be written."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


_REPR = reprlib.Repr()
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = 20
_REPR.maxstring = _REPR.maxother = 200


def _short(value: object, limit: int = 100) -> str:
    if type(value) is str and value.startswith("<") and value.endswith(">"):
        text = value[1:-1]
    elif isinstance(value, str):
        text = repr(str(value))
    else:
        try:
            text = _REPR.repr(value) if isinstance(value, list | tuple | dict) else repr(value)
        except ValueError:
            text = "a number of thousands of digits"
    return _begin(text, limit)


def one_of(names: Iterable[str], what: str = "one of ", none: str = "nothing: there are none") -> str:
    """The names that would have been accepted, in words, or ``none``: never a list of nothing."""
    text = ", ".join(names)
    return what + text if text else none


def check_name(found: object, names: Collection[str], where: str | Path, key: str = "") -> None:
    """Refuse what is none of ``names``.

    Raises
    ------
    InputError
        The message has all of them, and the nearest.
    """
    if found not in names:
        raise InputError(where, key, found, "one of " + ", ".join(names), nearest_name(found, names))


def nearest_name(found: object, names: Iterable[str]) -> str | None:
    """The valid name that ``found`` is a likely slip of, or None: names of up to five letters differ from it
    by one letter, up to eleven letters by two, longer ones by three, where two letters that changed places
    count as one. Capitals do not count, nor does what joins words: ``target-minutes`` is ``target_minutes``.
    """
    text, best, least = _plain(str(found)), None, 0
    for name in names:
        plain = _plain(name)
        allowed = 1 if len(plain) <= 5 else 2 if len(plain) <= 11 else 3
        if name == found or abs(len(plain) - len(text)) > allowed:
            continue
        apart = _edits(text, plain)
        likely = apart <= allowed and 2 * apart < max(len(text), len(plain))
        if likely and (best is None or apart < least):
            best, least = name, apart
    return best


def nearest_function(found: str, names: Iterable[str]) -> str | None:
    """The name of a function that ``found`` is a likely slip of, or None: as ``nearest_name``, but what
    differs by a digit, by its first letter, or by what stands before or after it is another function
    (``relu6``, ``elu``, ``prelu``, ``sinc``), and so is what is as near to the names of two.
    """
    text = _plain(found)
    ranks: dict[str, tuple[int, bool]] = {}
    for name in names:
        plain = _plain(name)
        swapped = sorted(text) == sorted(plain)
        extended = text.startswith(plain) and set(text[len(plain) :]) != {plain[-1]}
        digits = {one for one in text if one.isdigit()} ^ {one for one in plain if one.isdigit()}
        slip = (text[:1] == plain[:1] or swapped) and not extended and not digits
        if text == plain or (slip and nearest_name(found, [name])):
            ranks[name] = (_edits(text, plain), not swapped)
    best = [name for name, rank in ranks.items() if rank == min(ranks.values())]
    return best[0] if len(best) == 1 else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in "-_ ")


def _edits(one: str, other: str) -> int:
    """Letters to insert, delete, replace or exchange with their neighbour (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, there in enumerate(other, 1):
            edits = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != there))
            if i > 1 and j > 1 and (one[i - 2], letter) == (there, other[j - 2]):
                edits = min(edits, rows[-2][j - 2] + 1)
            row.append(edits)
        rows.append(row)
    return rows[-1][-1]
