# make demo     see the whole way work, on a Cobbler of its own that leaves nothing behind
# make check    formatting, linters, types and the tests that need no Cobbler: before each commit
# make test     every test; installs what it needs into .venv
# make test-releases   the tests of Debian and Ubuntu on other releases, and with their installers' programs
# make install-debian  Debian's installer from a Cobbler, in a virtual machine, to a bridge that is proved
# make test-thorough  what make test takes a sample of: on every shell, Python and Cobbler, every
#               call that may fail; takes long
# make bench    what it costs, beside what Cobbler does anyway, and what switching a host that runs costs
# make docs     write the generated pages of docs/, the man page and the completions anew
# make site     docs/ as a web site in build/site
# make dist     wheel and source archive in dist/, a deb where dpkg-deb is, an rpm where rpm-build is
# make cases    write what tests/cases expects anew, show each distinct change once; and tests/effects
# make case NAME=vlan_dhcp   the same for one case; then runs it

PYTHON ?= python3
VENV = .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check -qq install
SHIPPED = setup.py pyproject.toml README.md $(shell find cobbler_bridge providers scripts snippets triggers -type f ! -name '*.pyc')

ARCHIVE = cobbler-bridge-$(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' cobbler_bridge/__init__.py)

.PHONY: demo check test environments test-thorough test-releases install-debian bench cases case dist docs site clean

demo: $(VENV)/package
	@$(VENV)/bin/python tools/demo.py

# more at once than there are cores: they wait for a fourth of their time
test:
	sh tools/layer.sh & $(MAKE) --no-print-directory environments && wait $$!
	$(VENV)/bin/python -m pytest -n $$(($$(nproc) * 3 / 2)) --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder --durations=20

test-thorough: export PYTEST_ADDOPTS = -m thorough
test-thorough: $(VENV)/all-versions test

environments: $(VENV)/package $(VENV)/test $(VENV)/versions $(VENV)/as-code

# each takes minutes, and the first time as many to unpack
test-releases: $(VENV)/package $(VENV)/test
	sh tools/layer.sh
	sh tools/releases.sh
	$(VENV)/bin/python -m pytest -m releases tests/real
	for each in debian11 debian13; do \
		RELEASE=$$each $(VENV)/bin/python -m pytest tests/real/test_ifupdown.py || exit 1; \
	done
	for each in debian13 ubuntu24.04 ubuntu22.04 ubuntu20.04; do \
		RELEASE=$$each $(VENV)/bin/python -m pytest -m "not thorough" tests/real/test_netplan.py \
			tests/real/test_virtual_netplan.py || exit 1; \
	done

install-debian: $(VENV)/package $(VENV)/test
	$(VENV)/bin/python tools/install_debian.py

# the few tests that fail each of many steps take minutes: make test has them
check: $(VENV)/test
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/python -m pytest -q -n $$(($$(nproc) * 2)) --maxprocesses 8 --dist worksteal --quick \
		-m 'not slow and not thorough' --ignore tests/real --ignore tests/test_pythons.py

bench: $(VENV)/package $(VENV)/test
	@$(VENV)/bin/python tools/private_cobbler.py -- sh -c 'cobbler-bridge install > /dev/null && python tools/bench.py'
	@$(VENV)/bin/python tools/bench_command.py
	@sh tools/layer.sh
	@$(VENV)/bin/python tools/bench_switch.py

cases: $(VENV)/test
	@PYTHONPATH=.:tools $(VENV)/bin/python tests/rewrite_cases.py
	@CASES=anew $(VENV)/bin/python -m pytest -q tests/test_effects.py -k test_each_change_has

case: $(VENV)/test
	@PYTHONPATH=.:tools $(VENV)/bin/python tests/rewrite_cases.py $(or $(NAME),$(error which one? NAME=vlan_dhcp))
	@$(VENV)/bin/python -m pytest -q -m '' tests/test_cases.py -k '$(NAME)-'

docs: $(VENV)/test
	$(PYTHON) tools/docs.py
	$(VENV)/bin/python tools/man.py
	$(VENV)/bin/python tools/completion.py

site: $(VENV)/test
	$(VENV)/bin/python -m mkdocs build --strict --quiet

dist: $(VENV)/bin/python
	rm -rf dist
	mkdir dist
	if [ -e .git ]; then git archive --prefix=$(ARCHIVE)/ -o dist/$(ARCHIVE).tar.gz HEAD; \
	else tar -czf dist/$(ARCHIVE).tar.gz --transform 's,^\.,$(ARCHIVE),' --owner=0 --group=0 \
		--exclude=./dist --exclude=./.venv --exclude=./build --exclude=__pycache__ \
		--exclude='./*.egg-info' --exclude='./.*_cache' .; fi
	$(VENV)/bin/python -m pip --disable-pip-version-check -q wheel --no-deps -w dist .
	! command -v dpkg-deb > /dev/null || sh packaging/build_deb.sh dist
	! rpm -q rpm-build > /dev/null 2>&1 || rpmbuild -bb --define '_sourcedir $(CURDIR)/dist' \
		--define '_rpmdir $(CURDIR)/dist' packaging/cobbler-bridge.spec
	rm -rf build *.egg-info

# the first and the last Cobbler of each kind, or each that the pack is tested on
$(VENV)/versions $(VENV)/all-versions: tools/environments.py $(wildcard requirements/*.txt) $(VENV)/package
	@echo 'Setting up $(VENV)/cobbler-*: versions of Cobbler'
	@$(VENV)/bin/python tools/environments.py $(if $(findstring all,$@),--all)
	@touch $@

# Terraform and Ansible
$(VENV)/as-code: requirements/as-code.txt tools/collection.py | $(VENV)/bin/python
	@echo 'Setting up $(VENV): Terraform and Ansible'
	@$(PIP) -r requirements/as-code.txt
	@$(VENV)/bin/python tools/collection.py
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/cobbler: requirements/cobbler.txt requirements/koan.txt | $(VENV)/bin/python
	@echo 'Setting up $(VENV): Cobbler and Koan from PyPI'
	@$(PIP) --no-deps -r requirements/cobbler.txt -r requirements/koan.txt
	@touch $@

# what an older build left would be packed again
$(VENV)/package: $(VENV)/cobbler $(SHIPPED)
	@rm -rf build
	@$(PIP) --no-deps --force-reinstall .
	@rm -rf build *.egg-info
	@touch $@

$(VENV)/test: requirements/test.txt $(VENV)/cobbler
	@$(PIP) -r requirements/test.txt
	@touch $@
