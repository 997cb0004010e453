"""A local conda channel made of what is installed here, and a stand-in for the conda command: `snakemake --use-conda`
without a channel and without an installer.

The channel is a real one (repodata.json, .conda files): Python from the running interpreter, and a package for each
distribution of a virtual environment. Of torch and torchvision, which are gigabytes, it has links to where they are.
The stand-in knows what Snakemake 9 calls and nothing else; py-rattler solves and links. It takes every channel for the
local one. It is not conda, and does not tell whether conda-forge has these packages in these versions.
"""

import argparse
import asyncio
import hashlib
import io
import json
import os
import re
import stat
import sys
import tarfile
import time
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import rattler
import yaml
import zstandard
from packaging.requirements import Requirement
from rattler.index import index_fs

PLATFORM = "linux-64"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/python{PYTHON}/site-packages"
PLACEHOLDER = b"/opt/placeholder_" + b"x" * 200
NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "seaborn": "seaborn-base"}
"""{name on PyPI: name on conda-forge} where they differ"""
LINKED = {
    "torch": ["torch", "torchgen", "functorch", "nvidia", "triton"],
    "torchvision": ["torchvision", "torchvision.libs"],
}
"""{distribution: what of it is linked to, not copied}"""

Files = dict[str, tuple[bytes | str, int]]
"""{path in an environment: (content, or the target of a link, mode)}"""


def conda_name(name: str) -> str:
    name = re.sub(r"[-_.]+", "-", name).lower()
    return NAMES.get(name, name)


def write_package(folder: Path, name: str, version: str, depends: list[str], files: Files) -> None:
    paths: list[dict[str, Any]] = []
    content = io.BytesIO()
    compressor = zstandard.ZstdCompressor(level=1, threads=-1)
    with compressor.stream_writer(content, closefd=False) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for path, (data, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.mode = mode
            about = {
                "_path": path,
                "path_type": "hardlink",
                "sha256": hashlib.sha256(b"").hexdigest(),
                "size_in_bytes": 0,
            }
            if isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                tar.addfile(entry)
                about["path_type"] = "softlink"
            else:
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
                about |= {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
                if PLACEHOLDER in data:
                    about |= {"file_mode": "text", "prefix_placeholder": PLACEHOLDER.decode()}
            paths.append(about)
    index = {
        "name": name, "version": version, "build": "local_0", "build_number": 0, "depends": depends, "constrains": [],
        "subdir": PLATFORM, "platform": "linux", "arch": "x86_64", "timestamp": int(time.time() * 1000),
    }  # fmt: skip
    info = {"index.json": index, "about.json": {}, "paths.json": {"paths": paths, "paths_version": 1}}
    header = io.BytesIO()
    with tarfile.open(fileobj=header, mode="w") as tar:
        for file, what in info.items():
            text = json.dumps(what).encode()
            entry = tarfile.TarInfo(f"info/{file}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    stem = f"{name}-{version}-local_0"
    with zipfile.ZipFile(folder / f"{stem}.conda", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        archive.writestr(f"pkg-{stem}.tar.zst", content.getvalue())
        archive.writestr(f"info-{stem}.tar.zst", zstandard.ZstdCompressor().compress(header.getvalue()))


def python_files() -> Files:
    base, files = Path(sys.base_prefix), Files()
    unneeded = {"test", "site-packages", "__pycache__", "idlelib", "turtledemo"}
    for folder, folders, names in os.walk(base / "lib" / f"python{PYTHON}"):
        folders[:] = [name for name in folders if name not in unneeded and not name.startswith("config-")]
        for name in names:
            path = Path(folder) / name
            files[str(path.relative_to(base))] = (path.read_bytes(), 0o644)
    for library in (base / "lib").glob("libpython*.so*"):
        files[f"lib/{library.name}"] = (library.read_bytes(), 0o755)
    files[f"bin/python{PYTHON}"] = ((base / "bin" / f"python{PYTHON}").resolve().read_bytes(), 0o755)
    files["bin/python"] = files["bin/python3"] = (f"python{PYTHON}", 0o777)
    return files


def distribution_files(distribution: metadata.Distribution, site: Path) -> Files:
    links = LINKED.get(distribution.metadata["Name"], [])
    files: Files = {f"{SITE}/{name}": (str(site / name), 0o777) for name in links if (site / name).exists()}
    for file in distribution.files or []:
        source, path = Path(distribution.locate_file(file)).resolve(), file.as_posix()
        if not source.is_file() or source.suffix == ".pyc" or file.parts[0] in links:
            continue
        mode = 0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644
        if not path.startswith(".."):
            files[f"{SITE}/{path}"] = (source.read_bytes(), mode)
        elif path.startswith("../../../"):  # bin/, share/
            data = source.read_bytes()
            if data.startswith(b"#!") and b"python" in data.split(b"\n", 1)[0]:
                data = b"#!" + PLACEHOLDER + b"/bin/python\n" + data.split(b"\n", 1)[1]
            files[path.removeprefix("../../../")] = (data, mode)
    return files


def build(channel: Path, environment: Path) -> None:
    """Make the channel `channel` of the virtual environment `environment`."""
    folder, site = channel / PLATFORM, environment.resolve() / SITE
    folder.mkdir(parents=True)
    (channel / "noarch").mkdir()
    write_package(folder, "python", ".".join(map(str, sys.version_info[:3])), [], python_files())
    found = [d for d in metadata.distributions(path=[str(site)]) if not re.match("nvidia|triton", d.metadata["Name"])]
    known = {conda_name(distribution.metadata["Name"]) for distribution in found}
    for distribution in found:
        needed = (Requirement(text) for text in distribution.requires or [])
        depends = {conda_name(r.name) for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})}
        write_package(
            folder,
            conda_name(distribution.metadata["Name"]),
            distribution.version.split("+")[0],
            [f"python {PYTHON}.*", *sorted(depends & known)],
            distribution_files(distribution, site),
        )
    asyncio.run(index_fs(channel))


STAND_IN = """#!{python}
import sys

sys.path.insert(0, {here!r})
from conda_local_channel import conda

conda({prefix!r}, {channel!r}, sys.argv[1:])
"""
ACTIVATE = """# sourced by Snakemake: activate ENVIRONMENT
export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"
"""


def stand_in(prefix: Path, channel: Path) -> None:
    """Write `prefix`/bin/conda and activate; put that folder on the PATH."""
    folder = prefix.resolve() / "bin"
    folder.mkdir(parents=True)
    here, places = (
        str(Path(__file__).resolve().parent),
        {"prefix": str(folder.parent), "channel": channel.resolve().as_uri()},
    )
    (folder / "conda").write_text(STAND_IN.format(python=sys.executable, here=here, **places))
    (folder / "conda").chmod(0o755)
    (folder / "activate").write_text(ACTIVATE)


async def create(file: str, prefix: str, channel: str) -> None:
    specs = yaml.safe_load(Path(file).read_text())["dependencies"]
    records = await rattler.solve(
        sources=[channel], specs=specs, platforms=[PLATFORM, "noarch"], virtual_packages=rattler.VirtualPackage.detect()
    )
    await rattler.install(records, target_prefix=prefix, show_progress=False)


def conda(prefix: str, channel: str, arguments: list[str]) -> None:
    """The calls of Snakemake 9."""
    match arguments:
        case ["--version"]:
            print("conda 24.7.1")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": prefix, "platform": PLATFORM, "root_prefix": prefix}))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}, "success": True}))
        case ["clean", *_]:
            pass
        case ["env", "create", *_]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--file")
            parser.add_argument("--prefix")
            options, _ = parser.parse_known_args(arguments)
            asyncio.run(create(options.file, options.prefix, channel))
            # Python's own end, beside the threads of py-rattler, is now and then a segmentation fault.
            sys.stdout.flush()
            os._exit(0)
        case _:
            sys.exit(f"the stand-in for conda does not know: {' '.join(arguments)}")
