"""The ablations of a mask (Frankle et al. 2021): is it these weights that matter, or how many a layer?

`invert` acts in the selection and `reinit` on the start state; `shuffle` is here because it acts on the finished mask.
"""

from collections.abc import Callable

import numpy as np

from pruning.masks import Mask

ABLATIONS = ("none", "shuffle", "reinit", "invert")


def shuffle(mask: Mask, stream: Callable[[str], np.random.Generator]) -> Mask:
    """`mask` with the entries of each tensor in a random order: the count a layer stays, the places do not.

    `stream(name)` is the generator for a tensor; tensors are permuted independently.
    """
    return {name: stream(name).permutation(array.ravel()).reshape(array.shape) for name, array in mask.items()}
