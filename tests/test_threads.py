"""Constants and laws asked for by several threads at once are those that one thread finds."""

import threading
from concurrent.futures import ThreadPoolExecutor

import mpmath

from deeplimits.activations import SMOOTH, Smooth, smooth
from deeplimits.digits import EXACT, ThreadedContext

THREADS = 8


def constants(name: str) -> tuple[str, ...]:
    """Everything that is kept of an activation, computed anew."""
    taylor = smooth.constants.__wrapped__(Smooth.of(name).formula, 0.75)
    return tuple(str(value) for value in taylor)


def together(rounds: int) -> list[list[tuple[str, ...]]]:
    """``constants`` of every activation, by threads that all begin with the same one."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = [pool.submit(lambda: [constants(name) for name in SMOOTH]) for _ in range(rounds)]
        return [each.result() for each in found]


def test_threads_find_the_constants_of_one_thread() -> None:
    """Derivatives raise the precision while they run: in one thread's own context, not in that of others."""
    alone = [constants(name) for name in SMOOTH]
    assert all(each == alone for each in together(4 * THREADS))
    assert EXACT.dps == 50


def left_by_two(context: mpmath.MPContext) -> int:
    """Digits of the context after two threads differentiated, the second from before the first had ended."""
    first, second, over = threading.Event(), threading.Event(), threading.Event()

    def early(x: mpmath.mpf) -> mpmath.mpf:
        first.set()
        second.wait()
        return x

    def late(x: mpmath.mpf) -> mpmath.mpf:
        second.set()
        over.wait()
        return x

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(context.diff, early, 1)
        first.wait()
        other = pool.submit(context.diff, late, 1)
        one.result()
        over.set()
        other.result()
    return int(context.dps)


def test_a_derivative_leaves_the_digits_of_others_alone() -> None:
    """mpmath's own context, the planted fault, is left with the digits of whoever began last."""
    plain = mpmath.MPContext()
    plain.dps = 50
    assert left_by_two(plain) > 50
    assert left_by_two(ThreadedContext(50)) == 50


def test_each_thread_has_its_own_digits() -> None:
    context = ThreadedContext(30)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(setattr, context, "dps", 80).result()
        assert context.dps == 30 and pool.submit(lambda: context.dps).result() == 80
        assert pool.submit(lambda: len(str(context.mpf(1) / 3))).result() == 82
    assert len(str(context.mpf(1) / 3)) == 32
    with context.workdps(60):
        assert len(str(context.mpf(1) / 3)) == 62
    assert context.dps == 30
