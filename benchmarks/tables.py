"""Tables of a large study: how long they take, and how much memory.

    python benchmarks/tables.py                    the 20,000 cells of config/studies/paper.yaml
    python benchmarks/tables.py --cells 5000       the first of them

Evaluations are made up, with the layers of each network's architecture and an accuracy at random. Each table is made in
a process of its own, as its script makes it; its memory is the process's peak, imports included.
"""

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from pruning.claims_config import claimed_networks, read_claims
from pruning.files import read_json, write_table
from pruning.study import Cell, Study, Tables

SCHEMAS = ROOT / "workflow/schemas"
LAYERS = {"lenet300-mnist": 3, "resnet20-cifar10": 20, "vgg16-cifar10": 14, "resnet50-imagenet": 54}
"""prunable tensors; 18 of any other"""
DIGEST = "0" * 64


def evaluation(cell: Cell, draw: random.Random, schema: list[dict[str, str]]) -> dict[str, Any]:
    made_up = {"int": 1000, "float": draw.uniform(10, 99), "bool": False, "str": "cpu"}
    layer = dict.fromkeys(
        ("weights", "kept", "pruned", "effective", "neurons", "neurons_without_incoming", "neurons_without_outgoing"), 9
    )
    layer |= {"shape": [3, 3], "density": 12.345, "multiply_adds": 10**6, "multiply_adds_left": 10**5}
    run = {"started": "2026-01-02T03:04:05+00:00", "seconds": 9.0, "host": "here", "engine": "cuda", "device": "a GPU"}
    setting = {f"setting {i}": i for i in range(15)}
    versions = dict.fromkeys(("python", "torch", "numpy", "safetensors"), "1.0.0")
    return {
        "cell": vars(cell),
        "metrics": {
            **{column["name"]: made_up[column["type"]] for column in schema if column["name"] not in vars(cell)},
            "layers": [{**layer, "tensor": f"block{i}.conv.weight"} for i in range(LAYERS.get(cell.network, 18))],
        },
        "run": {"scoring": {**run, "scoring_seconds": 1.0}, "training": {**run, "training_seconds": 9.0}},
        "provenance": {
            "recipes": {
                "mask": {"score": cell.method, "scoring_code": DIGEST[:16], **setting},
                "training": {"training_code": DIGEST[:16], "network_code": DIGEST[:16], **setting},
            },
            "evaluation_code": DIGEST[:16],
            **dict.fromkeys(("data", "scored_state", "start_state", "mask"), DIGEST),
            "engines": {"scoring": "cuda", "training": "cuda"},
            "versions": {"scoring": versions, "training": versions},
        },
    }


def stages(study: Study, paths: list[Path], schema: list[dict[str, str]], place: Path) -> dict[str, Callable[[], Any]]:
    """What each script does, without Snakemake. Imports are inside: they belong to the process that is measured."""

    def cells() -> None:
        from pruning.provenance import cells_and_provenance

        of_cells, provenance = cells_and_provenance(map(read_json, paths), schema)
        write_table(place / "cells.csv", of_cells)
        write_table(place / "provenance.csv", provenance)

    def statistics() -> None:
        from pruning.tables import read_table, statistics_table

        write_table(place / "statistics.csv", statistics_table(read_table(str(place / "cells.csv"))))

    def claims() -> None:
        from pruning.claims import differences, verdicts
        from pruning.tables import read_table

        asked = read_claims(ROOT / "config/claims.yaml", study.tables, SCHEMAS)
        of_study = (read_table(str(place / "cells.csv")), asked, claimed_networks(study))
        write_table(place / "claims.csv", verdicts(*of_study))
        write_table(place / "differences.csv", differences(*of_study))

    def layers() -> None:
        from pruning.tables import layers_table

        write_table(place / "layers.csv", layers_table(map(read_json, paths)))

    return {
        "cells and provenance": cells,
        "statistics.csv": statistics,
        "claims": claims,
        "rows of layers of all": layers,
    }


def measured(stage: Callable[[], Any], results: Any) -> None:
    began = time.perf_counter()
    stage()
    results.put((time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main(most: int) -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config |= yaml.safe_load((ROOT / "config/studies/paper.yaml").read_text())
    study = Study(config, Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", SCHEMAS))
    schema = yaml.safe_load((SCHEMAS / "cells.schema.yaml").read_text())
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, cell in enumerate(study.cells[:most]):
            path = Path(folder) / "cells" / str(number // 1000) / f"{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(evaluation(cell, draw, schema), indent=1))
            paths.append(path)
        size = sum(path.stat().st_size for path in paths) / 1e6
        print(f"{len(paths)} cells, {size:.0f} MB of evaluations")
        context = multiprocessing.get_context("fork")
        for name, stage in stages(study, paths, schema, Path(folder)).items():
            results = context.Queue()
            process = context.Process(target=measured, args=(stage, results))
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"{name} failed")
            seconds, memory = results.get()
            print(f"{name:24} {seconds:6.1f} s {memory:7.0f} MB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=20_000)
    main(parser.parse_args().cells)
