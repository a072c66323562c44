#!/bin/sh
# Chromium, in which tests open the pages that are made here. As root, on Debian or Ubuntu.
#   tools/chromium.sh install      113 MB to fetch, 414 MB on disk; about half a minute, and no more than 90 s
# A fetch that is slow is given up before anything is unpacked: half a browser would fail the tests that are skipped
# where there is none.
set -eu
LAST=$(($(date +%s) + 60))

fail() {
    echo "chromium: $1" >&2
    exit 1
}

# A command of apt-get that ends in time.
in_time() {
    left=$((LAST - $(date +%s)))
    [ $left -gt 0 ] || fail "not fetched within a minute"
    timeout $left apt-get "$@" >/dev/null
}

install() {
    for name in chromium chromium-browser google-chrome; do
        command -v $name >/dev/null 2>&1 && return
    done
    command -v apt-get >/dev/null 2>&1 || fail "no apt-get: install Chromium by hand"
    [ "$(id -u)" = 0 ] || fail "only root can install it"
    export DEBIAN_FRONTEND=noninteractive
    package="-qq -y --no-install-recommends chromium"
    # shellcheck disable=SC2086  # options
    {
        in_time install --download-only $package 2>/dev/null || {
            in_time update -qq
            in_time install --download-only $package
        }
        apt-get install --no-download $package >/dev/null
    }
    chromium --version >/dev/null 2>&1 || fail "it is installed, and does not start"
}

case "${1:-}" in
install) install ;;
*) fail "install" ;;
esac
