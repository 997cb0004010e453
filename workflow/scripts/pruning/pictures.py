"""Pictures in files, for datasets that do not fit into memory: an index of them, and decoding when they are used.

An index is an array with a row a picture: its path below the data folder and its size in bytes. Decoding runs in
threads (Pillow works outside Python's lock); what it gives depends on the pictures and on the numbers drawn for them,
never on how many threads there are or which is first. Without torch.
"""

import io
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from pruning import PruningError
from pruning.crops import crops


def index_of(folder: Path, paths: Iterable[Path]) -> np.ndarray:
    """The index of the pictures at `paths`, all of them below `folder`."""
    rows = [(str(path.relative_to(folder)).encode(), path.stat().st_size) for path in paths]
    longest = max((len(path) for path, _ in rows), default=1)
    return np.array(rows, dtype=[("path", f"S{longest}"), ("size", "<i8")])


class Pictures:
    """Pictures that read like an array of bytes (examples, height, width, 3), decoded when they are asked for.

    Indexing gives them as a network is tested on them: the shorter edge is resized to `shorter_edge` pixels and the
    middle cut out, as torchvision's Resize and CenterCrop do it. `begin` gives crops as well.
    """

    def __init__(
        self, folder: Path, index: np.ndarray, shape: tuple[int, int, int], shorter_edge: int, workers: int
    ) -> None:
        self.folder, self.index, self.shorter_edge, self.workers = folder, index, shorter_edge, workers
        self.shape = (len(index), *shape)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        return self.begin(self.index[chosen])()

    def begin(self, rows: np.ndarray, numbers: np.ndarray | None = None) -> Callable[[], np.ndarray]:
        """Start to decode the pictures in `rows` of the index; the function given back waits for them.

        With `numbers` (`crops.draw_numbers`, a row a picture) it gives the crops that follow from them, resized.
        """
        decoded = self._threads.map(self._decode, rows, itertools.repeat(None) if numbers is None else numbers)
        return lambda: np.stack(list(decoded))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        # Made at first use: a process that is forked before it has no threads to lose.
        return ThreadPoolExecutor(self.workers)

    def _decode(self, row: np.void, numbers: np.ndarray | None) -> np.ndarray:
        image = open_picture(self.folder / row["path"].decode(), int(row["size"]))
        return np.asarray(self._middle(image) if numbers is None else self._crop(image, numbers))

    def _middle(self, image: Image.Image) -> Image.Image:
        _, height, width, _ = self.shape
        shorter = min(image.size)
        if shorter != self.shorter_edge:
            wide, high = (self.shorter_edge if n == shorter else self.shorter_edge * n // shorter for n in image.size)
            image = image.resize((wide, high), Image.Resampling.BILINEAR)
        left, top = round((image.width - width) / 2), round((image.height - height) / 2)
        return image.crop((left, top, left + width, top + height))

    def _crop(self, image: Image.Image, numbers: np.ndarray) -> Image.Image:
        _, height, width, _ = self.shape
        part = crops(numbers[None], image.height, image.width)
        left, top = int(part.left[0]), int(part.top[0])
        image = image.crop((left, top, left + int(part.width[0]), top + int(part.height[0])))
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if part.mirrored[0] else image


def open_picture(path: Path, size: int | None = None) -> Image.Image:
    """The picture at `path` in red, green and blue. Raises PruningError where it is missing, damaged or not `size`."""
    try:
        content = path.read_bytes()
        if size is not None and len(content) != size:
            raise PruningError(
                f"{path} has {len(content)} bytes and had {size} when the dataset was prepared. Put the picture back,"
                " or delete the dataset's folder in results/data to prepare it again."
            )
        return Image.open(io.BytesIO(content)).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise PruningError(
            f"{path} cannot be read as a picture ({error}). Put the publisher's file there, or set `data` in the config"
            " (or --config data=FOLDER) to the folder that has it."
        ) from None
