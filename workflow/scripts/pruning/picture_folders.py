"""The folder layouts of ImageNet and of TinyImageNet: checked against what a publisher gives, and made into lists.

Both have train/CLASS/...; they differ in where the pictures of a class lie and in how the test pictures are labelled.
Every refusal names the folder, class or file that it is about, and what belongs there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pruning import PruningError

PICTURE = ".JPEG"
NAMED = 10
"""classes or pictures that a message lists; it counts the others"""


@dataclass(frozen=True)
class Layout:
    """What must be there. A class is named by its folder; its number is its place in the sorted list of `classes`."""

    name: str
    """what the data is called in messages"""
    folder: str
    """below the data folder"""
    classes: Sequence[str]
    train: tuple[int, int]
    """fewest and most training pictures of a class"""
    test: tuple[int, int]
    """the same for test pictures (the publisher's `val`, whose labels are known)"""


Labelled = list[tuple[Path, int]]
"""pictures and their class numbers"""


def class_list(name: str) -> tuple[str, ...]:
    """The sorted classes in the file `NAME.txt` beside the datasets."""
    text = (Path(__file__).parent / "datasets" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(sorted(text.split()))


def imagenet(data: Path, layout: Layout) -> tuple[Labelled, Labelled]:
    """Training and test pictures below `data`, as {train,val}/CLASS/*.JPEG."""
    root = _root(data, layout)
    splits = []
    for split, counts in (("train", layout.train), ("val", layout.test)):
        folders = _class_folders(root / split, layout)
        labelled = [(path, number) for number, folder in enumerate(folders) for path in _pictures(folder)]
        _check_counts(root / split, layout, labelled, counts)
        splits.append(labelled)
    return splits[0], splits[1]


def tinyimagenet(data: Path, layout: Layout) -> tuple[Labelled, Labelled]:
    """Training and test pictures below `data`, as train/CLASS/images/, val/images/ and val/val_annotations.txt."""
    root = _root(data, layout)
    listed = _lines(root / "wnids.txt", layout)
    _check_names(f"{root / 'wnids.txt'} of {layout.name}", "class", [line.strip() for line in listed], layout.classes)
    folders = _class_folders(root / "train", layout)
    train = [(path, number) for number, folder in enumerate(folders) for path in _pictures(folder / "images")]
    _check_counts(root / "train", layout, train, layout.train)
    test = _annotated(root / "val", layout)
    _check_counts(root / "val", layout, test, layout.test)
    return train, test


def first_of_each_class(labelled: Labelled, count: int) -> Labelled:
    seen: Counter[int] = Counter()
    chosen = []
    for path, number in labelled:
        seen[number] += 1
        if seen[number] <= count:
            chosen.append((path, number))
    return chosen


def _root(data: Path, layout: Layout) -> Path:
    root = data / layout.folder
    if not root.is_dir():
        raise PruningError(
            f"There is no folder {root}. {layout.name} cannot be downloaded by the workflow: unpack it there, or set"
            " `data` in the config (or --config data=FOLDER) to the folder that has it."
        )
    return root


def _class_folders(split: Path, layout: Layout) -> list[Path]:
    found = [path.name for path in split.iterdir() if path.is_dir()] if split.is_dir() else []
    _check_names(f"{split} of {layout.name}", "class folder", found, layout.classes)
    return [split / name for name in layout.classes]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == PICTURE) if folder.is_dir() else []


def _annotated(split: Path, layout: Layout) -> Labelled:
    """The pictures in SPLIT/images, in the order of their file names, with the classes of val_annotations.txt."""
    annotations = split / "val_annotations.txt"
    numbers: Mapping[str, int] = {name: number for number, name in enumerate(layout.classes)}
    labels = {}
    for line_number, line in enumerate(_lines(annotations, layout), start=1):
        picture, _, rest = line.partition("\t")
        name = rest.partition("\t")[0].strip()
        if name not in numbers:
            raise PruningError(
                f"{annotations}, line {line_number}: {picture} has the class {name!r}, which is none of the"
                f" {len(numbers)} classes of {layout.name}. Unpack the publisher's file again."
            )
        labels[picture] = numbers[name]
    pictures = {path.name: path for path in _pictures(split / "images")}
    _check_names(f"{split / 'images'} beside {annotations.name}", "picture", list(pictures), sorted(labels))
    return [(path, labels[name]) for name, path in sorted(pictures.items())]


def _lines(path: Path, layout: Layout) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise PruningError(f"{path} cannot be read ({error}); {layout.name} is not complete without it.") from None


def _check_names(place: str, kind: str, found: Sequence[str], expected: Sequence[str]) -> None:
    missing, unknown = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing or unknown:
        parts = [
            f"{_list(names, kind)} {verb}" for names, verb in ((missing, "missing"), (unknown, "unknown")) if names
        ]
        raise PruningError(f"{place}: {'; '.join(parts)}; {len(expected)} are expected. Unpack the data again.")


def _check_counts(split: Path, layout: Layout, labelled: Labelled, counts: tuple[int, int]) -> None:
    found = Counter(number for _, number in labelled)
    fewest, most = counts
    wrong = [
        f"{name} has {found[number]}"
        for number, name in enumerate(layout.classes)
        if not fewest <= found[number] <= most
    ]
    if wrong:
        expected = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise PruningError(
            f"{split}: {layout.name} has {expected} pictures ({PICTURE}) a class, and here"
            f" {_list(wrong, 'class')}. Unpack the data again."
        )


def _list(names: Sequence[str], kind: str) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    plural = {"class": "classes"}.get(kind, f"{kind}s")
    return f"{len(names)} {kind if len(names) == 1 else plural} ({', '.join(names[:NAMED])}{more})"
