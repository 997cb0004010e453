# Commands for a fresh machine with Python 3.11 or later, make and git:
#
#   make study    set up .venv and run the default study with all cores, to its last table and figure
#   make test     set up .venv and run the checks
#   make plan     say what a study costs, before it is run: make plan STUDY=config/studies/paper.yaml
#   make status   say how far a study is: what is done, running, failed and missing, by network and method
#   make report   run what is missing of a study, and put Snakemake's report of it into report.html
#   make stale    say which results are of another recipe, code or data than the present, and why: make stale STUDY=...
#   make take     take in cells that another machine made: make take FROM=/that/results STUDY=...
#
# Everything else is Snakemake: `. .venv/bin/activate`, then `snakemake --cores 8 ...`.

PYTHON ?= python3
BIN := .venv/bin
UV := uv==0.13.9
CORES ?= all
STUDY ?=

.PHONY: study test plan status report stale take rulegraph test-kill test-slurm test-conda clean-environment

study: .venv/workflow
	$(BIN)/snakemake --cores $(CORES) --quiet rules host $(STUDY:%=--configfile %)
	@echo
	@echo "Read results/report.html; look at single cells in results/interactive.html."
	@echo "Figures: results/figures/*.pdf    Tables: results/tables/accuracy.md, results/tables/cells.csv"

test: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint
	$(BIN)/pytest

stale: .venv/workflow
	@$(BIN)/snakemake -n --cores 1 $(STUDY:%=--configfile %) 2>&1 | $(BIN)/python workflow/scripts/stale.py

take: .venv/workflow
	@test -n "$(FROM)" || { echo "Say where the results are: make take FROM=/copied/results"; exit 1; }
	$(BIN)/snakemake --cores $(CORES) --quiet rules --keep-going --config elsewhere=$(FROM) $(STUDY:%=--configfile %) -- take_in

# Longer checks, each a script that says what it shows: SIGKILL at random moments; a real Slurm (Debian, root); conda.
test-kill: .venv/development
	$(BIN)/python tests/kill_anything.py

test-slurm: .venv/cluster
	$(BIN)/python tests/on_slurm.py

test-conda: .venv/cluster
	$(BIN)/python tests/with_conda.py

plan: .venv/workflow
	$(BIN)/snakemake --cores 1 --quiet host progress rules --forcerun plan $(STUDY:%=--configfile %) -- results/tables/plan.md
	@cat results/tables/plan.md

status: .venv/workflow
	@$(BIN)/python workflow/scripts/status.py $(STUDY)

report: .venv/workflow
	$(BIN)/snakemake --cores $(CORES) --quiet rules host $(STUDY:%=--configfile %)
	$(BIN)/snakemake --report report.html --quiet all $(STUDY:%=--configfile %)
	@echo "Read report.html from top to bottom; results/interactive.html shows every single cell."

# Bytecode is compiled at installation: without it, every start of Python takes two to three times as long.
.venv/workflow: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --requirement requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/workflow
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --requirement requirements-dev.txt
	@touch $@

.venv/cluster: tests/tools/requirements.txt .venv/development
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --requirement tests/tools/requirements.txt
	@touch $@

# The picture in the README; needs Graphviz.
rulegraph: .venv/workflow
	$(BIN)/snakemake --rulegraph --quiet all | dot -Tsvg -o docs/rules.svg

clean-environment:
	rm -rf .venv
