# Figures, from the tables alone. A change of their style redraws them and runs nothing else.

FIGURES = [
    multiext("results/figures/accuracy", ".pdf", ".svg", ".png"),
    multiext("results/figures/ablations", ".pdf", ".svg", ".png"),
    multiext("results/figures/layer_density", ".pdf", ".svg", ".png"),
    multiext("results/figures/claims", ".pdf", ".svg", ".png"),
]


rule figure_accuracy:
    input:
        "results/tables/cells.csv",
    output:
        multiext("results/figures/accuracy", ".pdf", ".png"),
        report(
            "results/figures/accuracy.svg",
            caption="../report/accuracy.rst",
            category="Figures",
            labels={"figure": "Accuracy"},
        ),
    log:
        "results/logs/figures/accuracy.log",
    conda:
        "../../envs/figures.yaml"
    params:
        labels=labels(),
        ranges=ranges(),
        code=fingerprint("figure_accuracy"),
    script:
        "../scripts/figure_accuracy.py"


rule figure_ablations:
    input:
        "results/tables/cells.csv",
    output:
        multiext("results/figures/ablations", ".pdf", ".png"),
        report(
            "results/figures/ablations.svg",
            caption="../report/ablations.rst",
            category="Figures",
            labels={"figure": "Ablations"},
        ),
    log:
        "results/logs/figures/ablations.log",
    conda:
        "../../envs/figures.yaml"
    params:
        labels=labels(),
        code=fingerprint("figure_ablations"),
    script:
        "../scripts/figure_ablations.py"


rule figure_layer_density:
    input:
        "results/tables/layers.csv",
    output:
        multiext("results/figures/layer_density", ".pdf", ".png"),
        report(
            "results/figures/layer_density.svg",
            caption="../report/layer_density.rst",
            category="Figures",
            labels={"figure": "Density of layers"},
        ),
    log:
        "results/logs/figures/layer_density.log",
    conda:
        "../../envs/figures.yaml"
    params:
        labels=labels(),
        code=fingerprint("figure_layer_density"),
    script:
        "../scripts/figure_layer_density.py"


rule figure_claims:
    input:
        "results/tables/claims.csv",
    output:
        multiext("results/figures/claims", ".pdf", ".png"),
        report(
            "results/figures/claims.svg",
            caption="../report/claims.rst",
            category="Figures",
            labels={"figure": "Claims"},
        ),
    log:
        "results/logs/figures/claims.log",
    conda:
        "../../envs/figures.yaml"
    params:
        claims=claims,
        labels=labels(),
        code=fingerprint("figure_claims"),
    script:
        "../scripts/figure_claims.py"
