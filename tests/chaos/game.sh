# The game of a chaos run. It keeps a record of its own, a file for each container in the deployment's volume, so that what
# was done can be proven without asking ManMan: `start MARK`, `input N LINE`, `exit CODE WHY`.
read -r me < /etc/hostname
record="/data/game/$me.record"
read -r mark < /proc/sys/kernel/random/uuid
echo "start $mark" >> "$record"

end() {
  echo "exit $1 $2" >> "$record"
  exit "$1"
}

# DEAF=1 ignores every wish to stop.
if [ -n "$DEAF" ]; then trap '' TERM; else trap 'end 0 term' TERM; fi
echo ready
n=0
while read -r line; do
  n=$((n + 1))
  echo "input $n $line" >> "$record"
  echo "line $n: $line"
  case "$line" in
    'crash '*)
      code="${line#crash }"
      end "${code%% *}" told
      ;;
    quit) [ -n "$DEAF" ] || end 0 quit ;;
  esac
done
while :; do sleep 1; done
