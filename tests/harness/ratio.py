"""How a suite judges a ratio of timings on a machine that does other things too."""
import collections.abc


def stays_within(most: float, measure: collections.abc.Callable[[], float], batches_max: int) -> bool:
    """Whether two batches in a row, each judged by itself, give a ratio of at most `most`. One batch alone could be the
    lucky one of many: looking after each and stopping at the first good one finds it sooner or later."""
    good = 0
    for _ in range(batches_max):
        good = good + 1 if measure() <= most else 0
        if good == 2:
            return True
    return False
