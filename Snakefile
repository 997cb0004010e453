# Pruning neural networks at initialisation: from datasets to the study's tables and figures.
#
#   snakemake --cores 8                                  the study of config/config.yaml
#   snakemake --cores 8 results/figures/ablations.pdf    one figure and what it needs
from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/prune.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/elsewhere.smk"


rule all:
    default_target: True
    input:
        # The cells stand beside the figures: Snakemake does not notice that a cell's file is gone while a figure made
        # from it is up to date.
        lambda _: files("evaluation.json", study.cells),
        TABLES,
        FIGURES,
        PAGES,
