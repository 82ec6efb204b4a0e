#!/bin/sh
# Makes all pictures of documents from the newest cycle of a demo: docs/pictures.sh HOME
# Needs LibreOffice and poppler (Debian: libreoffice-calc libreoffice-writer poppler-utils; tests/run
# installs them).
set -eu
home=${1:?"usage: docs/pictures.sh HOME (the folder given to sop-run demo --home)"}
docs=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
pictures=$docs/pictures
journal=$(find "$home/cycles" -mindepth 2 -maxdepth 2 -name journal.db 2>/dev/null | sort | tail -n 1)
[ -n "$journal" ] || { echo "pictures.sh: no cycle in $home" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PYTHONPATH=$docs/.. "$docs/../.venv/bin/python" "$docs/pictures.py" "${journal%/journal.db}" "$work"
documents=$work/documents
# The recap is part of no cycle.
year=$(basename "${journal%/journal.db}" | cut -c 1-4)
"$docs/../sop-run" recap "$year" --home "$home" --office "$home/office.yml" >/dev/null
# printed OUT FILE...: workbooks and Word files as they are printed, in one start of LibreOffice
printed() {
    out=$1
    shift
    soffice "-env:UserInstallation=file://$work/profile" --headless --convert-to pdf \
        --outdir "$out" "$@" >/dev/null 2>&1
}
printed "$work" "$documents/laporan-hasil-pengecekan.xlsx" "$documents/catatan-update.xlsx"
mkdir "$work/word"
printed "$work/word" "$documents/laporan-hasil-update-draf.docx"
printed "$work" "$home/recap/$year/rekapitulasi-tahunan-$year.xlsx"
printed "$work/restyled" "$work/restyled/laporan-hasil-pengecekan.xlsx"
# page PDF WORD: the first page that holds a word
page() {
    last=$(pdfinfo "$1" 2>/dev/null | sed -n 's/^Pages: *//p')
    for number in $(seq 1 "$last"); do
        if pdftotext -q -f "$number" -l "$number" "$1" - | grep -q "$2"; then
            echo "$number"
            return
        fi
    done
    echo "pictures.sh: no page of $1 holds $2" >&2
    exit 2
}
# picture PDF WORD NAME SIZE [OPTION]: that page as PNG; SIZE is its longer side in dots
picture() {
    number=$(page "$1" "$2")
    # shellcheck disable=SC2086 # the option may be missing
    pdftoppm -q -png ${5:-} -singlefile -f "$number" -l "$number" -scale-to "$4" "$1" "$pictures/$3"
    size=$(wc -c <"$pictures/$3.png")
    echo "$3.png: page $number, $size bytes"
    [ "$size" -lt 150000 ] || { echo "pictures.sh: $3.png is too large" >&2; exit 2; }
}
list=$work/laporan-hasil-pengecekan.pdf
record=$work/catatan-update.pdf
picture "$list" 'LAPORAN HASIL' check-list 1000
picture "$list" 'JADWAL PENGECEKAN' check-schedule 1000 -gray
picture "$list" 'REKAPITULASI' check-recap 900 -gray
picture "$documents/laporan-hasil-pengecekan.pdf" 'LAPORAN HASIL' check-list-printed 1000 -gray
picture "$documents/disposisi.pdf" 'LEMBAR DISPOSISI' order 900 -gray
picture "$documents/lembar-pemantauan.pdf" 'LEMBAR PEMANTAUAN' monitoring 900 -gray
picture "$record" 'BACKUP SOFTWARE' record-backup 1000 -gray
picture "$record" 'UPDATE/PERBAIKAN SOFTWARE' record-update 1000 -gray
picture "$record" 'HASIL MENURUT PELADEN' record-result 1000 -gray
picture "$documents/catatan-update.pdf" 'BACKUP SOFTWARE' record-printed 1000 -gray
picture "$documents/notulensi.pdf" 'NOTULENSI' minutes 900 -gray
picture "$documents/laporan-hasil-update-draf.pdf" 'Pendahuluan' report-draft 860 -gray
picture "$documents/laporan-hasil-update.pdf" 'Pendahuluan' report 900 -gray
picture "$documents/laporan-hasil-update.pdf" 'Gambar 1:' report-steps 900 -gray
picture "$documents/laporan-hasil-update.pdf" 'Gambar 2:' report-results 900 -gray
picture "$documents/laporan-hasil-update-terverifikasi.pdf" 'Penutup' report-verified 900 -gray
picture "$documents/laporan-hasil-update.pdf" 'gerbang SOP' report-established 900 -gray
picture "$work/signed.pdf" 'Penutup' report-signed 900 -gray
picture "$work/word/laporan-hasil-update-draf.pdf" 'Pendahuluan' word-draft 840 -gray
picture "$work/rekapitulasi-tahunan-$year.pdf" 'REKAPITULASI TAHUNAN' recap-year 1000 -gray
picture "$work/en/laporan-hasil-update.pdf" 'Introduction' report-english 840 -gray
picture "$work/restyled/laporan-hasil-pengecekan.pdf" 'LAPORAN HASIL' restyled-check-list 1000
picture "$work/restyled/disposisi.pdf" 'LEMBAR DISPOSISI' restyled-order 900
picture "$work/restyled/laporan-hasil-update.pdf" 'Pendahuluan' restyled-report 900
