#!/bin/sh
# A game server for tests: prints `ready`, takes commands from stdin, ends on `quit` and SIGTERM.
# IGNORE_STOP=1 makes it deaf to both. READY_DELAY delays `ready` by that many seconds.

terminated() {
  echo terminated
  exit 0
}

# Numbered lines on both streams in turn; $1 lines, at most $2 a second.
count() {
  awk -v total="$1" -v rate="$2" 'BEGIN {
    tick = int(rate / 100) > 0 ? int(rate / 100) : 1
    pause = int(1000000 * tick / rate)
    for (i = 1; i <= total; i++) {
      if (i % 2) print "line " i; else print "line " i > "/dev/stderr"
      if (i % tick == 0) { fflush(); if (rate < 1000000) system("usleep " pause) }
    }
  }'
}

# As fast as it goes, for $1 seconds.
flood() {
  awk -v seconds="$1" 'BEGIN {
    stop = systime() + seconds
    while (systime() < stop) for (i = 0; i < 1000; i++) print "flood " ++n " ......................................................"
  }'
}

# One line of $1 bytes: the alphabet, over and over.
long() {
  awk -v size="$1" 'BEGIN {
    while (length(block) < 16384 + 26) block = block "abcdefghijklmnopqrstuvwxyz"
    for (left = size; left > 0; left -= 16384) printf "%s", substr(block, 1 + (size - left) % 26, left < 16384 ? left : 16384)
    print ""
  }'
}

obey() {
  command="${1%% *}"
  rest="${1#"$command"}"
  rest="${rest# }"
  case "$command" in
    say) echo "[chat] $rest" ;;
    # With escapes: print a\r\033[31mb
    print) printf '%b\n' "$rest" ;;
    warn) echo "$rest" >&2 ;;
    count) count "$rest" 1000000 ;;
    flood) flood "$rest" ;;
    long) long "$rest" ;;
    # Any command of the container's shell, to see what a game sees.
    sh) eval "$rest" ;;
    crash) exit "${rest:-1}" ;;
    quit) [ -n "$IGNORE_STOP" ] || { echo bye; exit 0; } ;;
    '') ;;
    *) echo "unknown command: $command" >&2 ;;
  esac
}

if [ -n "$IGNORE_STOP" ]; then trap '' TERM; else trap terminated TERM; fi
[ -n "$READY_DELAY" ] && sleep "$READY_DELAY"
echo ready
# TOTAL lines by itself, at most RATE a second: beside the console, or instead of it and then the end.
if [ -n "$EXIT_WHEN_COUNTED" ]; then
  count "$TOTAL" "${RATE:-1000}"
  exit 0
fi
[ -n "$TOTAL" ] && { count "$TOTAL" "${RATE:-1000}"; echo counted; } &

while read -r line; do obey "$line"; done
# Without stdin it runs on. In turns, as a signal is seen only between two commands.
while :; do sleep 1; done
