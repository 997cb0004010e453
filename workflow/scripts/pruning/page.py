"""Parts of the report as HTML: captions, tables and pictures, all in one file that needs no other."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import markdown
import pandas as pd
from docutils.core import publish_parts
from markdown.extensions.toc import TocExtension

SETTINGS = {"initial_header_level": 3, "report_level": 2, "halt_level": 2, "syntax_highlight": "none"}
"""A mistake in a caption ends the job instead of standing in the report."""


def fill(template: str, **content: Any) -> str:
    """A Jinja template of HTML filled with `content`; a name that is not there is an error, and text is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment.from_string(template).render(**content)


def caption(text: str, snakemake: Any) -> str:
    """A caption (reStructuredText) in the form in which Snakemake's report shows it."""
    filled = jinja2.Template(text, undefined=jinja2.StrictUndefined).render(snakemake=snakemake)
    return str(publish_parts(filled, writer="html5", settings_overrides=SETTINGS)["body"])


def from_markdown(text: str) -> str:
    """A page of Markdown with tables, of which parts may be folded (<details>)."""
    folded = text.replace("<details>", '<details markdown="1">')
    return str(markdown.markdown(folded, extensions=["tables", "md_in_html", TocExtension(baselevel=3)]))


def picture(path: str | Path) -> str:
    """An SVG as an address that holds the picture itself."""
    return "data:image/svg+xml;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def recipes_table(networks: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The rows of networks.yaml, one a column: {name of a network: its row}."""
    table = pd.DataFrame({name: {key: _words(value) for key, value in row.items()} for name, row in networks.items()})
    return table.rename(index=lambda key: key.replace("_", " ")).rename_axis("").reset_index()


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def cost_table(cells: pd.DataFrame) -> pd.DataFrame:
    """What the trainings of the study took, a row a network and device: hours one after another."""
    groups = cells.groupby(["network", "device"], sort=False)
    return pd.DataFrame(
        {
            "network": network,
            "device": device,
            "cells": len(group),
            "seconds a training": group.training_seconds.mean(),
            "hours of training": group.training_seconds.sum() / 3600,
            "hours of scoring": group.scoring_seconds.sum() / 3600,
        }
        for (network, device), group in groups
    )
