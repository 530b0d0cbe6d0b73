# Named, timed steps for the scripts beside this file, and a summary at their end.
#
#   step NAME COMMAND…   runs COMMAND; shows its output as it comes; remembers how it went
#   skip NAME WHY        remembers that a step was left out
#   summary              prints what was remembered; fails if any step failed

steps_report=()
steps_failed=0

step() {
    local name=$1 began=$SECONDS result=passed
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        result=FAILED
        steps_failed=1
    fi
    steps_report+=("$(printf '%-8s %4d s  %s' "$result" $((SECONDS - began)) "$name")")
}

skip() {
    steps_report+=("$(printf '%-8s %4d s  %s' skipped 0 "$1: $2")")
}

summary() {
    printf '\n== summary\n'
    printf '%s\n' "${steps_report[@]}"
    return $steps_failed
}
