# Two commands on a fresh machine: `make demo` and `make test`. PYTHON may name another interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= out
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := kinematics retarget imitate tests benchmarks examples data docs

.PHONY: demo test install install-dev format bench clean

demo: install
	mkdir -p $(OUT)
	$(BIN)/python -m kinematics info data/clips/walk_cmu.bvh
	$(BIN)/python -m kinematics solve data/clips/squat_cmu.bvh --target LeftHand=0.5,0.95,0.35 --hold LeftFoot --hold RightFoot -o $(OUT)/squat_on_a_rail.bvh
	$(BIN)/python -m retarget data/clips/walk_cmu.bvh --to data/clips/run_mixamo.bvh -o $(OUT)/walk_on_mixamo.bvh
	$(BIN)/python -m retarget data/clips/jump_mixamo.bvh --to data/clips/walk_lafan1.bvh -o $(OUT)/jump_on_lafan1.bvh
	$(BIN)/python -m kinematics export data/clips/walk_cmu.bvh $(OUT)/walk_on_mixamo.bvh -o $(OUT)/walk.html
	@echo
	@echo "Results: $(OUT)/squat_on_a_rail.bvh, $(OUT)/walk_on_mixamo.bvh and $(OUT)/jump_on_lafan1.bvh, each with a picture of the same name (.png)."
	@echo "Open $(OUT)/walk.html in a browser: it plays the walk and its retarget."

test: install-dev
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --dist loadfile

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e '.[bench]'
	touch $@ $(VENV)/.installed

# placo pins a Pinocchio that wants an older NumPy than the other peers, and mink a MuJoCo older than ours, so they have
# environments of their own.
.venv-placo/bin/python:
	$(PYTHON) -m venv .venv-placo
	.venv-placo/bin/python -m pip install -q placo==0.10.2 numpy==2.3.5

.venv-mink/bin/python:
	$(PYTHON) -m venv .venv-mink
	.venv-mink/bin/python -m pip install -q mink==1.3.0 daqp==0.11.0 numpy==2.4.6

bench: $(VENV)/.installed-bench .venv-placo/bin/python .venv-mink/bin/python
	for file in benchmarks/bench_*.py benchmarks/fabrik_paper.py; do $(BIN)/python $$file || exit 1; done

format: install-dev
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean:
	rm -rf $(VENV) $(OUT) dist build
