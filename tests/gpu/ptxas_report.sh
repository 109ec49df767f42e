#!/bin/sh
# sh ptxas_report.sh nvcc <arguments>...: as CMake's launcher of nvcc, writes what ptxas says of each kernel beside the object, to
# <object>.ptxas, and to the terminal whatever else nvcc says.
object=
previous=
for argument; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
"$@" -Xptxas -v >"$object.ptxas" 2>&1
status=$?
grep -v -e '^ptxas info' -e 'bytes stack frame' "$object.ptxas" >&2
exit $status
