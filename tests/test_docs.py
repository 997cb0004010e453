"""The documentation says what is so: every key, every method, and links and commands that lead somewhere."""

import itertools
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from snakemake.cli import parse_args
from snakemake.utils import update_config
from torch import nn

from pruning import registry
from pruning.scores import Examples
from pruning.scoring import Pruning, make_mask
from pruning.study import Cell, Study, Tables
from workflow_copy import ROOT, SNAKEMAKE, WorkflowCopy

SCHEMAS = ROOT / "workflow/schemas"
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.glob("docs/**/*.md")] if path.is_file()
)
OF_WHAT_IS_THERE = [page for page in PAGES if page.name != "extending.md"]
"""The other names files that it makes; tests/test_extending.py follows it."""
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "keys and values",
    "null": "null",
}


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- config/README.md


def reference() -> Iterator[str]:
    """Every row of the tables of config/README.md, as schemas and the default study have them."""
    config = read("workflow/schemas/config.schema.yaml")
    default = read("config/config.yaml")
    for key, schema in config["properties"].items():
        value = "those of `config/config.yaml`" if key == "experiments" else f"`{words_of(default[key])}`"
        yield row(config, key, schema, value)
    experiment = config["properties"]["experiments"]["additionalProperties"]
    of_study = "the study's own"
    defaults = {"figure": "the experiment's name", "grids": "one grid, `[{}]`", "steps": "none"}
    for key, schema in experiment["properties"].items():
        yield row(config, key, schema, defaults.get(key, of_study))
    for name in ("networks", "methods"):
        table = read(f"workflow/schemas/{name}.schema.yaml")
        entry = table["additionalProperties"]
        for key, schema in entry["properties"].items():
            yield row(table, key, schema, "required" if key in entry["required"] else "none")
    claims = read("workflow/schemas/claims.schema.yaml")
    for key in ("margin", "level"):
        yield row(claims, key, claims["properties"][key], "required")
    claim = claims["properties"]["claims"]["additionalProperties"]
    for key, schema in claim["properties"].items():
        yield row(claims, key, schema, "required" if key in claim["required"] else "none")


def row(whole: Mapping[str, Any], key: str, schema: Mapping[str, Any], default: str) -> str:
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    return f"| `{key}` | {type_of(schema)} | {default} | {schema['description']} |"


def type_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{words_of(schema['const'])}`"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(list_of(schema["items"]) if kind == "array" else TYPES[kind] for kind in kinds)


def list_of(items: Mapping[str, Any]) -> str:
    return f"list of {type_of(items)}"


def words_of(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix("\n...").strip()


def test_config_reference_has_every_key_with_type_default_and_meaning() -> None:
    lines = (ROOT / "config/README.md").read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| `")]
    assert shown == list(reference()), "config/README.md has to show the rows of `reference()`, in their order"


# -------------------------------------------------------------------------------------------------- docs/methods.md


def method_rows() -> Iterator[str]:
    """The table of methods in docs/methods.md, as config/methods.yaml has it."""
    for name, row in read("config/methods.yaml").items():
        steps = " | ".join(f"`{row[key]}`" for key in ("prune_at", "rewind_to", "schedule_from"))
        more = [f"quotas of `{row['quotas']}`"] if "quotas" in row else []
        more += [f"varies `{row['variant_of']}`"] if "variant_of" in row else []
        more += ["trains in each round"] if "retrain_each_round" in row else []
        yield (
            f"| `{name}` | {row['label']} | [`{row['score']}`](#{row['score']}) | {row['iterations']} | {steps} |"
            f" {', '.join(more)} |"
        )


def test_method_reference_has_every_method() -> None:
    lines = (ROOT / "docs/methods.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == list(method_rows())


@pytest.mark.parametrize("score", sorted(registry.names("scores")))
def test_method_reference_tells_all_of_a_score(score: str) -> None:
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)
    (section,) = [section for section in sections if section.startswith(f"{score}\n")]
    for what in ("Keeps the highest of", "Batch norm", "Examples", "Source", "Differences"):
        assert f"* **{what}**" in section
    sources = [row["source"] for row in read("config/methods.yaml").values() if row["score"] == score]
    first_authors = {source.split()[0].strip(",") for source in sources} - {"the"}
    assert [author for author in first_authors if author not in section] == []


@pytest.mark.parametrize("score", sorted(registry.names("scores")))
def test_method_reference_says_the_mode_of_batch_norm(score: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2))
    examples = Examples(torch.randn(4, 1, 5, 5), torch.tensor([0, 1, 0, 1]))
    modes = set()
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, *_: modes.add(module.training) if isinstance(module, nn.BatchNorm2d) else None
    )
    try:
        make_mask(network, examples, Pruning(score, 2, lambda _: 20, "none", 0))
    finally:
        hook.remove()
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    words = re.search(rf"^### {score}\n.*?\* \*\*Batch norm\*\*: ([^.;(]+)", text, re.MULTILINE | re.DOTALL)[1]
    said = {"not used": set(), "training mode": {True}, "evaluation mode": {False}}
    # NTK-SAP takes the statistics in training mode and keeps them fixed in what it differentiates.
    said["statistics of the inputs under the weights w, in both terms"] = {True, False}
    assert modes == said[words.strip()]


# ------------------------------------------------------------------------------------------- links, paths, commands


def on_pages(pattern: str, pages: list[Path]) -> list[Any]:
    """Every text on the pages that a pattern finds, as a parameter named after page and text."""
    return [
        pytest.param(page, found, id=f"{page.relative_to(ROOT)}-{found[:60]}")
        for page in pages
        for found in dict.fromkeys(re.findall(pattern, page.read_text(encoding="utf-8"), flags=re.M | re.S))
    ]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "link"), on_pages(r"\]\(([^)\s]+)\)", PAGES))
def test_link_leads_somewhere(page: Path, link: str) -> None:
    if link.startswith("https://"):
        return
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


PATH = r"`((?:config|docs|workflow|tests|envs|profiles|benchmarks)/[\w./*-]*)`"


@pytest.mark.parametrize(("page", "path"), on_pages(PATH, OF_WHAT_IS_THERE))
def test_named_file_is_there(page: Path, path: str) -> None:
    """A file or folder of the repository; NAME stands for any."""
    assert list(ROOT.glob(path.replace("NAME", "*").rstrip("/")))


def commands() -> list[Any]:
    found = []
    for page in OF_WHAT_IS_THERE:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for block in (text for language, text in blocks if language in ("", "bash")):
            for line in filter(None, block.replace("\\\n", " ").splitlines()):
                words = shlex.split(line, comments=True)
                words = list(itertools.dropwhile(re.compile(r"[A-Z_]+=").match, words))
                if words:
                    found.append(pytest.param(words, id=f"{page.relative_to(ROOT)}-{' '.join(words)[:70]}"))
    return found


@pytest.mark.parametrize("words", commands())
def test_command_can_be_given(words: list[str]) -> None:
    program, *arguments = words
    match program:
        case "make":
            targets = [word for word in arguments if "=" not in word]
            files = [word.partition("=")[2] for word in arguments if word.startswith("STUDY=")]
            made = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            assert set(targets) <= set(made)
            assert all((ROOT / file).is_file() for file in files)
        case "snakemake":
            check_snakemake(arguments)
        case "python" | "bash" | ".":
            assert (ROOT / arguments[0]).exists() or arguments[0].startswith(".venv/")
        case _:
            assert shutil.which(program) or program in OTHER_PROGRAMS


OTHER_PROGRAMS = ("conda", "nvidia-cuda-mps-control", "pdflatex", "sbatch", "squeue", "pre-commit")


def check_snakemake(arguments: list[str]) -> None:
    """Options that Snakemake has, a study that is there, and targets of it."""
    if "profiles/slurm" in arguments and not find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("snakemake-executor-plugin-slurm is not installed (tests/tools/requirements.txt)")
    _, given = parse_args(arguments)
    config = read("config/config.yaml")
    for file in filter(lambda file: str(file) != "...", given.configfile or []):
        update_config(config, read(str(file)))
    tables = Tables.read(ROOT / "config/networks.yaml", ROOT / "config/methods.yaml", SCHEMAS)
    names = {experiment.name for experiment in Study(config, tables).experiments}
    names |= {"claims", "cells", "statistics", "provenance", "replications", "plan", "report", "interactive"}
    rules = re.findall(r"^rule (\w+):", "".join(p.read_text() for p in ROOT.glob("workflow/rules/*.smk")), flags=re.M)
    for target in given.targets:
        if target in ("all", *rules) or target.endswith("..."):
            continue
        if target.startswith("results/cells/"):
            network, method, sparsity, ablation, seed = target.split("/")[2:7]
            tables.method_of(Cell(network, method, sparsity, ablation, int(seed.removeprefix("seed"))))
            assert target.endswith("/evaluation.json")
        else:
            assert Path(target).stem in names
            assert Path(target).suffix in (".pdf", ".svg", ".png", ".md", ".csv", ".tex", ".html")


# --------------------------------------------------------------------------------------------------------- conventions


def test_picture_of_the_rules_has_every_rule_of_the_default_study(fresh: WorkflowCopy) -> None:
    # Fewer cells have the same rules.
    command = [str(SNAKEMAKE), "--rulegraph", "--quiet", "all", "--config", "seeds=[0]", "sparsities=[86.6]"]
    graph = subprocess.run(command, cwd=fresh.folder, check=True, capture_output=True, text=True).stdout
    shown = re.findall(r"<text [^>]*>(\w+)</text>", (ROOT / "docs/rules.svg").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(re.findall(r'label = "(\w+)"', graph)), "docs/rules.svg is old: make rulegraph"


OTHER_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "seaborn-base": "seaborn"}
OTHER_NAMES |= {"snakemake-minimal": "snakemake"}
"""of packages, {at conda-forge: at PyPI}"""


@pytest.mark.parametrize("environment", ["snakemake", "training", "figures"])
def test_environments_of_conda_have_the_versions_of_requirements(environment: str) -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    found = dict(each.split("=") for each in read(f"envs/{environment}.yaml")["dependencies"])
    del found["python"]
    found.pop("pillow", None)  # comes with torchvision there
    assert {OTHER_NAMES.get(name, name): version for name, version in found.items()}.items() <= pinned.items()


def test_environment_of_snakemake_has_what_its_report_asks_for() -> None:
    """`snakemake --report` refuses without it."""
    found = {each.partition("=")[0] for each in read("envs/snakemake.yaml")["dependencies"]}
    assert "pygments" in found


def test_checks_before_a_commit_are_those_of_make_test() -> None:
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin").splitlines()
    assert [hook["entry"] for hook in hooks if f"\t{hook['entry']}" not in recipe] == []


def test_version_is_the_last_one_of_the_changelog() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert read("CITATION.cff")["version"] == versions[0]
