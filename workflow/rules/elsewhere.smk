# Cells that another machine made: with --config elsewhere=FOLDER, each is checked and copied, or refused by name.

# Looked at before there are jobs: a target that no rule makes would keep Snakemake from taking the others.
TO_TAKE, UNKNOWN, UNFINISHED = [], [], []
for folder in sorted(Path(config["elsewhere"]).glob("cells/*/*/*/*/seed*/")) if config["elsewhere"] else []:
    here = Path("results") / folder.relative_to(config["elsewhere"])
    try:
        check_is_known(here)
        if (folder / "evaluation.json").is_file():
            TO_TAKE.append(f"{here}/evaluation.json")
        else:
            UNFINISHED.append(f"{folder} is not finished: it has no evaluation.json.")
    except PruningError as error:
        UNKNOWN.append(f"{folder} is not taken in: {error}.")
if workflow.is_main_process:
    print(*UNFINISHED, *UNKNOWN, sep="\n", end="\n" if UNFINISHED or UNKNOWN else "", file=sys.stderr)


rule take_in:
    input:
        TO_TAKE,
    log:
        "results/logs/take_in.log",
    localrule: True
    conda:
        "../../envs/figures.yaml"
    params:
        unknown=len(UNKNOWN),
    shell:
        "test {params.unknown} = 0 ||"
        " (echo '{params.unknown} cells are not taken in: the first lines say why' | tee {log} >&2; exit 1)"
