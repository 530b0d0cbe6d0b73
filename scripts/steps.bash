# Named, timed steps for the scripts beside this file, and a summary at their end.
#
#   step NAME COMMAND…   runs COMMAND; shows its output as it comes; remembers how it went
#   skip NAME WHY        remembers that a step was left out
#   summary              prints what was remembered; fails if any step failed
#
# Where nobody watches, the summary repeats what failed steps said of it: who reads the end of a log need not search the rest.

steps_report=()
steps_failed=0
steps_telling=

step() {
    local name=$1 began=$SECONDS result=passed log=
    shift
    printf '\n== %s\n' "$name"
    if [[ -t 1 ]]; then
        "$@" || result=FAILED
    else
        log=$(mktemp)
        "$@" 2>&1 | tee "$log" || result=FAILED
    fi
    if [[ $result == FAILED ]]; then
        steps_failed=1
        [[ -z $log ]] || steps_telling+=$(printf '\n== of %s\n' "$name" && steps_tell "$log")$'\n'
    fi
    [[ -z $log ]] || rm -f "$log"
    steps_report+=("$(printf '%-8s %4d s  %s' "$result" $((SECONDS - began)) "$name")")
}

skip() {
    steps_report+=("$(printf '%-8s %4d s  %s' skipped 0 "$1: $2")")
}

summary() {
    [[ -z $steps_telling ]] || printf '%s' "$steps_telling"
    printf '\n== summary\n'
    printf '%s\n' "${steps_report[@]}"
    return $steps_failed
}

# The lines of a log that tell of failures, and its end.
steps_tell() {
    grep -aE '✘|error: |^FAILED |Fatal error|Crash|signal code|exited with' "$1" | cut -c 1-400 | head -n 40
    echo '…'
    tail -n 15 "$1" | cut -c 1-400
}
