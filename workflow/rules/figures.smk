# Experiments: each a table and a figure, drawn from the rows of its cells. A change of a figure redraws it and runs nothing
# else.

TABLE_FORMATS, FIGURE_FORMATS = (".csv", ".md", ".tex"), (".pdf", ".png")
FIGURES = [
    [
        multiext(f"results/tables/{experiment.name}", *TABLE_FORMATS),
        multiext(f"results/figures/{experiment.name}", ".svg", *FIGURE_FORMATS),
    ]
    for experiment in study.experiments
]
FIGURES.append(multiext("results/figures/claims", ".svg", *FIGURE_FORMATS))


for experiment in study.experiments:

    rule:
        name:
            f"rows_{experiment.name}"
        input:
            lambda _, experiment=experiment: rows_input(experiment),
        output:
            f"results/tables/rows/{experiment.name}.csv",
        log:
            f"results/logs/tables/rows/{experiment.name}.log",
        conda:
            "../../envs/figures.yaml"
        params:
            rows=figures.ROWS[experiment.figure],
            code=fingerprint("rows"),
            schema=cell_columns(),
        script:
            "../scripts/rows.py"

    rule:
        name:
            f"figure_{experiment.name}"
        input:
            f"results/tables/rows/{experiment.name}.csv",
        output:
            multiext(f"results/tables/{experiment.name}", *TABLE_FORMATS),
            multiext(f"results/figures/{experiment.name}", *FIGURE_FORMATS),
            report(
                f"results/figures/{experiment.name}.svg",
                caption=f"../report/{experiment.figure}.rst",
                category="Figures",
                labels={"figure": experiment.name.replace("_", " ")},
            ),
        log:
            f"results/logs/figures/{experiment.name}.log",
        conda:
            "../../envs/figures.yaml"
        params:
            figure=experiment.figure,
            about=about(experiment),
            code=fingerprint("figure", module_name("figures", experiment.figure)),
        script:
            "../scripts/figure.py"


rule figure_claims:
    input:
        "results/tables/claims.csv",
    output:
        multiext("results/figures/claims", *FIGURE_FORMATS),
        report(
            "results/figures/claims.svg",
            caption="../report/claims.rst",
            category="Figures",
            labels={"figure": "claims"},
        ),
    log:
        "results/logs/figures/claims.log",
    conda:
        "../../envs/figures.yaml"
    params:
        claims=claims,
        labels={name: row["label"] for name, row in tables.methods.items()},
        code=fingerprint("figure_claims"),
    script:
        "../scripts/figure_claims.py"
