"""Quotas: how many weights each layer keeps, where that is not left to one ranking of the whole network.

The study's ablations suggest that a method's counts a layer are all that matters of its mask. Quotas take that at its
word: they fix the counts, and any score, random choice among them, fills them.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

Shapes = Mapping[str, tuple[int, ...]]
Quotas = dict[str, int]


def uniform(shapes: Shapes, keep: int) -> Quotas:
    """Every layer keeps the same share of its weights; `keep` in all."""
    total = sum(math.prod(shape) for shape in shapes.values())
    return _whole({name: Fraction(keep * math.prod(shape), total) for name, shape in shapes.items()}, keep)


def erk(shapes: Shapes, keep: int) -> Quotas:
    """Erdos-Renyi-Kernel: the share that a layer keeps is proportional to the sum of its dimensions over their product.

    So its count is proportional to the sum of its dimensions (outputs, inputs, height and width of a kernel), and small
    layers stay dense. No layer keeps more than it has; what it would have had too much goes to the others in the same
    proportions. (Evci, Gale, Menick, Castro, Elsen: Rigging the lottery, ICML 2020.)
    """
    full: set[str] = set()
    while True:
        left = keep - sum(math.prod(shapes[name]) for name in full)
        dimensions = sum(sum(shape) for name, shape in shapes.items() if name not in full)
        counts = {
            name: Fraction(math.prod(shape)) if name in full else Fraction(left * sum(shape), dimensions)
            for name, shape in shapes.items()
        }
        overfull = {name for name, shape in shapes.items() if counts[name] > math.prod(shape)}
        if not overfull:
            return _whole(counts, keep)
        full |= overfull


BY_SHAPE = {"uniform": uniform, "erk": erk}
"""The quotas that need nothing but the shapes of the layers and the number of weights kept, at most all of them."""


def _whole(counts: Mapping[str, Fraction], keep: int) -> Quotas:
    """Whole numbers with the sum `keep`: rounded down, then one more for the largest remainders, the first of equals.

    No count is rounded beyond the next whole number, so none exceeds the size of its layer.
    """
    quotas = {name: math.floor(count) for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: quotas[name] - counts[name])
    for name in by_remainder[: keep - sum(quotas.values())]:
        quotas[name] += 1
    return quotas
