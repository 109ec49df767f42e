#!/bin/sh
# Downloads data sets for the examples: sh examples/get-data.sh NAME...
#
#   cifar-10        170 MB   images of 10 classes             https://www.cs.toronto.edu/~kriz/cifar.html
#   imdb             84 MB   film reviews, good or bad        https://ai.stanford.edu/~amaas/data/sentiment
#   glove           862 MB   word vectors (100-d of GloVe 6B) https://nlp.stanford.edu/projects/glove
#   fashion-mnist    31 MB   images of 10 kinds of clothes    https://github.com/zalandoresearch/fashion-mnist
#   mnist            12 MB   images of handwritten digits     https://yann.lecun.com/exdb/mnist
#
# They go to the folder $AILA_DATA, else to aila in $XDG_CACHE_HOME or ~/.cache, where the examples look for them. What is there
# already is left as it is; a download that was broken off goes on where it was; nothing is used whose checksum is wrong.
# $AILA_DATA_URL names another place that has the archives, all in one folder.
set -eu

say() { echo "get-data: $*" >&2; }
die() {
  say "$*"
  exit 1
}

names="cifar-10 imdb glove fashion-mnist mnist"
case "${1-}" in "" | -h | --help)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
for name; do
  case " $names " in *" $name "*) ;; *) die "there is no data set $name; there are: $names" ;; esac
done

data=${AILA_DATA:-}
if [ -z "$data" ]; then
  [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ] || die "neither AILA_DATA nor HOME is set, so there is no folder to put data into"
  data=${XDG_CACHE_HOME:-$HOME/.cache}/aila
fi
archives=$data/archives
mkdir -p "$archives" || die "the folder $archives cannot be made"
data=$(cd "$data" && pwd)
archives=$data/archives
work=$data/.unpacking-$$
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# sum md5|sha256 FILE: the checksum, by whichever tool is there.
sum() {
  if command -v "$1sum" >/dev/null 2>&1; then
    line=$("$1sum" <"$2")
  elif [ "$1" = sha256 ] && command -v shasum >/dev/null 2>&1; then
    line=$(shasum -a 256 <"$2")
  elif [ "$1" = md5 ] && command -v md5 >/dev/null 2>&1; then
    line=$(md5 -q <"$2")
  elif command -v openssl >/dev/null 2>&1; then
    line=$(openssl dgst -r "-$1" <"$2")
  else
    die "no program for checksums was found: install $1sum or openssl"
  fi
  echo "${line%% *}"
}

# download URL FILE: goes on where an earlier download was broken off. What goes wrong is written to $work/reason.
download() {
  if command -v curl >/dev/null 2>&1; then
    code=0
    with_curl -C - -o "$2" "$1" || code=$?
    if [ "$code" = 33 ]; then # a server that sends whole files only
      code=0
      with_curl -o "$2" "$1" || code=$?
    fi
    return "$code"
  elif command -v wget >/dev/null 2>&1; then
    wget -nv -t 3 -T 30 -c -O "$2" "$1" 2>"$work/reason"
  else
    die "neither curl nor wget was found: install one of them"
  fi
}

with_curl() {
  if [ -t 2 ]; then
    curl -fL -# --connect-timeout 30 "$@"
  else
    curl -fL -sS --connect-timeout 30 "$@" 2>"$work/reason"
  fi
}

# fetch NAME FILE URL md5|sha256 CHECKSUM: puts FILE among the archives.
fetch() {
  file=$archives/$2
  if [ -f "$file" ]; then
    found=$(sum "$4" "$file")
    [ "$found" = "$5" ] || die "$1: $file has the $4 checksum $found, expected $5; delete it, or put the right one there"
    return
  fi
  url=$3
  if [ -n "${AILA_DATA_URL:-}" ]; then url=${AILA_DATA_URL%/}/$2; fi
  # A part that is whole was only not renamed; asking a server for what is behind its end is an error.
  if [ ! -f "$file.part" ] || [ "$(sum "$4" "$file.part")" != "$5" ]; then
    say "$1: downloading $url"
    if ! download "$url" "$file.part"; then
      reason=""
      if [ -s "$work/reason" ]; then reason=" ($(tail -n 1 "$work/reason"))"; fi
      die "$1: $url could not be downloaded$reason; try again, or where there is no network fetch it elsewhere and put it at \
$file, or give the examples a folder that has $1 by --data or AILA_DATA"
    fi
  fi
  found=$(sum "$4" "$file.part")
  if [ "$found" != "$5" ]; then
    rm -f "$file.part"
    die "$1: $url has the $4 checksum $found, expected $5; it was deleted, so try again"
  fi
  mv -f "$file.part" "$file"
}

# place FOLDER: what was unpacked gets its name, whole or not at all.
place() {
  [ -d "$work/$1" ] || die "$name: the archive has no folder $1"
  rm -rf "${data:?}/$1"
  mv "$work/$1" "$data/$1"
  say "$name: $data/$1"
}

# untar FILE: what an archive holds, to $work.
untar() {
  for program in tar gzip; do
    command -v "$program" >/dev/null 2>&1 || die "$name: no program for tar.gz files was found: install $program"
  done
  tar -xzf "$1" -C "$work"
}

unzip_file() {
  if command -v unzip >/dev/null 2>&1; then
    unzip -q -o "$1" "$2" -d "$3"
  elif command -v bsdtar >/dev/null 2>&1; then
    bsdtar -xf "$1" -C "$3" "$2"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])' "$1" "$2" "$3"
  else
    die "$name: no program for zip files was found: install unzip"
  fi
}

# fetch_idx URL CHECKSUM...: the four files of MNIST's family.
fetch_idx() {
  base=$1
  shift
  mkdir -p "$work/$name"
  for part in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    # Both families have the same names, so the archives are told apart by a prefix.
    fetch "$name" "$name-$part-ubyte.gz" "$base/$part-ubyte.gz" md5 "$1"
    cp "$archives/$name-$part-ubyte.gz" "$work/$name/$part-ubyte.gz"
    shift
  done
  place "$name"
}

for name; do
  rm -rf "$work"
  mkdir "$work"
  case $name in
    cifar-10) there=cifar-10-batches-bin/test_batch.bin ;;
    imdb) there=aclImdb/test/pos ;;
    glove) there=glove/glove.6B.100d.txt ;;
    *) there=$name/t10k-labels-idx1-ubyte.gz ;;
  esac
  if [ -e "$data/$there" ]; then
    say "$name: is there already, $data/${there%%/*}"
    continue
  fi
  case $name in
    cifar-10)
      fetch "$name" cifar-10-binary.tar.gz https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \
        md5 c32a1d4ab5d03f1284b67883e8d87530
      untar "$archives/cifar-10-binary.tar.gz"
      place cifar-10-batches-bin
      ;;
    imdb)
      fetch "$name" aclImdb_v1.tar.gz https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz \
        md5 7c2ac02c03563afcf9b574c7e56c153a
      untar "$archives/aclImdb_v1.tar.gz"
      place aclImdb
      ;;
    glove)
      fetch "$name" glove.6B.zip https://nlp.stanford.edu/data/glove.6B.zip \
        sha256 617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb
      unzip_file "$archives/glove.6B.zip" glove.6B.100d.txt "$work"
      mkdir -p "$data/glove" # which may hold other vectors
      mv -f "$work/glove.6B.100d.txt" "$data/glove/"
      say "$name: $data/glove"
      ;;
    fashion-mnist)
      fetch_idx http://fashion-mnist.s3-website.eu-central-1.amazonaws.com \
        8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe \
        bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310
      ;;
    mnist)
      fetch_idx https://ossci-datasets.s3.amazonaws.com/mnist \
        f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 \
        9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c
      ;;
  esac
done
