"""Files: nothing half-written passes, the same content gives the same bytes; fingerprints see code and only code."""

import ast
import functools
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pruning import PruningError, files, fingerprint, masks
from pruning.fingerprint import bare_code

# Writing beside and renaming


def fail_halfway(path: Path, error: type[BaseException]) -> None:
    with files.replacing(path) as temporary:
        temporary.write_text("half")
        raise error


def test_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyError):
        fail_halfway(path, KeyError)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_block_that_fails_makes_no_file_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail_halfway(tmp_path / "new" / "file.txt", KeyboardInterrupt)
    assert list((tmp_path / "new").iterdir()) == []


def test_old_file_stands_until_the_block_ends_and_then_only_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file.npy"
    path.write_text("old")
    with files.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
        assert temporary.suffix == ".npy"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.npy"]


def test_next_writer_removes_what_a_killed_one_left_of_the_same_file(tmp_path: Path) -> None:
    for name in (".a.npz.x1y2.npz", ".a.npz.z.npz", ".aa.npz.x.npz", "a.npz"):
        (tmp_path / name).write_text("half")
    files.write_text(tmp_path / "a.npz", "whole")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.npz": "whole", ".aa.npz.x.npz": "half"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_permissions_follow_the_umask_and_the_umask_stays(tmp_path: Path, umask: int, mode: int) -> None:
    code = f"import os; from pruning import files; files.write_text('file.txt', ''); assert os.umask(0) == {umask}"
    environment = {**os.environ, "PYTHONPATH": str(fingerprint.LIBRARY.parent)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, umask=umask, check=True)
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == mode


def test_writing_leaves_the_umask_of_all_threads_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "umask")
    files.write_text(tmp_path / "file.txt", "text")


def test_json_refuses_what_it_has_no_word_for_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    files.write_json(path, {"loss": None})
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            files.write_json(path, {"loss": number})
    assert json.loads(path.read_text()) == {"loss": None}


def test_floats_in_rows_come_back_exactly(tmp_path: Path) -> None:
    values = [0.1, 1 / 3, 1e-300, 2.0**60, float("nan"), float("inf")]
    files.write_rows(tmp_path / "rows.csv", ["epoch", "loss"], [{"epoch": 1, "loss": value} for value in values])
    found = files.read_rows(tmp_path / "rows.csv")
    assert [row["epoch"] for row in found] == ["1"] * 6
    np.testing.assert_array_equal([float(row["loss"]) for row in found], values)


# Arrays


def test_bytes_of_arrays_do_not_depend_on_when_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = {"one": np.arange(1000), "two": np.linspace(0, 1, 77, dtype=np.float32)}
    files.write_arrays(tmp_path / "now.npz", arrays)
    monkeypatch.setattr(time, "time", lambda: 1.6e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(1.6e9))
    files.write_arrays(tmp_path / "then.npz", arrays)
    assert (tmp_path / "now.npz").read_bytes() == (tmp_path / "then.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "now.npz") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_arrays_come_back_with_their_types(tmp_path: Path) -> None:
    arrays = {"bytes": np.arange(9, dtype=np.uint8).reshape(3, 3), "text": np.array("ünï"), "none": np.zeros((0, 2))}
    files.write_arrays(tmp_path / "arrays.npz", arrays)
    found = files.read_arrays(tmp_path / "arrays.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)


def test_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    objects = np.array([{"an": "object"}], dtype=object)
    with pytest.raises(ValueError, match="Object arrays"):
        files.write_arrays(tmp_path / "arrays.npz", {"objects": objects})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "foreign.npz", objects=objects)
    with pytest.raises(PruningError, match=r"foreign.npz cannot be read \(Object arrays"):
        files.read_arrays(tmp_path / "foreign.npz")


def test_checksum_changes_with_shape_type_content_order_and_number() -> None:
    array = np.arange(6, dtype=np.int32)
    bits = array.view(np.float32)
    changed = array.copy()
    changed[5] += 1
    variants = [
        (array,),
        (array.reshape(2, 3),),
        (array.reshape(3, 2),),
        (bits,),
        (array.astype(np.int64),),
        (array.astype(">i4"),),
        (changed,),
        (array, changed),
        (changed, array),
        (array[:3], array[3:]),
        (array[:2], array[2:]),
    ]
    assert len({files.checksum(*variant) for variant in variants}) == len(variants)


def test_checksum_does_not_depend_on_the_layout_in_memory() -> None:
    array = np.arange(12).reshape(3, 4)
    assert files.checksum(np.asfortranarray(array)) == files.checksum(array)
    assert files.checksum(np.repeat(array, 2, axis=1)[:, ::2]) == files.checksum(array)


def test_checksum_and_file_digest_are_those_of_the_standards(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.file_digest(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert files.file_digest(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")


# Masks


def some_mask() -> masks.Mask:
    """Tensors of 1, 7, 8, 9, 27 and 0 weights."""
    draw = np.random.default_rng(2)
    shapes = {"a.weight": (1,), "b.weight": (7, 1), "c.weight": (2, 4), "d.weight": (3, 3), "e.weight": (3, 1, 3, 3)}
    return {name: draw.random(shape) < 0.5 for name, shape in {**shapes, "f.weight": (0, 4)}.items()}


def test_mask_comes_back_with_what_made_it(tmp_path: Path) -> None:
    about = {"method": "snip", "seed": 3, "nested": {"text": "ünï", "none": None}}
    masks.save_mask(tmp_path / "mask.npz", some_mask(), about)
    found, found_about = masks.load_mask(tmp_path / "mask.npz")
    assert found_about == about
    assert list(found) == list(some_mask())
    for name, array in some_mask().items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == bool


def test_mask_takes_a_bit_a_weight(tmp_path: Path) -> None:
    masks.save_mask(tmp_path / "mask.npz", some_mask(), {})
    arrays = files.read_arrays(tmp_path / "mask.npz")
    assert {name: array.nbytes for name, array in arrays.items() if name != "header"} == {
        "a.weight": 1,
        "b.weight": 1,
        "c.weight": 1,
        "d.weight": 2,
        "e.weight": 4,
        "f.weight": 0,
    }


def test_bytes_of_a_mask_depend_on_the_mask_and_what_made_it_alone(tmp_path: Path) -> None:
    def written(mask: masks.Mask, about: dict) -> bytes:
        masks.save_mask(tmp_path / "mask.npz", mask, about)
        return (tmp_path / "mask.npz").read_bytes()

    first = written(some_mask(), {"seed": 1})
    assert written({name: np.asfortranarray(array) for name, array in some_mask().items()}, {"seed": 1}) == first
    other = some_mask()
    other["e.weight"][2, 0, 2, 2] ^= True
    assert len({first, written(other, {"seed": 1}), written(some_mask(), {"seed": 2})}) == 3


def test_mask_checksum_sees_every_weight_and_not_the_order_of_tensors() -> None:
    mask = some_mask()
    expected = masks.mask_checksum(mask)
    assert masks.mask_checksum(dict(reversed(mask.items()))) == expected
    for array in mask.values():
        for place in np.ndindex(array.shape):
            array[place] ^= True
            assert masks.mask_checksum(mask) != expected
            array[place] ^= True
    assert masks.mask_checksum(mask) == expected


def test_count_and_size_of_a_mask() -> None:
    mask = {"a.weight": np.array([[True, False], [True, True]]), "b.weight": np.array([False])}
    assert (masks.count(mask), masks.size(mask)) == (3, 5)


# Fingerprints

CODE = '''\
"""A module."""

from pruning import masks  # what masks are

LIMIT = 5
NAME = "text"
TEXT = """first

  second # no comment
third"""


class Thing:
    """A thing."""

    size: int
    """how large"""

    def grow(self, by: int) -> str:
        """Grow.

        And more.
        """
        # a comment
        if by > LIMIT:
            by -= 1
            self.size = by
        return f"{by} {NAME} # not a comment"
'''


def test_example_compiles_to_what_it_says() -> None:
    space: dict = {}
    exec(CODE, space)
    assert space["Thing"]().grow(9) == "8 text # not a comment"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment\n", "# another comment\n        # of two lines\n"),
        ("        # a comment\n", ""),
        ("  # what masks are", ""),
        ("LIMIT = 5\n", "LIMIT = 5  # a new comment\n"),
        ("LIMIT = 5\n", "\n\nLIMIT = 5   \n\n"),
        ('"""A module."""', '"""Another\n\ndescription."""'),
        ('"""A module."""\n', ""),
        ('"""A thing."""', "'''Things, # of all \"kinds\".'''"),
        ("And more.", "And more.\n\n        And more still."),
        ('"""how large"""', '"""how large it is"""'),
    ],
)
def test_fingerprint_is_blind_to_comments_docstrings_and_blank_lines(old: str, new: str) -> None:
    changed = CODE.replace(old, new)
    assert changed != CODE
    ast.parse(changed)
    assert bare_code(changed) == bare_code(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "LIMIT = 6"),
        ("by > LIMIT", "by >= LIMIT"),
        ('NAME = "text"', 'NAME = "other text"'),
        ("{NAME} # not a comment", "{NAME} # a comment"),
        ("{by} {NAME}", "{by}  {NAME}"),
        ("from pruning import masks", "from pruning import files"),
        ("            self.size", "        self.size"),
        ("# no comment", "# no Comment"),
        ("  second", "second"),
        ("first\n\n", "first\n"),
        ("# no comment\n", "# no comment  \n"),
        ("size: int", "size: float"),
    ],
)
def test_fingerprint_sees_code_and_strings(old: str, new: str) -> None:
    changed = CODE.replace(old, new)
    assert changed != CODE
    ast.parse(changed)
    assert bare_code(changed) != bare_code(CODE)


def test_code_on_the_line_of_a_docstring_is_seen() -> None:
    assert bare_code('def f(): "Text."; return 1\n') != bare_code('def f(): "Text."; return 2\n')


remembered_code = functools.cache(bare_code)
SCORES = ("grasp", "grasp_magnitude", "magnitude", "ntk_sap", "prospr", "random", "snip", "synflow")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the library, which the fingerprints of this test are of."""
    copied = Path(shutil.copytree(fingerprint.LIBRARY, tmp_path / "pruning"))
    monkeypatch.setattr(fingerprint, "LIBRARY", copied)
    monkeypatch.setattr(fingerprint, "bare_code", remembered_code)  # the same files, many times over
    forget()
    yield copied
    forget()


def forget() -> None:
    """Empty what the module remembers of files."""
    for value in vars(fingerprint).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def of_score(name: str) -> str:
    return fingerprint.fingerprint("pruning.scoring", f"pruning.scores.{name}")


def concerned(library: Path, file: str, fingerprints: Callable[[], dict[str, str]]) -> set[str]:
    """Which of the fingerprints change when a line of code is added to `file`."""
    before = fingerprints()
    with (library / file).open("a") as text:
        text.write("\nADDED = 1\n")
    forget()
    after = fingerprints()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        *((f"scores/{name}.py", {name}) for name in SCORES if name != "grasp"),
        ("scores/grasp.py", {"grasp", "grasp_magnitude"}),
        ("scores/__init__.py", set(SCORES)),
        ("scoring.py", set(SCORES)),
        ("selection.py", set(SCORES)),
        ("quotas.py", set(SCORES)),
        ("ablations.py", set(SCORES)),
        ("streams.py", set(SCORES)),
        ("training.py", set()),
        ("evaluation.py", set()),
        ("predictions.py", set()),
        ("networks/vgg16.py", set()),
        ("datasets/mnist.py", set()),
    ],
)
def test_scores_that_a_change_of_a_file_concerns(library: Path, file: str, expected: set[str]) -> None:
    assert concerned(library, file, lambda: {name: of_score(name) for name in SCORES}) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("training.py", {"training"}),
        ("normalisation.py", {"training"}),
        ("networks/__init__.py", {"training"}),
        ("networks/resnet20.py", {"resnet20"}),
        ("evaluation.py", {"evaluation"}),
        ("paths.py", {"evaluation"}),
        ("files.py", {"training", "evaluation"}),
        ("scores/snip.py", set()),
    ],
)
def test_stages_that_a_change_of_a_file_concerns(library: Path, file: str, expected: set[str]) -> None:
    modules = {
        "training": "pruning.training",
        "resnet20": "pruning.networks.resnet20",
        "evaluation": "pruning.evaluation",
    }
    stages = {name: functools.partial(fingerprint.fingerprint, module) for name, module in modules.items()}
    assert concerned(library, file, lambda: {name: find() for name, find in stages.items()}) == expected


def test_a_comment_in_any_file_changes_no_fingerprint(library: Path) -> None:
    before = [of_score(name) for name in SCORES] + [fingerprint.fingerprint("pruning.training")]
    for path in library.rglob("*.py"):
        path.write_text(f"# A new comment.\n\n{path.read_text()}\n# And one more.\n")
    forget()
    assert [of_score(name) for name in SCORES] + [fingerprint.fingerprint("pruning.training")] == before


def test_a_fingerprint_is_sixteen_hex_digits_and_depends_on_neither_order_nor_place(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = of_score("snip")
    assert len(found) == 16
    int(found, 16)
    assert fingerprint.fingerprint("pruning.scores.snip", "pruning.scoring") == found
    moved = library.parent / "elsewhere" / "pruning"
    shutil.copytree(library, moved)
    monkeypatch.setattr(fingerprint, "LIBRARY", moved)
    forget()
    assert of_score("snip") == found


def test_a_renamed_score_has_another_fingerprint(library: Path) -> None:
    shutil.copy(library / "scores/snip.py", library / "scores/other.py")
    assert of_score("other") != of_score("snip")
