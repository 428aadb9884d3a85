#!/usr/bin/env bash
# Fuzzes the C code: reads the corpus in every split, then runs each fuzzer for SECONDS_EACH seconds (30 when unset).
# Exits non-zero on a finding, whose input is left in .build-fuzz/. Needs clang, its fuzzer runtime and libhiredis-dev.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-30}
build=${FUZZ_BUILD_DIR:-.build-fuzz}

# Swift's toolchain brings a clang with the fuzzer runtime; a clang in PATH may lack it.
find_clang() {
    local candidate swift
    swift=$(command -v swift || true)
    for candidate in "${CLANG:-}" "$(command -v clang || true)" \
        "${swift:+$(dirname "$(readlink -f "$swift")")/clang}"; do
        [[ -n $candidate && -x $candidate ]] || continue
        if "$candidate" -fsanitize=fuzzer,address,undefined -x c - -o "$build/probe" \
            2>/dev/null <<<'int LLVMFuzzerTestOneInput(void) { return 0; }'; then
            echo "$candidate"
            return
        fi
    done
    echo "no clang with -fsanitize=fuzzer,address,undefined in PATH or beside swift" >&2
    return 1
}

mkdir -p "$build"
clang=$(find_clang)
echo "compiler: $("$clang" --version | head -n 1)"

# HIREDIS_CFLAGS and HIREDIS_LIBS may name another hiredis than the system's.
flags=(-std=c99 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wstrict-prototypes -Wwrite-strings -Werror
    -fno-sanitize-recover=all -ISources/CHiredis/include -ISources/CHiredis)
read -r -a hiredis_cflags <<<"${HIREDIS_CFLAGS:-}"
read -r -a hiredis_libs <<<"${HIREDIS_LIBS:--lhiredis}"
flags+=("${hiredis_cflags[@]}")
# Debian's ld.gold has a warning for each symbol of the sanitizers.
quietly() {
    "$@" 2> >(grep -v 'Cannot export local symbol' >&2)
}

renamed=(-Dmalloc=driver_malloc -Dcalloc=driver_calloc -Drealloc=driver_realloc)

objects=()
for source in Sources/CHiredis/*.c; do
    object=$build/$(basename "$source" .c).o
    "$clang" "${flags[@]}" "${renamed[@]}" -fsanitize=address,undefined -c "$source" -o "$object"
    objects+=("$object")
done
quietly "$clang" "${flags[@]}" -fsanitize=address,undefined Fuzz/split_driver.c "${objects[@]}" "${hiredis_libs[@]}" \
    -o "$build/split_driver"
"$build/split_driver" Fuzz/corpus/reader/*

for name in reader command; do
    quietly "$clang" "${flags[@]}" -fsanitize=fuzzer,address,undefined "Fuzz/${name}_fuzzer.c" Sources/CHiredis/*.c \
        "${hiredis_libs[@]}" -o "$build/${name}_fuzzer"
    # New inputs go to the first directory; the seeds in the tree stay as they are.
    mkdir -p "$build/corpus/$name"
    seeds=()
    [[ ! -d Fuzz/corpus/$name ]] || seeds+=("Fuzz/corpus/$name")
    echo "${name}_fuzzer: $seconds s"
    "$build/${name}_fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=5 -rss_limit_mb=512 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/${name}-finding-" \
        "$build/corpus/$name" ${seeds[@]+"${seeds[@]}"}
done
echo "no findings"
