#!/bin/sh
# The window tests need Xvfb (a screen without a monitor) and xdotool (a hand at its keyboard).
# Installs both where that is possible without asking; elsewhere says how, and those tests are skipped.
command -v Xvfb >/dev/null && command -v xdotool >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing a virtual screen (xvfb, xdotool)"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends xvfb xauth xdotool; } >/dev/null && exit 0
fi
echo "Xvfb or xdotool is missing: tests in real windows will be skipped (on Debian: apt install xvfb xdotool)." >&2
