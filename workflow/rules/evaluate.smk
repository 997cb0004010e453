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
    script:
        "../scripts/evaluate.py"


rule cells_table:
    input:
        evaluations=evaluations(),
    output:
        cells="results/tables/cells.csv",
        layers="results/tables/layers.csv",
    log:
        "results/logs/tables/cells.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("cells_table"),
        schema=cell_columns(),
    script:
        "../scripts/cells_table.py"


rule accuracy_table:
    input:
        "results/tables/cells.csv",
    output:
        csv="results/tables/accuracy.csv",
        markdown="results/tables/accuracy.md",
        latex="results/tables/accuracy.tex",
        statistics="results/tables/statistics.csv",
    log:
        "results/logs/tables/accuracy.log",
    conda:
        "../../envs/figures.yaml"
    params:
        code=fingerprint("accuracy_table"),
    script:
        "../scripts/accuracy_table.py"


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
        networks=claimed_networks(),
        code=fingerprint("claims_table"),
    script:
        "../scripts/claims_table.py"
