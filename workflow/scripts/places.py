"""Where results lie: the names of a cell's folder and of its logs."""

CELL = "results/cells/{network}/{method}/{sparsity}/{ablation}/seed{seed}"
LOG = CELL.replace("results/cells/", "results/logs/cells/")
