# The two commands: `make demo` runs the default study, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all
export PYTHONPATH := workflow/scripts
# Packages are compiled at first use and kept: a job would else compile TensorFlow for five seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: cache demo test faults lint install sync lock dp800 uhcs benchmark shipped-models shipped-lite0 shipped-denoiser shipped-phases clean

demo: install cache
	$(BIN)/snakemake --cores $(CORES) -- all report viewer review
	@echo
	@cat results/statistics/headline.txt
	@echo
	@echo "Report:  results/report/report.html (open it with a browser); its data: results/report/data.zip"
	@echo "Viewer:  results/viewer/index.html (fly over the panoramas, look at every site)"
	@echo "Figures: results/figures/   Tables: results/statistics/, results/evaluation/"

# By file, as tests of a file share what is slow to make. As a study often waits for one job, three run at a time.
test: install lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations 15 tests/unit tests/plans
	$(BIN)/python -m pytest -n 3 --dist loadfile --durations 40 tests/workflow
	$(BIN)/python -m pytest --durations 10 tests/browser

# Broken runs: kills, full disks, damaged files, a cluster that fails; an hour for all of them.
faults: install
	$(BIN)/python tests/faults/run_faults.py --output tests/faults/results

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint

# Snakemake keeps a cache below HOME and ends in a traceback where it cannot.
cache:
	@mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}/snakemake" 2>/dev/null && \
	  test -w "$${XDG_CACHE_HOME:-$$HOME/.cache}/snakemake" || { \
	  echo "$${XDG_CACHE_HOME:-$$HOME/.cache} cannot be written, where Snakemake keeps its cache: name a folder that can be:"; \
	  echo "  export XDG_CACHE_HOME=/folder/that/can/be/written"; exit 1; }

install: .venv/installed

.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The real study: make dp800 DATA=/folder/with/grid.tsv-and-labels.tsv
dp800: install cache
	@test -n "$(DATA)" || { echo "Name the folder: make dp800 DATA=/folder/of/the/tiles"; exit 1; }
	$(BIN)/snakemake --cores $(CORES) --directory studies/dp800 \
	  --config data_folder=$(abspath $(DATA)) -- all report

# Another steel, phases alone: make uhcs DATA=/folder/with/train/images-and-train/labels
uhcs: install cache
	@test -n "$(DATA)" || { echo "Name the folder: make uhcs DATA=/folder/of/the/micrographs"; exit 1; }
	$(BIN)/snakemake --cores $(CORES) --directory studies/uhcs --config data_folder=$(abspath $(DATA)) -- \
	  all compare_segmentation
	$(BIN)/snakemake --cores $(CORES) --directory studies/uhcs \
	  --config data_folder=$(abspath $(DATA)) -- report

# Speed and memory of the search for candidates; half an hour and 5 GB of disk for all sizes.
MEGAPIXELS ?= 25 100 400 1000
benchmark: install
	$(BIN)/python benchmarks/make_panoramas.py --output benchmarks/results/panoramas \
	  --megapixels $(MEGAPIXELS)
	$(BIN)/python benchmarks/detection_scaling.py --panoramas benchmarks/results/panoramas \
	  --output benchmarks/results

# The networks in resources/models: trains on simulated steel for about half an hour.
shipped-models: install
	$(BIN)/snakemake --cores $(CORES) --directory studies/simulated_model -- \
	  results/models/inclusion.keras results/models/damage.keras results/models/condition.json \
	  results/labels/descriptors.parquet
	$(BIN)/python tools/ship_models.py

# The weights of `steel_lite0` in resources/models: trains on simulated steel for half an hour.
shipped-lite0: install
	$(BIN)/python tools/ship_lite0.py

# The network in resources/models that denoises: trains on simulated steel for about ten minutes.
shipped-denoiser: install
	$(BIN)/python tools/ship_denoiser.py

# The network for phase maps there: trains on 24 small simulated panoramas for about ten minutes.
shipped-phases: install
	$(BIN)/snakemake --cores $(CORES) --directory studies/simulated_phases -- results/models/phases.keras
	cp studies/simulated_phases/results/models/phases.keras studies/simulated_phases/results/models/phases.json \
	  resources/models/

# Written files: default configuration, JSON Schema, table of keys, conda environments, tables.md.
sync: install
	$(BIN)/python -m damascene.config.written_files
	$(BIN)/python tools/sync_environments.py
	$(BIN)/python tools/describe_tables.py

# New versions of all packages; needs uv.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

# The page that says what lies in results/ stays.
clean:
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake
