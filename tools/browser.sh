#!/usr/bin/env bash
# Installs what the tests of pages in a browser need into .sos/browser: axe-core, from its lock. The browser itself is
# Debian's `chromium`. Without npm nothing is installed, and those tests say that they were skipped, and why.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=tools/browser/package-lock.json folder=.sos/browser
cmp -s "$lock" "$folder/.installed" && exit 0
if ! command -v npm >/dev/null; then
    echo "npm is not there: the tests of pages in a browser will be skipped" >&2
    exit 0
fi
echo "Installing axe-core into $folder ..." >&2
mkdir -p "$folder"
cp tools/browser/package.json "$lock" "$folder/"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent
cp "$lock" "$folder/.installed"
