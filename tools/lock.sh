#!/bin/sh
# Resolve the dependencies of pyproject.toml again: requirements.lock for everybody, and the few packages that a
# machine with an NVIDIA driver adds. One version of each package for all supported Pythons, and no index's address.
# Versions stay as they are where they still fit; `tools/lock.sh --upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never

# compile FILE OPTION...: the marker that every line would carry, the environment of pyproject.toml, is taken off again.
compile() {
    file=$1
    shift
    uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" --output-file "$file" "$@" >/dev/null
    sed -i -e "s/python_full_version < '3.14' and //" -e "s/ and platform_machine == 'x86_64'//" \
        -e "s/ and sys_platform == 'linux'//" -e "s/platform_machine == 'x86_64' and //" \
        -e "s/ ; platform_machine == 'x86_64' / /" -e '/^# The following packages were excluded/,$d' "$file"
}

compile requirements.lock --group dev --extra workflow --extra figures --extra slurm --extra cluster "$@"

locked=$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.lock)
omit=""
for package in $locked; do omit="$omit --no-emit-package $package"; done
for major in 12 13; do
    # shellcheck disable=SC2086  # a list of options
    compile "requirements-cuda$major.lock" --extra "cuda$major" --constraint requirements.lock $omit "$@"
done
