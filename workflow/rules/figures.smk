# Experiments: each a table and a figure, drawn from the rows of its cells. A change of a figure redraws it and runs nothing
# else. And the pages that show all of a study.

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
            wanted=WANTED[experiment.name],
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


FIGURE_OF = {experiment.name: experiment.figure for experiment in study.experiments} | {"claims": "claims"}
PAGES = ["results/report.html", "results/interactive.html"]


rule report_page:
    input:
        template="workflow/report/page.html.jinja",
        captions=[f"workflow/report/{figure}.rst" for figure in dict.fromkeys(FIGURE_OF.values())],
        figures=[f"results/figures/{name}.svg" for name in FIGURE_OF],
        tables=[f"results/tables/{name}.md" for name in [*FIGURE_OF, *(["replications"] if published_cells() else [])]],
        cells="results/tables/cells.csv",
        provenance="results/tables/provenance.csv",
    output:
        report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"page": "the whole study, to be read from top to bottom"},
        ),
    log:
        "results/logs/report.log",
    conda:
        "../../envs/figures.yaml"
    params:
        **page_parameters(),
        figures=FIGURE_OF,
        wanted=WANTED_CELLS,
        code=fingerprint("report_page"),
    script:
        "../scripts/report_page.py"


rule interactive_page:
    input:
        template="workflow/report/interactive.html.jinja",
        cells="results/tables/cells.csv",
    output:
        "results/interactive.html",
    log:
        "results/logs/interactive.log",
    conda:
        "../../envs/figures.yaml"
    params:
        labels={name: row["label"] for name, row in tables.methods.items()},
        curve=lambda _: f"{CELL}/training.csv",
        code=fingerprint("interactive_page"),
    script:
        "../scripts/interactive_page.py"


# A name that is not there is said with those that are.
rule no_such_figure:
    input:
        no_such_figure,
    output:
        "results/figures/{name}.{suffix}",
    wildcard_constraints:
        name=rf"(?!(?:{'|'.join(FIGURE_OF)})\.)[^/.]+",
        suffix="pdf|png|svg",
