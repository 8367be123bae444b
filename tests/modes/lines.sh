# lines.sh COMPILER TREE FLAG...: fails if the preprocessor makes more than 90,000 lines of
# hello.cpp.
set -eu
compiler=$1
examples=$2/examples
shift 2
most=90000

lines=$("$compiler" "$@" -E -P "$examples/hello.cpp" | wc -l)
echo "hello: $lines lines"
[ "$lines" -le $most ] || { echo "more than $most"; exit 1; }
