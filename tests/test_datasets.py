"""Datasets: the prepared arrays against independent readings of the same files, and every refusal."""

import dataclasses
import gzip
import hashlib
import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
import torch
import yaml
from sklearn.datasets import load_digits

import job
import network_job
import pruning
from pruning import PruningError, data, datasets
from pruning.data import Data
from pruning.datasets import Split
from pruning.normalisation import normalise, normalise_all
from pruning.study import Tables

MNIST_RAW = Path("MNIST/raw")
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
CIFAR = Path("cifar-10-batches-py")
CIFAR_FILES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
ALL_FILES = {"mnist": (MNIST_RAW, MNIST_FILES), "cifar10": (CIFAR, CIFAR_FILES)}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails at once: nothing listens at the address."""
    from torchvision.datasets import CIFAR10, MNIST

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(MNIST, "mirrors", [address])
    monkeypatch.setattr(CIFAR10, "url", f"{address}cifar-10-python.tar.gz")


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torchvision must not be asked: it would unpickle a file, or put another in its place."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torchvision was asked before the files were checked")

    monkeypatch.setattr("torchvision.datasets.VisionDataset.__init__", refuse)


@pytest.fixture(scope="session")
def mnist_folder(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mnist")
    data.prepare("mnist", link(real_data, "mnist", tmp_path_factory.mktemp("source")), folder)
    return folder


@pytest.fixture(scope="session")
def cifar10_folder(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cifar10")
    data.prepare("cifar10", link(real_data, "cifar10", tmp_path_factory.mktemp("source")), folder)
    return folder


def link(real_data: Path, name: str, target: Path) -> Path:
    """Links to the official files of a dataset below `target`, so that nothing is unpacked beside the originals."""
    below, files = ALL_FILES[name]
    (target / below).mkdir(parents=True)
    for file in files:
        (target / below / file).symlink_to((real_data / below / file).resolve())
    return target


def zip_bytes(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    return [(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)]


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def alter(content: bytes) -> bytes:
    """`content` with one bit of its middle byte flipped."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` and leave alone what a link at `path` leads to."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


class Trap:
    """Unpickling this leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (os.mkdir, (str(self.mark),))


# Digits


def test_digits_has_1437_training_and_360_test_images(digits: Data) -> None:
    assert digits.train.images.shape == (1437, 8, 8, 1)
    assert digits.test.images.shape == (360, 8, 8, 1)
    assert digits.train.images.dtype == np.uint8
    assert digits.train.labels.dtype == np.int64


def test_digits_splits_hold_every_image_of_scikit_learn_once_with_its_label(digits: Data) -> None:
    original = load_digits()
    found = [*zip_bytes(digits.train.images, digits.train.labels), *zip_bytes(digits.test.images, digits.test.labels)]
    assert len(set(found)) == 1797
    assert sorted(found) == sorted(zip_bytes(original.images.astype(np.uint8), original.target))


def test_digits_split_does_not_depend_on_the_global_random_state(digits: Data) -> None:
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        train, test = datasets.find("digits").read(Path("unused"))
        np.testing.assert_array_equal(train.images, digits.train.images)
        np.testing.assert_array_equal(test.labels, digits.test.labels)


def test_digits_split_is_stratified_to_within_one_image_a_class(digits: Data) -> None:
    known = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    in_test = np.bincount(digits.test.labels)
    np.testing.assert_array_equal(np.bincount(digits.train.labels) + in_test, known)
    assert np.abs(in_test - known * 360 / 1797).max() < 1


def test_normalised_training_images_of_digits_have_mean_0_and_deviation_1(digits: Data) -> None:
    images = normalise(torch.from_numpy(digits.train.images), digits).double()
    assert images.shape == (1437, 1, 8, 8)
    assert images.mean().item() == pytest.approx(0, abs=1e-6)
    assert images.std(correction=0).item() == pytest.approx(1, abs=1e-6)


def test_whole_datasets_are_normalised_as_the_formula_says(digits: Data) -> None:
    pixels = digits.train.images.astype(np.float64)
    known = ((pixels / digits.scale - digits.mean) / digits.deviation).transpose(0, 3, 1, 2)
    found = normalise_all(torch.from_numpy(digits.train.images), digits)
    assert found.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(found.numpy(), known, rtol=0, atol=1e-6)


def test_moments_are_a_channel_where_the_dataset_has_no_constants(
    digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_three_channels(split: Split) -> Split:
        return Split(np.concatenate([split.images, split.images // 2, 16 - split.images], axis=3), split.labels)

    module = datasets.find("digits")
    monkeypatch.setattr(module, "read", lambda _: (in_three_channels(digits.train), in_three_channels(digits.test)))
    monkeypatch.setattr(module, "DESCRIPTION", dataclasses.replace(module.DESCRIPTION, shape=(8, 8, 3)))
    data.prepare("digits", Path("unused"), tmp_path)
    images = normalise(torch.from_numpy(in_three_channels(digits.train).images), data.load(tmp_path)).double()
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3), correction=0), torch.ones(3).double(), atol=1e-6, rtol=0)


def test_digits_of_another_scikit_learn_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = load_digits()
    other.images[100, 3, 3] += 1
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda: other)
    with pytest.raises(PruningError, match="scikit-learn"):
        data.prepare("digits", Path("unused"), tmp_path)
    assert not list(tmp_path.iterdir())


# What the manifest says


def test_manifest_of_digits_says_what_the_arrays_are(digits_folder: Path) -> None:
    manifest = json.loads((digits_folder / "manifest.json").read_text())
    pixels = load_digits().images
    assert manifest["dataset"] == "digits"
    assert manifest["licence"] == "CC BY 4.0"
    assert "Alpaydin" in manifest["source"]
    assert manifest["files"] == {}
    assert manifest["classes"] == 10
    assert manifest["scale"] == pixels.max() == 16
    assert manifest["mean"] == [pytest.approx(pixels.mean() / 16, abs=0.01)]
    assert manifest["deviation"] == [pytest.approx(pixels.std() / 16, abs=0.01)]
    assert manifest["augmentation"] == "none"
    assert sum(manifest["train_count_a_class"]) == 1437
    assert sum(manifest["test_count_a_class"]) == 360
    assert {name: entry["shape"] for name, entry in manifest["arrays"].items()} == {
        "train_images": [1437, 8, 8, 1],
        "train_labels": [1437],
        "test_images": [360, 8, 8, 1],
        "test_labels": [360],
    }


def test_versions_that_made_the_images_are_those_of_their_preparation_and_stand_in_the_record_of_a_job(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(digits_folder, tmp_path / "digits"))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["versions"] == {"scikit-learn": sklearn.__version__}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"versions": {"scikit-learn": "1.0"}}))
    monkeypatch.setattr(network_job, "prepare_torch", lambda *_: torch.device("cpu"))
    snakemake = SimpleNamespace(
        params=SimpleNamespace(recipe={"architecture": "lenet_300_100", "threads": 1}),
        wildcards=SimpleNamespace(seed="0"),
        config={"elsewhere": None, "data": "unused"},
        input=SimpleNamespace(manifest=folder / "manifest.json"),
    )
    versions = network_job.NetworkJob(snakemake).run.record()["versions"]
    assert (versions["scikit-learn"], versions["torch"]) == ("1.0", torch.__version__)
    assert not {"pillow", "cudnn"} & versions.keys()


def test_data_whose_manifest_says_no_versions_are_the_same_data(digits_folder: Path, tmp_path: Path) -> None:
    """As those were prepared that are older than the record of versions."""
    folder = Path(shutil.copytree(digits_folder, tmp_path / "digits"))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["versions"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert data.load(folder).versions == {}
    assert data.load(folder).checksum == data.load(digits_folder).checksum


def test_record_of_a_gpu_has_the_version_of_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "device_name", lambda _: "a GPU")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 92600)
    assert job.Run(torch.device("cuda")).record()["versions"]["cudnn"] == "92600"


def test_checksums_of_the_manifest_are_sha256_of_type_shape_and_bytes(digits_folder: Path) -> None:
    manifest = json.loads((digits_folder / "manifest.json").read_text())
    for name, kind in (("train_images", "|u1"), ("test_labels", "<i8")):
        array = np.load(digits_folder / f"{name}.npy")
        expected = hashlib.sha256(f"{kind}{array.shape}".encode() + array.astype(kind).tobytes()).hexdigest()
        assert manifest["arrays"][name]["checksum"] == expected


def test_preparing_twice_gives_the_same_bytes(digits_folder: Path, tmp_path: Path) -> None:
    data.prepare("digits", Path("unused"), tmp_path)
    for path in digits_folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_loaded_arrays_are_memory_mapped_and_writing_to_them_changes_no_file(digits_folder: Path) -> None:
    first = data.load(digits_folder)
    assert isinstance(first.train.images, np.memmap)
    before = first.train.images[0, 0, 0, 0]
    first.train.images[0, 0, 0, 0] = before + 1
    assert data.load(digits_folder).train.images[0, 0, 0, 0] == before


# MNIST


def idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def test_mnist_holds_the_pixels_and_labels_of_the_official_files(real_data: Path, mnist_folder: Path) -> None:
    loaded = data.load(mnist_folder)
    for part, split, count in (("train", loaded.train, 60_000), ("t10k", loaded.test, 10_000)):
        images = idx(real_data / MNIST_RAW / f"{part}-images-idx3-ubyte.gz", 16)
        assert split.images.shape == (count, 28, 28, 1)
        np.testing.assert_array_equal(split.images, images.reshape(count, 28, 28, 1))
        np.testing.assert_array_equal(split.labels, idx(real_data / MNIST_RAW / f"{part}-labels-idx1-ubyte.gz", 8))
        assert split.labels.dtype == np.int64


def test_mnist_has_its_known_labels_and_class_counts(mnist_folder: Path) -> None:
    loaded = data.load(mnist_folder)
    assert loaded.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert loaded.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    manifest = json.loads((mnist_folder / "manifest.json").read_text())
    assert manifest["train_count_a_class"] == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert manifest["test_count_a_class"] == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert manifest["files"] == {str(MNIST_RAW / name): value for name, value in MNIST_FILES.items()}


def test_mnist_normalised_with_its_constants_has_mean_0_and_deviation_1(mnist_folder: Path) -> None:
    loaded = data.load(mnist_folder)
    assert (loaded.mean.tolist(), loaded.deviation.tolist()) == ([pytest.approx(0.1307)], [pytest.approx(0.3081)])
    deviation, mean = torch.std_mean(normalise(torch.from_numpy(loaded.train.images), loaded))
    assert mean.item() == pytest.approx(0, abs=2e-4)
    assert deviation.item() == pytest.approx(1, abs=2e-4)
    assert loaded.augmentation == "none"


def test_mnist_is_read_from_its_unpacked_files_where_the_archives_are_gone(
    real_data: Path, mnist_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "source" / MNIST_RAW).mkdir(parents=True)
    for name in MNIST_FILES:
        content = gzip.decompress((real_data / MNIST_RAW / name).read_bytes())
        (tmp_path / "source" / MNIST_RAW / name.removesuffix(".gz")).write_bytes(content)
    data.prepare("mnist", tmp_path / "source", tmp_path / "prepared")
    assert data.load(tmp_path / "prepared").checksum == data.load(mnist_folder).checksum


@pytest.mark.parametrize("name", MNIST_FILES)
def test_mnist_archive_with_a_flipped_bit_is_refused_by_name(
    real_data: Path, tmp_path: Path, unasked: None, name: str
) -> None:
    path = link(real_data, "mnist", tmp_path) / MNIST_RAW / name
    altered = alter(path.read_bytes())
    replace(path, altered)
    with pytest.raises(PruningError) as refusal:
        datasets.find("mnist").read(tmp_path)
    for fact in (str(path), md5(altered), MNIST_FILES[name], f"{len(altered)} bytes"):
        assert fact in str(refusal.value)


def test_mnist_test_labels_under_the_name_of_training_labels_are_refused(
    real_data: Path, tmp_path: Path, unasked: None
) -> None:
    path = link(real_data, "mnist", tmp_path) / MNIST_RAW / "train-labels-idx1-ubyte.gz"
    replace(path, path.with_name("t10k-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(PruningError, match=r"train-labels-idx1-ubyte\.gz is not the official file"):
        datasets.find("mnist").read(tmp_path)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_mnist_unpacked_file_that_was_altered_is_refused_by_name(
    real_data: Path, tmp_path: Path, unasked: None, name: str
) -> None:
    link(real_data, "mnist", tmp_path)
    content = gzip.decompress((real_data / MNIST_RAW / f"{name}.gz").read_bytes())
    (tmp_path / MNIST_RAW / name).write_bytes(alter(content))
    with pytest.raises(PruningError, match=f"{name} is not the official file"):
        datasets.find("mnist").read(tmp_path)


def test_mnist_files_that_cannot_be_unpacked_are_not_called_missing(real_data: Path, tmp_path: Path) -> None:
    """As in a data folder that may only be read; here a folder stands in the way."""
    obstacle = link(real_data, "mnist", tmp_path) / MNIST_RAW / "train-images-idx3-ubyte"
    obstacle.mkdir()
    with pytest.raises(PruningError, match=str(obstacle)) as refusal:
        datasets.find("mnist").read(tmp_path)
    assert "could not be downloaded" not in str(refusal.value)


def test_mnist_reads_no_file_that_was_not_checked(real_data: Path, tmp_path: Path) -> None:
    """Old versions of torchvision left MNIST/processed/*.pt; torchvision prefers these to the official files."""
    processed = link(real_data, "mnist", tmp_path) / "MNIST" / "processed"
    processed.mkdir()
    for name, count in (("training.pt", 60_000), ("test.pt", 10_000)):
        content = torch.zeros(count, 28, 28, dtype=torch.uint8), torch.arange(count) % 10
        torch.save(content, processed / name)
    train, test = datasets.find("mnist").read(tmp_path)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.images.any()


# CIFAR-10


def test_cifar10_holds_the_pixels_and_labels_of_the_official_files(real_data: Path, cifar10_folder: Path) -> None:
    loaded = data.load(cifar10_folder)
    assert loaded.train.images.shape == (50_000, 32, 32, 3)
    assert loaded.test.images.shape == (10_000, 32, 32, 3)
    for number, name in enumerate([f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]):
        content = (real_data / CIFAR / name).read_bytes()
        assert md5(content) == CIFAR_FILES[name]
        batch = pickle.loads(content, encoding="bytes")
        split = loaded.test if name == "test_batch" else loaded.train
        part = slice(0, 10_000) if name == "test_batch" else slice(10_000 * number, 10_000 * (number + 1))
        # A row is 1024 red, 1024 green and 1024 blue values.
        colours = [batch[b"data"][:, 1024 * c : 1024 * (c + 1)].reshape(10_000, 32, 32) for c in range(3)]
        for channel, colour in enumerate(colours):
            np.testing.assert_array_equal(split.images[part, :, :, channel], colour)
        np.testing.assert_array_equal(split.labels[part], batch[b"labels"])


def test_cifar10_has_its_known_labels_and_class_counts(cifar10_folder: Path) -> None:
    loaded = data.load(cifar10_folder)
    assert loaded.train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert loaded.test.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    manifest = json.loads((cifar10_folder / "manifest.json").read_text())
    assert manifest["train_count_a_class"] == [5000] * 10
    assert manifest["test_count_a_class"] == [1000] * 10
    assert manifest["files"] == {str(CIFAR / name): value for name, value in CIFAR_FILES.items()}
    assert manifest["mean"] == [0.485, 0.456, 0.406]
    assert manifest["deviation"] == [0.229, 0.224, 0.225]
    assert manifest["augmentation"] == "flip and crop"


def test_cifar10_pixels_are_normalised_a_channel(cifar10_folder: Path) -> None:
    loaded = data.load(cifar10_folder)
    image = loaded.train.images[0]
    found = normalise(torch.from_numpy(loaded.train.images[:1]), loaded)[0].numpy()
    for channel, (mean, deviation) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        expected = (image[:, :, channel].astype(np.float64) / 255 - mean) / deviation
        np.testing.assert_allclose(found[channel], expected, atol=1e-6)


def test_cifar10_batch_under_the_name_of_another_is_refused(real_data: Path, tmp_path: Path, unasked: None) -> None:
    path = link(real_data, "cifar10", tmp_path) / CIFAR / "data_batch_1"
    path.unlink()
    path.symlink_to((real_data / CIFAR / "data_batch_2").resolve())
    with pytest.raises(PruningError, match="data_batch_1 is not the official file") as refusal:
        datasets.find("cifar10").read(tmp_path)
    assert CIFAR_FILES["data_batch_1"] in str(refusal.value)
    assert CIFAR_FILES["data_batch_2"] in str(refusal.value)


def test_cifar10_batch_that_was_cut_short_is_refused_with_its_size(
    real_data: Path, tmp_path: Path, unasked: None
) -> None:
    path = link(real_data, "cifar10", tmp_path) / CIFAR / "test_batch"
    replace(path, path.read_bytes()[:1_000_000])
    with pytest.raises(PruningError, match=r"test_batch is not the official file.*\(1000000 bytes\)"):
        datasets.find("cifar10").read(tmp_path)


@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_cifar10_trap_among_official_files_is_refused_and_not_unpickled(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    path = link(real_data, "cifar10", tmp_path) / CIFAR / name
    replace(path, pickle.dumps(Trap(tmp_path / "mark")))
    with pytest.raises(PruningError, match=f"{name} is not the official file"):
        datasets.find("cifar10").read(tmp_path)
    assert not (tmp_path / "mark").exists()


# Files that are missing or wrong, without the real ones


@pytest.mark.parametrize("name", CIFAR_FILES)
def test_cifar10_trap_is_refused_by_name_and_not_unpickled(tmp_path: Path, unasked: None, name: str) -> None:
    path = tmp_path / CIFAR / name
    path.parent.mkdir()
    content = pickle.dumps(Trap(tmp_path / "mark"))
    path.write_bytes(content)
    with pytest.raises(PruningError, match=f"{name} is not the official file") as refusal:
        datasets.find("cifar10").read(tmp_path)
    assert md5(content) in str(refusal.value)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_files_and_network_every_missing_file_is_named_with_md5_and_place(
    tmp_path: Path, offline: None, name: str
) -> None:
    with pytest.raises(PruningError) as refusal:
        data.prepare(name, tmp_path / "source", tmp_path / "prepared")
    lines = str(refusal.value).splitlines()
    below, files = ALL_FILES[name]
    for file, digest in files.items():
        assert any(str(tmp_path / "source" / below / file) in line and digest in line for line in lines)
    assert "refused" in str(refusal.value)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_only_the_file_that_is_missing_is_asked_for(real_data: Path, tmp_path: Path, offline: None, name: str) -> None:
    below, files = ALL_FILES[name]
    gone = list(files)[1]
    (link(real_data, name, tmp_path) / below / gone).unlink()
    with pytest.raises(PruningError) as refusal:
        datasets.find(name).read(tmp_path)
    asked_for = [file for file in files if f"{tmp_path / below / file}   MD5 {files[file]}" in str(refusal.value)]
    assert asked_for == [gone]


def test_unknown_dataset_in_the_table_of_networks_is_refused_with_the_names_that_exist(tmp_path: Path) -> None:
    project = Path(__file__).parent.parent
    table = tmp_path / "networks.yaml"
    rows = yaml.safe_load((project / "config/networks.yaml").read_text())
    table.write_text(yaml.safe_dump({"mine": {**rows["lenet300-digits"], "dataset": "digit"}}))
    with pytest.raises(PruningError) as refusal:
        Tables.read(table, project / "config/methods.yaml", project / "workflow/schemas")
    for fact in (str(table), "mine.dataset", "'digit'", "did you mean digits", "cifar10, digits, imagenet"):
        assert fact in str(refusal.value)


def test_arrays_that_do_not_fit_the_description_are_refused(
    digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = datasets.find("digits")
    short = Split(digits.test.images[:-1], digits.test.labels[:-1])
    no_nines = Split(digits.test.images, np.minimum(digits.test.labels, 8))
    for test, message in ((short, "test_images"), (no_nines, "test_labels must hold every class from 0 to 9")):
        monkeypatch.setattr(module, "read", lambda _, test=test: (digits.train, test))
        with pytest.raises(PruningError, match=message):
            data.prepare("digits", Path("unused"), tmp_path)
    assert not list(tmp_path.iterdir())


# Prepared files that are gone or altered


@pytest.fixture
def prepared(digits_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digits_folder, tmp_path / "prepared"))


@pytest.mark.parametrize("name", ["train_images", "train_labels", "test_images", "test_labels"])
def test_prepared_array_with_a_flipped_bit_is_refused_by_name(prepared: Path, name: str) -> None:
    path = prepared / f"{name}.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(PruningError, match=f"{name}.npy"):
        data.load(prepared)


@pytest.mark.parametrize("left", [0, 5, 1000])
def test_prepared_array_that_was_cut_short_is_refused_by_name(prepared: Path, left: int) -> None:
    path = prepared / "train_images.npy"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(PruningError, match=r"train_images\.npy"):
        data.load(prepared)


@pytest.mark.parametrize("name", ["train_images.npy", "test_labels.npy", "manifest.json"])
def test_prepared_file_that_is_gone_is_refused_by_name(prepared: Path, name: str) -> None:
    (prepared / name).unlink()
    with pytest.raises(PruningError, match=name):
        data.load(prepared)


def test_manifest_that_was_cut_short_is_refused_by_name(prepared: Path) -> None:
    path = prepared / "manifest.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(PruningError, match=r"manifest\.json"):
        data.load(prepared)


def test_prepared_array_of_another_type_is_refused(prepared: Path) -> None:
    np.save(prepared / "test_labels.npy", np.load(prepared / "test_labels.npy").astype(np.int32))
    with pytest.raises(PruningError, match=r"test_labels\.npy"):
        data.load(prepared)


def test_trap_in_a_prepared_array_is_refused_and_not_unpickled(prepared: Path, tmp_path: Path) -> None:
    trap = np.array([Trap(tmp_path / "mark")], dtype=object)
    np.save(prepared / "train_labels.npy", trap, allow_pickle=True)
    with pytest.raises(PruningError, match=r"train_labels\.npy"):
        data.load(prepared)
    assert not (tmp_path / "mark").exists()


# What is imported


def test_preparing_and_loading_digits_imports_neither_torch_nor_torchvision(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from pruning import data, datasets, registry
for name in registry.names('datasets'):
    datasets.describe(name)
data.prepare("digits", Path("unused"), Path(sys.argv[1]))
data.load(Path(sys.argv[1]))
print(sorted({"torch", "torchvision"} & set(sys.modules)))
"""
    library = str(Path(pruning.__file__).parent.parent)
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": library},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
