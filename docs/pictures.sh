#!/bin/sh
# Makes the README's pictures from the newest cycle of a demo: docs/pictures.sh HOME
# Needs LibreOffice Calc and poppler (Debian: libreoffice-calc poppler-utils).
set -eu
home=${1:?"usage: docs/pictures.sh HOME (the folder given to sop-run demo --home)"}
pictures=$(CDPATH='' cd -- "$(dirname -- "$0")/pictures" && pwd)
documents=$(find "$home/cycles" -mindepth 2 -maxdepth 2 -name documents 2>/dev/null | sort | tail -n 1)
[ -n "$documents" ] || { echo "pictures.sh: no cycle in $home" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
soffice "-env:UserInstallation=file://$work/profile" --headless --convert-to pdf \
    --outdir "$work" "$documents/laporan-hasil-pengecekan.xlsx" >/dev/null 2>&1
# picture PDF PAGE NAME SIZE: one page as PNG; SIZE is its longer side in dots
picture() {
    pdftoppm -png -singlefile -f "$2" -l "$2" -scale-to "$4" "$1" "$pictures/$3"
    ls -l "$pictures/$3.png"
}
picture "$work/laporan-hasil-pengecekan.pdf" 1 check-list 1040
picture "$documents/laporan-hasil-update.pdf" 1 report 960
