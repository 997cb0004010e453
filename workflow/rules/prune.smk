# Masks: score a state, select, and apply the ablation.


def mask_parameters(wildcards):
    """What a mask depends on beside its files."""
    method = method_of(wildcards)
    score = [] if method.name == DENSE else [module_name("scores", method.score)]
    return {
        **initial_parameters(wildcards),
        "score": method.score,
        "iterations": method.iterations,
        "prune_at": method.prune_at,
        "scoring_code": fingerprint("pruning.scoring", *score),
    }


rule prune:
    input:
        manifest=manifest,
        state=lambda w: state_file(w, method_of(w).prune_at),
    output:
        mask=f"{CELL}/mask.npz",
        run=f"{CELL}/mask.json",
    log:
        f"{LOG}/prune.log",
    params:
        recipe=mask_parameters,
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
    conda:
        "../../envs/training.yaml"
    script:
        "../scripts/prune.py"
