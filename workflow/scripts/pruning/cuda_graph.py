"""An update of a training as one launch of a GPU (a CUDA graph), where it would be hundreds.

Small networks keep a GPU waiting: it is done with each of some hundred kernels an update before the host has launched
the next. A graph is launched once an update. Its kernels are those of the first updates, and work on the same memory.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import torch
from torch import Tensor

from pruning import PruningError

Update = Callable[[Tensor, Tensor, Tensor], None]
"""what is done with images, labels and learning rate"""
FIRST = 3
"""updates that are done as they come, in which libraries get their memory and choose their kernels"""


one_at_a_time = Lock()
"""Held while an update is recorded or done as it comes: a recording begins by waiting for all of the GPU, and libraries
get memory at first; a recording that is under way in this process would not survive either."""


def record(work: Callable[[], None]) -> Callable[[], object]:
    """What `work` launches on the current stream, as one launch. Recording does nothing yet."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        work()
    return graph.replay


class Graphed:
    """`update`, recorded once and replayed for all batches of `batch_size`; a smaller one is worked on as it comes.

    `update` must not wait for the GPU or ask it for values, and leaves its results in tensors that stay where they are.
    """

    def __init__(self, update: Update, batch_size: int, record: Callable[[Callable[[], None]], Callable[[], object]]):
        self.update, self.batch_size, self.record = update, batch_size, record
        self.seen = 0
        self.given: tuple[Tensor, Tensor, Tensor] | None = None
        """where the recorded update finds images, labels and learning rate"""

    def __call__(self, images: Tensor, labels: Tensor, rate: Tensor) -> None:
        if len(images) != self.batch_size or self.seen < FIRST:
            self.seen += 1
            with one_at_a_time:
                self.update(images, labels, rate)
            return
        if self.given is None:
            self.given = given = (images.clone(), labels.clone(), rate.clone())
            with one_at_a_time:
                self.replay = self.record(lambda: self.update(*given))
        for place, value in zip(self.given, (images, labels, rate), strict=True):
            place.copy_(value)
        self.replay()


def graphed(update: Update, batch_size: int, device: torch.device) -> Update:
    """`update`, as one launch on a GPU; on a CPU as it is."""
    return Graphed(update, batch_size, record) if device.type == "cuda" else update


QUEUES = 32
"""that torch has for a GPU; it hands them out in turn, in use or not"""
spare: list[torch.cuda.Stream] = []
"""of those that were made, in no training's use"""
made = itertools.count(1)
lending = Lock()


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Let a GPU work on what follows in a queue of its own, from which it can be recorded.

    Raises PruningError where 32 are in use in this process: what one launches would get into the recording of another.
    """
    if device.type != "cuda":
        yield
        return
    with lending:
        if not spare and next(made) > QUEUES:
            raise PruningError(
                f"At most {QUEUES} trainings can share a process of a GPU: say fewer with --resources gpu="
            )
        own = spare.pop() if spare else torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    before = torch.cuda.current_stream(device)
    own.wait_stream(before)
    try:
        with torch.cuda.stream(own):
            yield
    finally:
        before.wait_stream(own)
        with lending:
            spare.append(own)
