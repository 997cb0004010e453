# Evaluation of a cell, and the tables of all cells. Nothing from here on needs torch.


rule evaluate:
    input:
        mask=f"{CELL}/mask.npz",
        mask_run=f"{CELL}/mask.json",
        predictions=f"{CELL}/predictions.npz",
        curve=f"{CELL}/training.csv",
        training_run=f"{CELL}/training.json",
        wiring="results/networks/{network}.json",
    output:
        f"{CELL}/evaluation.json",
    log:
        f"{LOG}/evaluate.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("evaluate"),
        recipes=lambda w: recipe_digests(w.network, w.method),
        checkpoint=CHECKPOINT,
    script:
        "../scripts/evaluate.py"


rule cells_table:
    input:
        lambda _: files("evaluation.json", study.cells),
    output:
        cells="results/tables/cells.csv",
        provenance="results/tables/provenance.csv",
    log:
        "results/logs/tables/cells.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("cells_table"),
        schema=cell_columns(),
    script:
        "../scripts/cells_table.py"


rule statistics_table:
    input:
        "results/tables/cells.csv",
    output:
        "results/tables/statistics.csv",
    log:
        "results/logs/tables/statistics.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("statistics_table"),
    script:
        "../scripts/statistics_table.py"


rule claims_table:
    input:
        "results/tables/cells.csv",
    output:
        verdicts="results/tables/claims.csv",
        differences="results/tables/claim_differences.csv",
        markdown="results/tables/claims.md",
    log:
        "results/logs/tables/claims.log",
    conda:
        "../../envs/figures.yaml"
    params:
        claims=claims,
        networks=claimed_networks(study),
        code=fingerprint("claims_table"),
    script:
        "../scripts/claims_table.py"


if published_cells():
    TABLES.append(multiext("results/tables/replications", ".csv", ".md"))


rule replications_table:
    input:
        published="config/published.csv",
        evaluations=files("evaluation.json", published_cells()),
    output:
        csv="results/tables/replications.csv",
        markdown="results/tables/replications.md",
    log:
        "results/logs/tables/replications.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("replications_table"),
        schema=cell_columns(),
    script:
        "../scripts/replications_table.py"


# Made anew each time (`make plan`): what is finished is not among its inputs, so that nothing is run for it.
rule plan:
    input:
        expand("results/costs/{network}.json", network=dict.fromkeys(cell.network for cell in study.cells)),
    output:
        csv="results/tables/plan.csv",
        markdown="results/tables/plan.md",
    log:
        "results/logs/tables/plan.log",
    conda:
        "../../envs/figures.yaml"
    params:
        tables=["config/networks.yaml", "config/methods.yaml", SCHEMAS],
        cell=lambda _: f"{CELL}/evaluation.json",
    script:
        "../scripts/plan.py"
