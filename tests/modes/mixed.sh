# mixed.sh COMPILER TREE FLAG...: links a caller of one mode with a callee of the other, which must
# fail, and of the same mode, which must not.
set -eu
compiler=$1
shift 2

for mode in header_only compiled; do
    define=
    [ $mode = header_only ] || define=-DPAPILIO_SEPARATE_COMPILATION
    printf '%s\n' '#include <papilio/collective/report.hpp>' \
        'std::uint64_t sent(const papilio::report& r) { return r.call; }' >callee.cpp
    printf '%s\n' '#include <papilio/collective/report.hpp>' \
        'std::uint64_t sent(const papilio::report& r);' \
        'int main() { return static_cast<int>(sent({})); }' >caller.cpp
    "$compiler" "$@" $define -c callee.cpp -o $mode.callee.o
    "$compiler" "$@" $define -c caller.cpp -o $mode.caller.o
done

for mode in header_only compiled; do
    "$compiler" $mode.caller.o $mode.callee.o -o linked
    other=compiled
    [ $mode = header_only ] || other=header_only
    if "$compiler" $mode.caller.o $other.callee.o -o linked 2>mixed.err; then
        echo "a $mode caller links with a callee that is $other"
        exit 1
    fi
    grep -q 'undefined reference' mixed.err || { cat mixed.err; exit 1; }
done
