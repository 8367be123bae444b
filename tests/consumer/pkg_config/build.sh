#!/bin/sh
# build.sh COMPILER PKGCONFIG_FOLDER [COMPONENT...] builds and runs a program of this folder's
# parent by what pkg-config says.
set -eu

here=$(dirname "$0")
compiler=$1
export PKG_CONFIG_PATH="$2"
shift 2

package=papilio
definitions=
for component; do
    package="$package papilio_$component"
    definitions="$definitions -DWITH_$(echo "$component" | tr '[:lower:]' '[:upper:]')"
done

# Unquoted: each holds several words.
# shellcheck disable=SC2046,SC2086
"$compiler" -std=c++20 $definitions $(pkg-config --cflags $package) \
    -O1 "$here/../little.cpp" $(pkg-config --libs $package) \
    -o pkg_config_consumer
./pkg_config_consumer
