# lines.sh COMPILER TREE FLAG...: fails if the preprocessor makes more than 90,000 lines of
# hello.cpp. Prints what the first programs take to compile, which depends on the machine.
set -eu
compiler=$1
examples=$2/examples
shift 2
most=90000

lines=$("$compiler" "$@" -E -P "$examples/hello.cpp" | wc -l)
echo "hello: $lines lines"
[ "$lines" -le $most ] || { echo "more than $most"; exit 1; }

TIMEFORMAT='%U s of processor time'
for program in hello hello_tcp; do
    for mode in '' -DPAPILIO_SEPARATE_COMPILATION; do
        echo "$program $mode:"
        time "$compiler" "$@" -O2 -DASIO_STANDALONE $mode -c "$examples/$program.cpp" -o timed.o
    done
done
