#!/bin/sh
# Makes a virtual environment with the libraries that aila is compared with: sh benchmarks/peers/setup.sh [FOLDER]
#
# FOLDER is build/peers in this checkout where none is given. Versions are those of requirements.txt; what is there already is left
# as it is. PyTorch comes without CUDA (200 MB) where download.pytorch.org is reached, else from PyPI (some GB).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../build/peers}
requirements=$here/requirements.txt

fail() {
  echo "peers: $*" >&2
  exit 1
}

[ $# -le 1 ] || fail "usage: sh benchmarks/peers/setup.sh [FOLDER]"
case $folder in -*) fail "usage: sh benchmarks/peers/setup.sh [FOLDER]" ;; esac
command -v python3 >/dev/null 2>&1 || fail "python3 was not found; Debian has it as python3 and python3-venv."
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed, and python3 is $version."
command -v g++ >/dev/null 2>&1 || fail "g++ was not found, which torch.compile needs."

if [ ! -x "$folder/bin/python" ]; then
  mkdir -p "$(dirname "$folder")" || fail "the folder $folder cannot be made."
  python3 -m venv "$folder" || fail "python3 makes no virtual environment in $folder; Debian has what it needs as python3-venv."
fi
python=$folder/bin/python

# there: all packages have the versions asked for. A local part of a version, as in 2.15.0+cpu, does not count.
there() {
  "$python" - "$requirements" <<'PYTHON'
import importlib.metadata as metadata
import sys

for line in open(sys.argv[1]):
    name, _, version = line.partition("==")
    if version:
        try:
            found = metadata.version(name).split("+")[0]
        except metadata.PackageNotFoundError:
            sys.exit(1)
        if found != version.strip():
            sys.exit(1)
PYTHON
}

install() {
  "$python" -m pip install --quiet --disable-pip-version-check "$@"
}

if ! there; then
  torch=$(grep '^torch==' "$requirements")
  # A short wait: where this address is not reached, that must show at once.
  install --timeout 10 --retries 0 --index-url https://download.pytorch.org/whl/cpu "$torch" >/dev/null 2>&1 ||
    echo "peers: $torch without CUDA was not to be had; taking the one of PyPI." >&2
  install -r "$requirements" || fail "pip could not install the packages of $requirements into $folder; what it said stands above."
  there || fail "after installing, $folder still lacks the versions of $requirements."
fi
echo "$python"
