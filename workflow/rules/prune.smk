# Masks: score a state, select, and apply the ablation.


rule prune:
    input:
        manifest=manifest,
        state=lambda w: state_file(w, method_of(w).prune_at),
        earlier_mask=earlier_mask,
    output:
        mask=f"{CELL}/mask.npz",
        run=f"{CELL}/mask.json",
    log:
        f"{LOG}/prune.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=minutes,
    params:
        recipe=mask_parameters,
        code=fingerprint("prune"),
    script:
        "../scripts/prune.py"
