# Datasets, prepared once into arrays and a manifest; and what each network is made of.


rule prepare_data:
    output:
        manifest="results/data/{dataset}/manifest.json",
        arrays=expand(
            "results/data/{{dataset}}/{split}_{part}.npy",
            split=["train", "test"],
            part=["images", "labels"],
        ),
    log:
        "results/logs/data/{dataset}.log",
    conda:
        "../../envs/training.yaml"
    params:
        code=lambda w: fingerprint("prepare_data", module_name("datasets", w.dataset)),
    script:
        "../scripts/prepare_data.py"


rule describe_network:
    output:
        "results/networks/{network}.json",
    log:
        "results/logs/networks/{network}.log",
    conda:
        "../../envs/training.yaml"
    params:
        network=lambda w: {key: network_of(w).row[key] for key in ("architecture", "dataset")},
        code=lambda w: fingerprint(
            "describe_network",
            module_name("networks", network_of(w).row["architecture"]),
        ),
    script:
        "../scripts/describe_network.py"
