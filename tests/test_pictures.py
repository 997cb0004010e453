"""Pictures in folders: layouts and what is said of faulty ones; decoding and crops against torchvision; streaming."""

import json
import re
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.transforms import functional as reference

from pruning import PruningError, augmentation, batches, crops, data, datasets
from pruning.batches import Resident, Streamed
from pruning.data import Data
from pruning.datasets import Split
from pruning.normalisation import normalise
from pruning.picture_folders import Layout, class_list
from pruning.picture_folders import imagenet as imagenet_layout
from pruning.picture_folders import tinyimagenet as tiny_layout
from pruning.pictures import Pictures, index_of, open_picture
from pruning.scoring import scoring_examples
from pruning.streams import stream

CPU = torch.device("cpu")
CLASSES = ("n01", "n02", "n03")
TINY = Layout("Tiny", "tiny", CLASSES, (3, 4), (2, 2))
BIG = Layout("Big", "big", CLASSES, (3, 4), (2, 2))
SIZES = ((40, 30), (30, 40), (25, 25), (60, 20), (33, 47))


def photograph(draw: np.random.Generator, width: int, height: int) -> Image.Image:
    """Colours that change smoothly, as JPEG likes them."""
    coarse = draw.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both layouts with three classes of 3, 4 and 3 training and of 2 test pictures."""
    draw = np.random.default_rng(0)
    annotations = []
    for number, name in enumerate(CLASSES):
        for split, count in (("train", 4 if number == 1 else 3), ("val", 2)):
            for i in range(count):
                width, height = SIZES[(number + i) % len(SIZES)]
                test_name = f"val_{len(annotations)}.JPEG"
                tiny = tmp_path / "tiny/train" / name / f"images/{name}_{i}.JPEG"
                if split == "val":
                    annotations.append(f"{test_name}\t{name}\t0\t0\t62\t62")
                    tiny = tmp_path / "tiny/val/images" / test_name
                for path in (tiny, tmp_path / "big" / split / name / f"{name}_{i}.JPEG"):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    photograph(draw, width, height).save(path, quality=95)
    (tmp_path / "tiny/wnids.txt").write_text("\n".join(reversed(CLASSES)) + "\n")
    (tmp_path / "tiny/val/val_annotations.txt").write_text("\n".join(annotations) + "\n")
    return tmp_path


def pictures(folder: Path, workers: int = 1, shape: tuple[int, int, int] = (16, 16, 3), edge: int = 20) -> Pictures:
    train, _ = imagenet_layout(folder, BIG)
    return Pictures(folder, index_of(folder, (path for path, _ in train)), shape, edge, workers)


def in_files(
    folder: Path, workers: int = 2, augmentation: str = "random resized crop", repeats: int = 1, side: int = 16
) -> Data:
    """A dataset in files, shown in squares; `repeats` lists each training picture so often."""
    splits = []
    for labelled in imagenet_layout(folder, BIG):
        labelled = labelled * repeats
        index = index_of(folder, (path for path, _ in labelled))
        labels = np.array([number for _, number in labelled])
        splits.append(Split(Pictures(folder, index, (side, side, 3), side + 4, workers), labels))
    mean, deviation = np.array([0.5, 0.4, 0.3], dtype=np.float32), np.array([0.25, 0.2, 0.3], dtype=np.float32)
    return Data(splits[0], splits[1], 3, 255.0, mean, deviation, augmentation, "made")


# Layouts


def test_imagenet_layout_is_read_as_torchvision_reads_it(folder: Path) -> None:
    for split, found in zip(("train", "val"), imagenet_layout(folder, BIG), strict=True):
        expected = ImageFolder(str(folder / "big" / split)).samples
        assert [(str(path), number) for path, number in found] == expected


def test_tinyimagenet_layout_takes_test_labels_from_the_annotations(folder: Path) -> None:
    train, test = tiny_layout(folder, TINY)
    assert [number for _, number in train] == [0] * 3 + [1] * 4 + [2] * 3
    assert all(path.parent.parent.name == CLASSES[number] for path, number in train)
    assert [(path.name, number) for path, number in test] == [(f"val_{i}.JPEG", i // 2) for i in range(6)]


def remove(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        target = folder / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def rewrite(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1))

    return change


def copy(source: str, target: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / source, folder / target)

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (remove("big"), ["no folder", "big", "--config data="]),
        (remove("big/val"), ["big/val", "3 class folders (n01, n02, n03) missing"]),
        (remove("big/train/n02"), ["big/train", "1 class folder (n02) missing"]),
        (copy("big/train/n01/n01_0.JPEG", "big/train/n99/a.JPEG"), ["big/train", "n99", "unknown", "3 are expected"]),
        (remove("big/train/n03/n03_1.JPEG"), ["big/train", "3 to 4 pictures", "1 class (n03 has 2)"]),
        (copy("big/val/n01/n01_0.JPEG", "big/val/n01/more.JPEG"), ["big/val", "has 2 pictures", "n01 has 3"]),
    ],
)
def test_what_is_wrong_in_imagenets_layout_is_named(
    folder: Path, change: Callable[[Path], None], named: list[str]
) -> None:
    change(folder)
    with pytest.raises(PruningError) as refusal:
        imagenet_layout(folder, BIG)
    for fact in named:
        assert fact in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (remove("tiny"), ["no folder", "tiny"]),
        (remove("tiny/wnids.txt"), ["wnids.txt cannot be read", "Tiny is not complete"]),
        (rewrite("tiny/wnids.txt", "n02\n", ""), ["wnids.txt", "1 class (n02) missing"]),
        (remove("tiny/train/n01"), ["tiny/train", "n01", "missing"]),
        (remove("tiny/train/n01/images"), ["tiny/train", "n01 has 0"]),
        (remove("tiny/train/n03/images/n03_0.JPEG"), ["tiny/train", "n03 has 2"]),
        (remove("tiny/val/val_annotations.txt"), ["val_annotations.txt cannot be read"]),
        (rewrite("tiny/val/val_annotations.txt", "n02", "n77"), ["line 3", "val_2.JPEG", "'n77'", "3 classes of Tiny"]),
        (rewrite("tiny/val/val_annotations.txt", "\tn02", " n02"), ["line 3", "'0'"]),
        (rewrite("tiny/val/val_annotations.txt", "n02", "n01"), ["tiny/val", "n01 has 3, n02 has 1"]),
        (remove("tiny/val/images/val_4.JPEG"), ["val/images", "1 picture (val_4.JPEG) missing"]),
        (copy("tiny/val/images/val_0.JPEG", "tiny/val/images/val_9.JPEG"), ["1 picture (val_9.JPEG) unknown"]),
    ],
)
def test_what_is_wrong_in_tinyimagenets_layout_is_named(
    folder: Path, change: Callable[[Path], None], named: list[str]
) -> None:
    change(folder)
    with pytest.raises(PruningError) as refusal:
        tiny_layout(folder, TINY)
    for fact in named:
        assert fact in str(refusal.value)


def test_long_lists_of_missing_classes_are_cut_and_counted(tmp_path: Path) -> None:
    (tmp_path / "imagenet/train/n01440764").mkdir(parents=True)
    with pytest.raises(PruningError, match=re.escape("999 class folders (n01443537, n01484850,")) as refusal:
        datasets.find("imagenet").read(tmp_path)
    assert "and 989 more" in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(("name", "count"), [("imagenet", 1000), ("tinyimagenet", 200)])
def test_class_lists_are_sorted_synsets_each_once(name: str, count: int) -> None:
    classes = class_list(name)
    assert len(set(classes)) == len(classes) == count == datasets.describe(name).classes
    assert all(re.fullmatch(r"n\d{8}", line) for line in classes)
    assert list(classes) == sorted(classes)
    assert set(class_list("tinyimagenet")) <= set(class_list("imagenet"))


@pytest.mark.parametrize(
    ("name", "train", "test", "mean", "deviation"),
    [
        ("tinyimagenet", 100_000, 10_000, (-0.021, -0.0354, -0.0376), (1.21, 1.20, 1.25)),
        ("tinyimagenet-crops", 100_000, 10_000, (-0.021, -0.0354, -0.0376), (1.21, 1.20, 1.25)),
        ("imagenet", 1_281_167, 50_000, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_official_sizes_and_constants(
    name: str, train: int, test: int, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> None:
    about = datasets.describe(name)
    assert (about.train, about.test, about.mean, about.deviation) == (train, test, mean, deviation)
    layout = datasets.find(name.removesuffix("-crops")).LAYOUT
    for total, (fewest, most) in ((train, layout.train), (test, layout.test)):
        assert fewest * about.classes <= total <= most * about.classes


def test_tinyimagenet_picture_of_another_size_is_refused_by_name(folder: Path) -> None:
    train, _ = tiny_layout(folder, TINY)
    with pytest.raises(PruningError, match=r"n01_0\.JPEG has 40 x 30 pixels"):
        datasets.find("tinyimagenet").decode(train)


# Decoding


def test_test_pictures_equal_torchvisions_resize_and_center_crop(folder: Path) -> None:
    ours = pictures(folder)
    expected = transforms.Compose([transforms.Resize(20), transforms.CenterCrop(16)])
    for number, row in enumerate(ours.index):
        picture = Image.open(folder / row["path"].decode()).convert("RGB")
        np.testing.assert_array_equal(ours[np.array([number])][0], np.asarray(expected(picture)))


def test_crops_of_pictures_equal_torchvisions_resized_crop(folder: Path) -> None:
    ours = pictures(folder)
    numbers = crops.draw_numbers(np.random.default_rng(1), len(ours))
    found = ours.begin(ours.index, numbers)()
    mirrored = 0
    for row, own, image in zip(ours.index, numbers, found, strict=True):
        picture = Image.open(folder / row["path"].decode()).convert("RGB")
        part = crops.crops(own[None], picture.height, picture.width)
        place = [int(array[0]) for array in (part.top, part.left, part.height, part.width)]
        expected = reference.resized_crop(picture, *place, [16, 16])
        if part.mirrored[0]:
            expected, mirrored = reference.hflip(expected), mirrored + 1
        np.testing.assert_array_equal(image, np.asarray(expected))
    assert 0 < mirrored < len(ours)


def test_grey_pictures_are_given_three_channels(folder: Path) -> None:
    path = folder / "big/train/n01/n01_0.JPEG"
    Image.open(path).convert("L").save(path)
    image = pictures(folder)[np.array([0])]
    assert image.shape == (1, 16, 16, 3)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


@pytest.mark.parametrize("state", ["gone", "cut", "other", "not a picture"])
def test_picture_that_is_gone_or_changed_is_named_when_it_is_used(folder: Path, state: str) -> None:
    ours = pictures(folder)
    path = folder / ours.index[4]["path"].decode()
    content = path.read_bytes()
    path.unlink()
    if state != "gone":
        damaged = {"cut": content[: len(content) // 2], "other": content + b"x", "not a picture": b"x" * len(content)}
        path.write_bytes(damaged[state])
    with pytest.raises(PruningError, match=re.escape(str(path))):
        ours[:]


def test_jpeg_that_lacks_its_end_is_refused(folder: Path) -> None:
    path = folder / "big/train/n01/n01_0.JPEG"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(PruningError, match=re.escape(str(path))):
        open_picture(path)


# Crops


def reference_crop(numbers: np.ndarray, height: int, width: int) -> tuple[int, int, int, int]:
    """One picture, one try at a time, as torchvision's RandomResizedCrop.get_params does it."""
    for area_number, ratio_number in zip(numbers[:10].astype(float), numbers[10:20].astype(float), strict=True):
        area = height * width * (0.1 + 0.9 * area_number)
        ratio = np.exp(np.log(0.8) + (np.log(1.25) - np.log(0.8)) * ratio_number)
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(float(numbers[20]) * (height - h + 1)), int(float(numbers[21]) * (width - w + 1)), h, w
    if width / height < 0.8:
        w, h = width, round(width / 0.8)
    elif width / height > 1.25:
        w, h = round(height * 1.25), height
    else:
        w, h = width, height
    return (height - h) // 2, (width - w) // 2, h, w


@pytest.mark.parametrize(("height", "width"), [(64, 64), (375, 500), (500, 333), (30, 600), (600, 30)])
def test_crops_are_those_of_trying_one_after_the_other(height: int, width: int) -> None:
    numbers = crops.draw_numbers(np.random.default_rng(height), 500)
    part = crops.crops(numbers, height, width)
    found = list(zip(part.top, part.left, part.height, part.width, strict=True))
    assert found == [reference_crop(own, height, width) for own in numbers]
    assert (part.top >= 0).all()
    assert (part.left >= 0).all()
    assert (part.top + part.height <= height).all()
    assert (part.left + part.width <= width).all()
    assert abs(part.mirrored.mean() - 0.5) < 5 * 0.5 / np.sqrt(500)


def test_crops_reach_every_edge_and_have_the_areas_and_ratios_of_the_study() -> None:
    part = crops.crops(crops.draw_numbers(np.random.default_rng(0), 20_000), 64, 64)
    share, ratio = part.height * part.width / 64**2, part.width / part.height
    assert 0.08 < share.min() < 0.12
    assert share.max() > 0.97
    assert ratio.min() > 0.74
    assert ratio.max() < 1.36
    # Where every ratio fits, areas are uniform: as many from 0.2 to 0.4 as from 0.4 to 0.6.
    low, high = ((share > a) & (share < b) for a, b in ((0.2, 0.4), (0.4, 0.6)))
    assert abs(low.sum() / high.sum() - 1) < 0.1
    for start, length in ((part.top, part.height), (part.left, part.width)):
        assert start.min() == 0
        assert (start + length).max() == 64
        free = length < 60
        assert abs((start[free] / (64 - length[free])).mean() - 0.5) < 0.02


def test_resized_crops_of_a_batch_are_pillows_to_within_its_rounding() -> None:
    draw = np.random.default_rng(3)
    images = np.stack([np.asarray(photograph(draw, 64, 64)) for _ in range(50)])
    shown = augmentation.random_resized_crop(torch.from_numpy(images), np.random.default_rng(7))
    chosen = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    found = shown(chosen).numpy()
    part = crops.crops(crops.draw_numbers(np.random.default_rng(7), 50), 64, 64)
    for image, number in zip(found, chosen.tolist(), strict=True):
        place = [int(array[number]) for array in (part.top, part.left, part.height, part.width)]
        expected = reference.resized_crop(Image.fromarray(images[number]), *place, [64, 64])
        expected = reference.hflip(expected) if part.mirrored[number] else expected
        assert np.abs(image - np.asarray(expected)).max() < 1.5


def test_resident_data_is_shown_in_resized_crops_that_do_not_depend_on_the_batch() -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    split = Split(images, np.arange(30))
    mean, deviation = np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    tiny = Data(split, split, 30, 255.0, mean, deviation, "random resized crop", "made")
    shown = []
    for size in (7, 30):
        parts, numbers = zip(*Resident(tiny, size, 3, CPU).epoch(2, 0), strict=True)
        order = torch.cat(numbers).argsort()
        shown.append(torch.cat(parts)[order])
    torch.testing.assert_close(shown[0], shown[1], rtol=0, atol=1e-6)
    expected = augmentation.random_resized_crop(torch.from_numpy(images), stream(3, "augmentation", 2))
    torch.testing.assert_close(shown[1], normalise(expected(torch.arange(30)), tiny), rtol=0, atol=1e-6)


# Streaming


def epoch_of(made: Data, batch_size: int = 4, seed: int = 5, epoch: int = 1, first: int = 0) -> list:
    return list(Streamed(made, batch_size, seed, CPU).epoch(epoch, first))


def assert_same_batches(found: list, expected: list) -> None:
    assert len(found) == len(expected) > 0
    for (images, labels), (other_images, other_labels) in zip(found, expected, strict=True):
        assert torch.equal(images, other_images)
        assert torch.equal(labels, other_labels)


@pytest.mark.parametrize("shown_as", ["none", "random resized crop"])
def test_epoch_has_the_same_bytes_twice_and_with_any_number_of_workers(folder: Path, shown_as: str) -> None:
    expected = epoch_of(in_files(folder, 1, shown_as))
    for workers in (1, 2, 7):
        assert_same_batches(epoch_of(in_files(folder, workers, shown_as)), expected)


def test_epoch_taken_up_at_a_batch_gives_the_batches_of_the_whole_epoch(folder: Path) -> None:
    made = in_files(folder)
    whole = epoch_of(made)
    assert [len(labels) for _, labels in whole] == [4, 4, 2]
    for first in (1, 2):
        assert_same_batches(epoch_of(made, first=first), whole[first:])


def test_an_epoch_shows_each_picture_in_the_crop_of_its_seed_and_epoch(folder: Path) -> None:
    made = in_files(folder)
    order = stream(5, "data order", 1).permutation(10)
    numbers = crops.draw_numbers(stream(5, "augmentation", 1), 10)
    shown = torch.cat([images for images, _ in epoch_of(made)])
    source = made.train.images
    assert isinstance(source, Pictures)
    for position, number in enumerate(order):
        expected = source.begin(source.index[[number]], numbers[[number]])()
        torch.testing.assert_close(shown[[position]], normalise(torch.from_numpy(expected), made), rtol=0, atol=0)
    for other in (epoch_of(made, epoch=2), epoch_of(made, seed=6)):
        assert not torch.equal(shown, torch.cat([images for images, _ in other]))


def test_test_pictures_come_in_order_and_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PICTURES_AT_ONCE", 4)
    made = in_files(folder)
    parts = list(Streamed(made, 4, 0, CPU).test())
    assert [len(part) for part in parts] == [4, 2]
    torch.testing.assert_close(torch.cat(parts), normalise(torch.from_numpy(made.test.images[:]), made))


def test_only_two_batches_are_in_memory(folder: Path) -> None:
    made = in_files(folder, repeats=20, side=100)
    a_batch = 8 * 100 * 100 * 3
    tracemalloc.start()
    for _ in Streamed(made, 8, 0, CPU).epoch(0, 0):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * a_batch  # two batches, once as pictures and once stacked; the epoch has 25


def test_data_is_of_the_kind_that_it_was_prepared_as(folder: Path, digits: Data) -> None:
    assert isinstance(batches.of_data(in_files(folder), 4, 0, CPU), Streamed)
    assert isinstance(batches.of_data(digits, 4, 0, CPU), Resident)


def test_scoring_examples_are_test_views_of_training_pictures_as_bytes(folder: Path) -> None:
    made = in_files(folder, repeats=5)
    examples = scoring_examples(made, 0, CPU, at_once=12)
    assert examples.images.dtype == torch.uint8
    assert examples.labels.bincount().tolist() == [10, 10, 10]
    assert [len(labels) for _, labels, _ in examples.chunks()] == [12, 12, 6]
    views = {image.tobytes(): int(label) for image, label in zip(made.train.images[:], made.train.labels, strict=True)}
    for image, label in zip(examples.images, examples.labels, strict=True):
        assert views[image.numpy().tobytes()] == label


# Prepared


def prepare_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The three classes in the place of ImageNet."""
    module = datasets.find("imagenet")
    about = replace(module.DESCRIPTION, train=10, test=6, classes=3, shape=(16, 16, 3), shorter_edge=20)
    monkeypatch.setattr(module, "DESCRIPTION", about)
    monkeypatch.setattr(module, "LAYOUT", BIG)
    data.prepare("imagenet", folder, folder / "prepared")
    return folder / "prepared"


def test_what_is_prepared_of_pictures_is_an_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare_made(folder, monkeypatch)
    assert sum(path.stat().st_size for path in prepared.iterdir()) < 5000
    loaded = data.load(prepared, folder, workers=2)
    assert loaded.versions == {"pillow": PIL.__version__}
    assert loaded.train.images.shape == (10, 16, 16, 3)
    np.testing.assert_array_equal(loaded.train.images[:], pictures(folder)[:])
    rows = np.load(prepared / "train_images.npy")
    assert [(folder / row["path"].decode()).stat().st_size for row in rows] == rows["size"].tolist()
    manifest = json.loads((prepared / "manifest.json").read_text())
    assert (manifest["shape"], manifest["shorter_edge"]) == ([16, 16, 3], 20)


def test_identity_of_pictures_is_their_list_and_sizes_and_not_where_they_lie(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = data.load(prepare_made(folder, monkeypatch)).checksum
    manifest = (folder / "prepared/manifest.json").read_bytes()
    moved = tmp_path_factory.mktemp("moved")
    shutil.copytree(folder / "big", moved / "big")
    assert data.load(prepare_made(moved, monkeypatch)).checksum == first
    assert (moved / "prepared/manifest.json").read_bytes() == manifest
    photograph(np.random.default_rng(9), 50, 50).save(moved / "big/train/n01/n01_0.JPEG")
    assert data.load(prepare_made(moved, monkeypatch)).checksum != first


def test_wrong_total_of_pictures_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "big/train/n02/n02_3.JPEG").unlink()
    with pytest.raises(PruningError, match=r"train_images has shape \(9,\), expected \(10,\)"):
        prepare_made(folder, monkeypatch)


# Real pictures


@pytest.mark.parametrize(
    ("name", "shape"),
    [("imagenette64-tiny-few", (64, 64, 3)), ("imagenette64-folders-few", (224, 224, 3))],
)
def test_ten_real_classes_are_prepared_and_shown(
    real_data: Path, tmp_path: Path, name: str, shape: tuple[int, int, int]
) -> None:
    data.prepare(name, real_data, tmp_path)
    loaded = data.load(tmp_path, real_data, workers=2)
    assert loaded.train.images.shape[1:] == shape
    assert np.unique(np.bincount(loaded.train.labels)).size == 1
    images, labels = next(iter(batches.of_data(loaded, 10, 0, CPU).epoch(0, 0)))
    assert images.shape == (10, 3, *shape[:2])
    assert len(labels) == 10
    assert images.isfinite().all()


@pytest.mark.parametrize("name", ["imagenette64-tiny", "imagenette64-folders"])
def test_counts_of_the_ten_real_classes(real_data: Path, tmp_path: Path, name: str) -> None:
    data.prepare(name, real_data, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["train_count_a_class"] == [963, 955, 993, 858, 941, 956, 961, 931, 951, 960]
    assert manifest["test_count_a_class"] == [387, 395, 357, 386, 409, 394, 389, 419, 399, 390]
