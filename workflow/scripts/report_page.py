"""The report of a study: one HTML file to be read from top to bottom, with every figure and table in it."""

from pathlib import Path

import job
from pruning.drawing import style
from pruning.files import write_text
from pruning.page import caption, cost_table, fill, from_markdown, picture, recipes_table
from pruning.tables import in_order_of_sparsity, markdown_rows, read_table


def read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


with job.reporting(snakemake.log[0]):
    source, about = snakemake.input, snakemake.params
    cells = read_table(source.cells)
    pruned = cells[cells.method != style.DENSE]
    captions = {Path(path).stem: caption(read(path), snakemake) for path in source.captions}
    tables = {Path(path).stem: from_markdown(read(path)) for path in source.tables}
    parts = {
        Path(path).stem: {
            "name": Path(path).stem,
            "picture": picture(path),
            "caption": captions[about.figures[Path(path).stem]],
            "table": tables[Path(path).stem],
        }
        for path in source.figures
    }
    page = fill(
        read(source.template),
        cells=cells,
        wanted=about.wanted,
        networks=[
            f"{name}: {row['architecture']} on {row['dataset']}, {row['epochs']} epochs"
            for name, row in about.networks.items()
        ],
        methods=[style.label(name, about.labels) for name in style.in_order(set(pruned.method), about.labels)],
        sparsities=in_order_of_sparsity(pruned.sparsity),
        ablations=[style.ABLATIONS[name][0].lower() for name in style.ABLATIONS if name in set(pruned.ablation)],
        seeds=sorted(set(cells.seed)),
        claims=parts.pop("claims"),
        parts=list(parts.values()),
        replications=tables.get("replications", ""),
        recipes=from_markdown(markdown_rows(recipes_table(about.networks))),
        sources=about.sources,
        cost=from_markdown(markdown_rows(cost_table(cells))),
        provenance=from_markdown(markdown_rows(read_table(source.provenance))),
    )
    write_text(snakemake.output[0], page)
