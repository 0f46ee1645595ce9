#!/bin/sh
# What the tests need from the system: Xvfb (a screen without a monitor), xdotool (a hand at its keyboard) and PostgreSQL.
# Installs them where that is possible without asking; elsewhere says how, and those tests are skipped.
command -v Xvfb >/dev/null && command -v xdotool >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing what the tests need: xvfb, xdotool, postgresql"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends xvfb xauth xdotool postgresql; } >/dev/null && exit 0
fi
echo "Without Xvfb and xdotool, tests in real windows are skipped; without PostgreSQL, tests of shared label databases are." >&2
echo "On Debian: apt install xvfb xdotool postgresql" >&2
