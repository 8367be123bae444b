#!/bin/sh
# build.sh COMPILER PKGCONFIG_FOLDER SOURCE ARGUMENTS [COMPONENT...] builds a program by what
# pkg-config says, and runs it with ARGUMENTS.
set -eu

compiler=$1
export PKG_CONFIG_PATH="$2"
source=$3
arguments=$4
shift 4

package=papilio
definitions=
for component; do
    package="$package papilio_$component"
    definitions="$definitions -DWITH_$(echo "$component" | tr '[:lower:]' '[:upper:]')"
done
program=./pkg_config_$(basename "$source" .cpp)

# Unquoted: each holds several words.
# shellcheck disable=SC2046,SC2086
"$compiler" -std=c++20 $definitions $(pkg-config --cflags $package) \
    -O1 "$source" $(pkg-config --libs $package) -o "$program"
# shellcheck disable=SC2086
"$program" $arguments
