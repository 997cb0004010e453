# Training. A cell is trained under its mask. The dense network, and networks that are pruned in rounds with training
# between them, are trained to a state, from which the cell is filled and which others score or go on from: deleting the
# files of such a cell makes nothing else stale.


rule train:
    input:
        unpack(start_inputs),
        mask=f"{CELL}/mask.npz",
    output:
        predictions=f"{CELL}/predictions.npz",
        curve=f"{CELL}/training.csv",
        run=f"{CELL}/training.json",
    log:
        f"{LOG}/train.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=minutes,
    params:
        recipe=lambda w: start_parameters(w.network, w.method),
        code=fingerprint("train"),
        checkpoint=CHECKPOINT,
    script:
        "../scripts/train.py"


# Pruning that trains between its rounds: the next round scores the weights that this one ends with.
use rule train as train_round with:
    output:
        state=END_STATE,
        run=END_STATE.replace(".safetensors", ".json"),
    wildcard_constraints:
        method=METHODS_OF_ROUNDS,


rule train_dense:
    input:
        manifest=manifest,
    output:
        state=f"{DENSE_CELL}/states/end.safetensors",
        run=f"{DENSE_CELL}/states/end.json",
    log:
        f"{DENSE_LOG}/train.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=minutes,
    params:
        recipe=lambda w: training_parameters(w.network),
        code=fingerprint("train_dense"),
        checkpoint=DENSE_CHECKPOINT,
    script:
        "../scripts/train_dense.py"


rule dense_cell:
    input:
        manifest=manifest,
        state=f"{DENSE_CELL}/states/end.safetensors",
        run=f"{DENSE_CELL}/states/end.json",
    output:
        predictions=f"{DENSE_CELL}/predictions.npz",
        curve=f"{DENSE_CELL}/training.csv",
        run=f"{DENSE_CELL}/training.json",
    log:
        f"{DENSE_LOG}/predict.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=short_minutes,
    params:
        recipe=lambda w: training_parameters(w.network),
        code=fingerprint("fill_cell"),
    script:
        "../scripts/fill_cell.py"


use rule dense_cell as round_cell with:
    input:
        manifest=manifest,
        state=END_STATE,
        run=END_STATE.replace(".safetensors", ".json"),
    output:
        predictions=f"{CELL}/predictions.npz",
        curve=f"{CELL}/training.csv",
        run=f"{CELL}/training.json",
    log:
        f"{LOG}/predict.log",
    wildcard_constraints:
        method=METHODS_OF_ROUNDS,


rule measure_cost:
    output:
        "results/costs/{network}.json",
    log:
        "results/logs/costs/{network}.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=short_minutes,
    params:
        recipe=lambda w: training_parameters(w.network),
        device="GPU" if GPU else "CPU",
        code=fingerprint("measure_cost"),
    script:
        "../scripts/measure_cost.py"


rule replay_state:
    input:
        manifest=manifest,
        end=f"{DENSE_CELL}/states/end.safetensors",
    output:
        f"{DENSE_CELL}/states/{{step}}.safetensors",
    log:
        f"{DENSE_LOG}/states/{{step}}.log",
    conda:
        "../../envs/training.yaml"
    threads: lambda w: network_of(w).row["threads"]
    resources:
        gpu=GPU,
        mem_mb=memory_mb,
        runtime=minutes,
    params:
        recipe=lambda w: training_parameters(w.network),
        code=fingerprint("replay_state"),
    script:
        "../scripts/replay_state.py"


ruleorder: dense_cell > round_cell > train
