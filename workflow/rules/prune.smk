# Masks: score a state, select, and apply the ablation.


rule prune:
    input:
        unpack(mask_inputs),
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
        runtime=short_minutes,
    params:
        recipe=lambda w: mask_parameters(w.network, w.method),
        code=fingerprint("prune"),
    script:
        "../scripts/prune.py"
