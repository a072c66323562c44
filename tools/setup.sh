#!/bin/sh
# Make .venv at the root with exactly the packages of requirements.lock (hashes checked) and this package, editable.
# With uv this takes seconds, with pip about a minute. `make` runs it, and again only when one of its inputs changed.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
# Never a Python from elsewhere, and compiled bytecode whatever the shell says: every job of a sweep starts Python.
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV UV_PROJECT_ENVIRONMENT || true

fail() {
    echo "setup: $1" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if supported "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "found no Python 3.11, 3.12 or 3.13 (tried: ${PYTHON:-python3 python3.13 python3.12 python3.11}); \
install one, or name it: make PYTHON=/path/to/python3"

# What was installed for another lock or another Python is not worth mending.
rm -rf "$venv"
if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "$(command -v "$python")" "$venv"
    install() { uv pip install --quiet --compile-bytecode --python "$venv/bin/python" "$@"; }
elif "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$venv"
    install() { "$venv/bin/python" -m pip install -qq --compile "$@"; }
elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip "$venv"
    install() { "$python" -m pip --python "$venv/bin/python" install -qq --compile "$@"; }
else
    fail "$python has neither ensurepip nor pip; on Debian or Ubuntu: apt install python3-venv (or install uv)"
fi

echo "setup: $("$venv/bin/python" -V), packages of requirements.lock"
install --require-hashes -r requirements.lock
# hatchling is in the lock, so nothing unpinned is fetched to build this package.
install --no-deps --no-build-isolation --editable .

cuda=$("$venv/bin/python" tools/cuda_extra.py)
if [ -n "$cuda" ]; then
    echo "setup: NVIDIA driver found, adding CuPy for CUDA $cuda"
    install --require-hashes --no-deps -r "requirements-cuda$cuda.lock" ||
        echo "setup: CuPy could not be installed; simulations run on the CPU, with the same results" >&2
fi
touch "$venv/.ready"
